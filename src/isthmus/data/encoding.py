"""Cells to numbers and back, exactly: every value of a table as one float, or two where one would round it.

Times become days and ticks within the day, large whole numbers become two halves, categories become their codes, and
missing values become NaN.
"""

import warnings
from collections.abc import Sequence
from itertools import repeat

import numpy as np

from isthmus.data.columns import Column
from isthmus.data.fields import Cells, Field, Level

MOST_NAMED = 5
"""Categories that a warning names."""
HALF = 2**32
"""The base of the two halves of a large whole number."""
LARGEST = 1e150
"""The square of a larger number, summed over a table, overflows float64."""
DAYS = (-719_162, 2_932_896)
"""The first and the last day of the years 1 to 9999, in days since 1970."""


def encoded(columns: Sequence[Column], fields: Sequence[Field], cells: Sequence[Cells]) -> np.ndarray:
    """Return the cells of a table as numbers, (n, R) float64; R is the sum of the columns' `numbers`.

    Raises
    ------
    ValueError
        If a column has another type than in `fit`, or infinite values; the message names it.
    """
    parts = [numbers(*known) for known in zip(columns, fields, cells, strict=True)]
    return np.concatenate(parts, axis=1) if parts else np.empty((0, 0))


def decoded(columns: Sequence[Column], raw: np.ndarray) -> list[Cells]:
    """Return numbers (n, R) as the cells of a table; the inverse of `encoded`."""
    edges = np.cumsum([column.numbers for column in columns])[:-1]
    return [cells_of(column, part) for column, part in zip(columns, np.split(raw, edges, axis=1), strict=True)]


def numbers(column: Column, field: Field, cells: Cells) -> np.ndarray:
    """Return the cells of a column as numbers, (n, 1) or (n, 2)."""
    refuse_other_type(column, field)
    values, missing = cells
    raw = np.full((len(missing), column.numbers), np.nan)
    seen = ~missing
    if not seen.any() or (column.kind == "ignored" and field.sort in ("text", "category")):
        return raw
    values = values[seen]
    if column.sort == "nothing":
        return raw
    if column.levels:
        raw[seen, 0] = level_codes(column, field, values)
    elif column.sort in ("time", "duration"):
        in_ticks = values.astype(np.int64)
        refuse_impossible(field, in_ticks / own_ticks(column, field))
        day, rest = np.divmod(in_ticks, own_ticks(column, field))
        raw[seen, 0], raw[seen, 1] = day, rest * (column.ticks / own_ticks(column, field))
    elif column.wide:
        refuse_impossible(field, values.astype(np.float64))
        high, low = np.divmod(values, values.dtype.type(HALF))
        raw[seen, 0], raw[seen, 1] = high, low
    else:
        as_floats = values.astype(np.float64)
        if column.kind != "ignored":
            refuse_impossible(field, as_floats)
            as_floats = as_floats if column.any_value else possible(column, as_floats)
        raw[seen, 0] = as_floats
    return raw


