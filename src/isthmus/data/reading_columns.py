"""Reading columns of several kinds in memory: what each column is taken for, and its cells as numbers."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike
from sklearn.utils.validation import _get_feature_names

from isthmus.core.choices import refuse_unknown
from isthmus.data import frames, weights
from isthmus.data.arrays import read_array
from isthmus.data.arrow_tables import unlabelled
from isthmus.data.columns import Columns, column_choices
from isthmus.data.dense import DenseTable
from isthmus.data.encoding import encoded
from isthmus.data.fields import Cells, Field, Name, Schema, refuse_other_zone
from isthmus.data.reading_numbers import any_array, refuse_width
from isthmus.data.row_order import ordered_at_first
from isthmus.data.schema import ARRAY, TableSchema
from isthmus.data.survey import Survey
from isthmus.data.table import Table
from isthmus.data.text_arrays import numbers_of_texts
from isthmus.data.text_columns import in_forms, is_written_as_text

ColumnKinds = Mapping[Any, str] | Sequence[str] | str | None
"""What a user says of columns: a kind by name, one per column, one for all, "auto", or nothing."""


def learn_columns(
    X: object,
    schema: Schema,
    cells: list[Cells],
    columns: ColumnKinds,
    obstacle: str,
    least_rows: int,
    sample_weight: ArrayLike | None,
    numbers: str | None = None,
) -> tuple[Table, TableSchema]:
    """Learn what the columns of a table X are, which `take_apart` gave as these fields and cells."""
    survey = Survey(kinds_by_name(columns, schema), numbers)
    rows = len(cells[0].missing) if cells else 0
    look(survey, schema, cells, sample_weight, least_rows)
    if rows < least_rows:
        raise ValueError(f"Found array with {rows} sample(s) while a minimum of {least_rows} is required.")
    found = learned(survey, obstacle)
    names = _get_feature_names(X)
    known = TableSchema(len(found), None if names is None else tuple(names), schema, found)
    return DenseTable(encoded(found, schema.fields, cells)), known


def known_numbers(X: Any, schema: TableSchema, caller: str, told: set[Name] | None = None) -> np.ndarray:
    """Check a table against the columns of `fit`; return it as numbers (n, R), its columns in the order of `fit`.

    Columns in `told` are not warned of again; those that are warned of are added.
    """
    columns, frame = schema.columns, schema.frame
    assert columns is not None, "only tables of several kinds of columns are known so"
    assert frame is not None, "and these have a frame"
    if scipy.sparse.issparse(X):
        raise ValueError(f"{caller} was fitted on a table of columns, and X is sparse; give a frame")
    if frames.is_frame(X):
        X = unlabelled(X)
    else:
        X = any_array(X)
        X = X if any(is_written_as_text(field) for field in frame.fields) else numbers_of_texts(X)
    by_place = not frames.is_frame(X) or frame.backend == ARRAY
    if by_place:
        refuse_width(X.shape[1], schema, caller)
    found, cells = take_apart(X)
    fields: Sequence[Field] = found.fields
    if not by_place:
        fields, cells = in_order(found, cells, [column.name for column in columns], "fit")
    if not len(cells[0].missing):
        raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
    forms = [field.form for field in frame.fields]
    fields, cells = in_forms(fields, cells, forms, set() if told is None else told)
    for known, field in zip(frame.fields, fields, strict=True):
        refuse_other_zone(known, field, "in fit", "now", frame.backend)
    return encoded(columns, fields, cells)


def take_apart(X: Any) -> tuple[Schema, list[Cells]]:
    """Return the columns of a frame or of a two-dimensional array."""
    return frames.read(X) if frames.is_frame(X) else read_array(X)


def numbers_alone(schema: Schema, cells: Sequence[Cells]) -> bool:
    """Whether all columns hold numbers that are not written as text, and no cell is missing."""
    numeric = all(
        field.sort in ("float", "integer", "boolean") and not is_written_as_text(field) for field in schema.fields
    )
    return numeric and not any(piece.missing.any() for piece in cells)


def numbered_columns(
    schema: Schema, cells: Sequence[Cells], sample_weight: ArrayLike | None, least_rows: int
) -> list[Name]:
    """Return the names of the columns of numbers that only number the rows."""
    if not ordered_at_first([piece.values for piece in cells]):
        return []
    survey = Survey({})
    look(survey, schema, cells, sample_weight, least_rows)
    return [schema.fields[place].name for place in sorted(survey.numbered())]


def warn_of_numbered(names: Sequence[Name], obstacle: str) -> None:
    """Warn of columns that only number the rows, and that a model learns all the same, because of an obstacle."""
    warnings.warn(
        f"column {names[0]!r} numbers the rows or tells when they came, so that every later row will lie "
        f"outside of what was learned; it is not ignored, because {obstacle}; or leave the column out of X",
        UserWarning,
        stacklevel=4,
    )


def kinds_by_name(columns: ColumnKinds, schema: Schema) -> dict[Any, str]:
    """Return what the user says of columns, by name.

    Raises
    ------
    ValueError
        If it is neither None, "auto", a kind, a mapping, nor a sequence with one kind per column; or a kind is unknown.
    """
    if columns is None or (isinstance(columns, str) and columns == "auto"):
        return {}
    names = [field.name for field in schema.fields]
    if isinstance(columns, str):
        refuse_unknown("columns", columns, ["auto", *column_choices()])
        return dict.fromkeys(names, columns)
    if isinstance(columns, Mapping) or (isinstance(columns, Sequence) and len(columns) == len(names)):
        kinds = dict(columns) if isinstance(columns, Mapping) else dict(zip(names, columns, strict=True))
        for kind in kinds.values():
            refuse_unknown("kind of column", kind, column_choices())
        return kinds
    raise ValueError(
        "columns must be None, 'auto', a kind for all columns, a mapping from names to kinds, or a sequence of "
        f"{len(names)} kinds; got {columns!r}"
    )


def look(
    survey: Survey, schema: Schema, cells: Sequence[Cells], sample_weight: ArrayLike | None, least_rows: int
) -> None:
    """Show a survey the rows that have a positive weight."""
    rows = len(cells[0].missing) if cells else 0
    if sample_weight is None or rows < least_rows:
        survey.look(schema.fields, cells)
        return
    weight = weights.checked(sample_weight, range(rows))
    used = weight > 0
    weights.refuse_too_few(used, least_rows)
    seen = [Cells(piece.values[used], piece.missing[used]) for piece in cells]
    survey.look(schema.fields, seen, weights.normalised(weight)[used])


def learned(survey: Survey, obstacle: str) -> Columns:
    """Return what a survey found.

    Raises
    ------
    ValueError
        If there is an obstacle, or nothing to learn from.
    """
    if obstacle:
        raise ValueError(f"this table has columns of several kinds or missing cells (NaN), and {obstacle}")
    found = survey.columns()
    if all(column.kind == "ignored" for column in found):
        raise ValueError("no column of the table can be learned from: all are ignored")
    return found


def in_order(
    schema: Schema, cells: Sequence[Cells], wanted: Sequence[object], where: str
) -> tuple[list[Field], list[Cells]]:
    """Return the columns of a table in the order of these names.

    Raises
    ------
    ValueError
        If one is missing or new; the columns are named, and `where` they were otherwise.
    """
    by_name = {field.name: (field, piece) for field, piece in zip(schema.fields, cells, strict=True)}
    gone = [name for name in wanted if name not in by_name]
    new = [name for name in by_name if name not in wanted]
    if gone or new:
        problems = [f"{', '.join(map(repr, gone))} is missing"] * bool(gone)
        problems += [f"{', '.join(map(repr, new))} is new"] * bool(new)
        raise ValueError(f"X has other columns than in {where}: {'; '.join(problems)}")
    ordered = [by_name[name] for name in wanted]
    return [field for field, _ in ordered], [piece for _, piece in ordered]
