"""From cells to numbers and back, exactly: every value of a table as one float, or two where one would round it.

Times are days and ticks within the day, large whole numbers two halves, categories their codes, and what is missing is
NaN.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from isthmus.data.columns import Column, refuse_extreme, ticks
from isthmus.data.frames import Cells, Field

HALF = 2**32


def encoded(columns: Sequence[Column], fields: Sequence[Field], cells: Sequence[Cells]) -> np.ndarray:
    """Return the cells of a table as numbers, (n, R) float64; R is the columns' `numbers` together.

    Raises
    ------
    ValueError
        For a column of another type than in `fit`, infinite or far too large values, with the column's name.
    """
    parts = [numbers(*known) for known in zip(columns, fields, cells, strict=True)]
    return np.concatenate(parts, axis=1) if parts else np.empty((0, 0))


def decoded(columns: Sequence[Column], raw: np.ndarray) -> list[Cells]:
    """Undo `encoded`: numbers (n, R) to cells."""
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
        if column.sort in ("time", "duration"):
            finer, own = column.ticks, own_ticks(column, field)
            values = values * (finer // own) if finer >= own else values // (own // finer)
        raw[seen, 0] = codes(column.levels, values)
        if column.kind == "ordinal":  # which has no cell for unknown ones
            raw[raw[:, 0] == len(column.levels), 0] = np.nan
    elif column.sort in ("time", "duration"):
        in_ticks = values.astype(np.int64)
        refuse_extreme(field, in_ticks / own_ticks(column, field))
        day, rest = np.divmod(in_ticks, own_ticks(column, field))
        raw[seen, 0], raw[seen, 1] = day, rest * (column.ticks / own_ticks(column, field))
    elif column.wide:
        refuse_extreme(field, values.astype(np.float64))
        high, low = np.divmod(values, values.dtype.type(HALF))
        raw[seen, 0], raw[seen, 1] = high, low
    else:
        as_floats = values.astype(np.float64)
        if column.kind != "ignored":
            refuse_extreme(field, as_floats)
            as_floats = possible(column, as_floats)
        raw[seen, 0] = as_floats
    return raw


def own_ticks(column: Column, field: Field) -> int:
    """Return how many ticks a day has in the unit of that frame, which may be another than in `fit`."""
    return ticks(field) if field.unit else column.ticks


def codes(levels: Sequence[Any], values: np.ndarray) -> np.ndarray:
    """Return the code of each category, (n,); unknown ones have the one behind the last."""
    known = {level: float(code) for code, level in enumerate(levels)}
    unknown = float(len(levels))
    return np.array([known.get(value, unknown) for value in values.tolist()])


def refuse_other_type(column: Column, field: Field) -> None:
    """Raise a `ValueError` if a column holds another type of values than in `fit`."""
    alike = ({"float", "integer", "boolean"}, {"text", "category"}, {"time"}, {"duration"})
    if "nothing" in (field.sort, column.sort) or any({field.sort, column.sort} <= kinds for kinds in alike):
        return
    raise ValueError(f"column {column.name!r} held {column.sort} values in fit, and now holds {field.sort} values")


def possible(column: Column, values: np.ndarray) -> np.ndarray:
    """Return the nearest values to which a column's likelihood gives a probability; warn if they are others."""
    if column.likelihood == "bernoulli":
        nearest, wanted = np.clip(np.round(values), 0, 1), "zeros and ones"
    elif column.likelihood in ("poisson", "negative_binomial"):
        nearest, wanted = np.round(values).clip(0), "whole numbers of at least 0"
    else:
        return values
    changed = values != nearest
    if changed.any():
        warnings.warn(
            f"column {column.name!r} held {wanted} in fit, and now holds {values[changed][0]:g}, which is taken as "
            f"{nearest[changed][0]:g}; say by columns={{{column.name!r}: 'real'}} that it may hold other numbers, and "
            "fit again",
            UserWarning,
            stacklevel=4,
        )
    return nearest


def cells_of(column: Column, raw: np.ndarray) -> Cells:
    """Return the cells that stand behind the numbers of a column, (n, 1) or (n, 2)."""
    missing = np.isnan(raw[:, 0])
    filled = np.where(missing[:, None], 0.0, raw)
    if column.sort in ("text", "category") and not column.levels:
        return Cells(np.full(len(raw), None, dtype=object), np.ones(len(raw), dtype=bool))
    if column.levels:
        missing |= filled[:, 0] == len(column.levels)
        of_codes = np.empty(len(column.levels) + 1, dtype=object)
        of_codes[:-1] = column.levels
        values = of_codes[filled[:, 0].astype(np.int64)]
        if column.sort in ("text", "category"):
            values[missing] = None
            return Cells(values, missing)
        values[missing] = 0
        if column.sort == "integer":
            return Cells(values.astype(np.uint64 if max(column.levels) >= 2**63 else np.int64), missing)
        return Cells(values.astype({"float": np.float64, "boolean": np.bool_}.get(column.sort, np.int64)), missing)
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