def level_codes(column: Column, field: Field, values: np.ndarray) -> np.ndarray:
    """Return the codes of the values of a column that has levels, (n,)."""
    if column.sort in ("time", "duration"):
        finer, own = column.ticks, own_ticks(column, field)
        values = values * (finer // own) if finer >= own else values // (own // finer)
    found = codes(column.levels, values)
    if column.any_value:
        return found
    if not column.dropped and (found == len(column.levels)).any():
        warn_unseen(column, values[found == len(column.levels)])
    if column.kind == "ordinal":  # An ordinal column has no cell for unknown categories.
        found[found == len(column.levels)] = np.nan
    return found


def warn_unseen(column: Column, values: np.ndarray) -> None:
    """Warn of categories that were not there in `fit`, by name."""
    different = list(dict.fromkeys(values.tolist()))
    named = ", ".join(map(repr, different[:MOST_NAMED])) + ", ..." * (len(different) > MOST_NAMED)
    scored = ", except in the score, where they are improbable" if column.kind == "category" else ""
    warnings.warn(
        f"column {column.name!r} holds categories that it did not hold in fit ({named}), which count as missing"
        f"{scored}",
        UserWarning,
        stacklevel=4,
    )


def own_ticks(column: Column, field: Field) -> int:
    """Return how many ticks make a day in the unit of this frame, which may differ from the unit in `fit`."""
    return field.ticks if field.unit else column.ticks


def codes(levels: Sequence[Level], values: np.ndarray) -> np.ndarray:
    """Return the code of each category, (n,); unknown categories get the code after the last.

    >>> codes(["a", "b"], np.array(["b", "x"], dtype=object))
    array([1., 2.])
    """
    known = {level: float(code) for code, level in enumerate(levels)}
    found = map(known.get, values.tolist(), repeat(float(len(levels))))
    return np.fromiter(found, dtype=np.float64, count=len(values))


def refuse_other_type(column: Column, field: Field) -> None:
    """Raise a `ValueError` if a column holds another type of values than in `fit`."""
    alike = ({"float", "integer", "boolean"}, {"text", "category"}, {"time"}, {"duration"})
    if "nothing" in (field.sort, column.sort) or any({field.sort, column.sort} <= kinds for kinds in alike):
        return
    numeric = column.sort in ("float", "integer", "boolean") and field.sort == "text"
    call = f", for example with pandas.to_numeric(X[{column.name!r}])" if numeric else ""
    raise ValueError(
        f"column {column.name!r} held {column.sort} values in fit, and now holds {field.sort} values; convert it{call}"
    )


def refuse_extreme(field: Field, values: np.ndarray) -> None:
    """Raise a `ValueError` for values that cannot be learned from: impossible ones, and numbers too large to square."""
    refuse_impossible(field, values)
    extreme = values[np.argmax(np.abs(values))] if len(values) else 0.0
    if abs(extreme) > LARGEST:
        raise ValueError(
            f"column {field.name!r} has values too large to be squared ({extreme:g}); divide it by a large number"
        )


def refuse_impossible(field: Field, values: np.ndarray) -> None:
    """Raise a `ValueError` for infinite numbers and times outside the calendar."""
    infinite = int(np.isinf(values).sum())
    if infinite:
        raise ValueError(
            f"column {field.name!r} has {infinite} infinite values; make them missing (NaN) or finite numbers"
        )
    if field.sort == "time" and len(values) and (values.min() < DAYS[0] or values.max() > DAYS[1] + 1):
        raise ValueError(f"column {field.name!r} has times outside the years 1 to 9999; make them missing (NaT)")


def nearest_possible(column: Column, values: np.ndarray) -> np.ndarray:
    """Return the nearest values that are possible in a column of this kind, (n,), NaN where values are.

    They are zeros and ones, whole numbers of at least 0, or the codes of known levels.
    """
    if column.kind == "boolean" and not column.levels:
        return np.clip(np.round(values), 0, 1)
    if column.kind == "count":
        return np.round(values).clip(0)
    if column.kind == "ordinal" and column.levels:
        return np.minimum(values, len(column.levels) - 1)
    return values


def possible(column: Column, values: np.ndarray) -> np.ndarray:
    """Return the nearest values that are possible in a column of this kind; warn if any value had to change."""
    nearest = nearest_possible(column, values)
    wanted = "zeros and ones" if column.kind == "boolean" else "whole numbers of at least 0"
    changed = values != nearest
    if changed.any():
        warnings.warn(
            f"column {column.name!r} held {wanted} in fit, and now holds {values[changed][0]:g}, which is taken as "
            f"{nearest[changed][0]:g}; if it may hold other numbers, fit again with columns={{{column.name!r}: "
            "'real'}",
            UserWarning,
            stacklevel=4,
        )
    return nearest


def cells_of(column: Column, raw: np.ndarray) -> Cells:
    """Return the cells that the numbers of a column, (n, 1) or (n, 2), stand for."""
    missing = np.isnan(raw[:, 0])
    filled = np.where(missing[:, None], 0.0, raw)
    if column.sort in ("text", "category") and not column.levels:
        return Cells(np.full(len(raw), None, dtype=object), np.ones(len(raw), dtype=bool))
    if column.levels:
        return cells_of_codes(column, filled[:, 0], missing)
    if column.sort in ("time", "duration"):
        return Cells(filled[:, 0].astype(np.int64) * column.ticks + filled[:, 1].astype(np.int64), missing)
    if column.wide:
        kind = np.uint64 if (filled[:, 0] >= 2.0**31).any() else np.int64
        return Cells(filled[:, 0].astype(np.int64).astype(kind) * kind(HALF) + filled[:, 1].astype(kind), missing)
    if column.sort == "integer":
        return Cells(np.round(filled[:, 0]).astype(np.int64), missing)
    if column.sort == "boolean":
        return Cells(filled[:, 0] >= 0.5, missing)
    return Cells(raw[:, 0], missing)


def cells_of_codes(column: Column, found: np.ndarray, missing: np.ndarray) -> Cells:
    """Return the cells that codes (n,) stand for; the code of unknown categories becomes a missing cell."""
    missing = missing | (found == len(column.levels))
    of_codes = np.empty(len(column.levels) + 1, dtype=object)
    of_codes[:-1] = column.levels
    values = of_codes[found.astype(np.int64)]
    if column.sort in ("text", "category"):
        values[missing] = None
        return Cells(values, missing)
    values[missing] = 0
    if column.sort == "integer":
        return Cells(values.astype(np.uint64 if max(map(int, column.levels)) >= 2**63 else np.int64), missing)
    return Cells(values.astype({"float": np.float64, "boolean": np.bool_}.get(column.sort, np.int64)), missing)
