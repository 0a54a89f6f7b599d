"""A `TableSchema` as facts of a model file, and back; everything that comes back is checked."""

import math
import re
from collections.abc import Hashable, Mapping
from dataclasses import asdict
from typing import Any

from isthmus.core.choices import refuse_unknown
from isthmus.core.json_type import Json
from isthmus.core.registry import column_likelihoods
from isthmus.core.typed_json import typed, value_of
from isthmus.data.calendar import CYCLES
from isthmus.data.columns import KINDS, Column, Columns
from isthmus.data.fields import TICKS_PER_DAY, Field, Schema
from isthmus.data.forms import form_of, plain_form
from isthmus.data.schema import TableSchema
from isthmus.data.zones import zone_of
from isthmus.estimators.plain import Classes, plain, revived

SORTS = ("float", "integer", "boolean", "text", "category", "time", "duration", "nothing")
"""What the values of a column can be."""
BACKENDS = ("pandas", "polars", "pyarrow", "modin", "cudf", "array")
"""The kinds of tables."""
ZONE = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_+:/-]*")
"""What names of time zones look like: never like paths of other files."""


def plain_schema(schema: TableSchema) -> dict[str, Json]:
    """Return what is known of a table as JSON has it."""
    frame = schema.frame
    return {
        "n_features": schema.n_features,
        "names": None if schema.names is None else plain(schema.names),
        "frame": None
        if frame is None
        else {
            "backend": frame.backend,
            "fields": [plain_field(field) for field in frame.fields],
            "axis_names": plain(frame.axis_names),
        },
        "columns": None if schema.columns is None else [plain_fields(asdict(column)) for column in schema.columns],
        "row_shape": None if schema.row_shape is None else list(schema.row_shape),
    }


def revived_schema(facts: Any, classes: Classes, width: int | None = None) -> TableSchema:
    """Undo `plain_schema`.

    Parameters
    ----------
    facts
        As `plain_schema` returned them.
    classes
        Those of parts.
    width
        Columns that the table must have, if that is known.

    Raises
    ------
    LookupError, TypeError, ValueError
        If facts are missing, or cannot be.
    """
    n_features = value_of(int, facts["n_features"], "n_features")
    frame, columns, names = facts["frame"], facts["columns"], facts["names"]
    columns = None if columns is None else Columns(map(column_of, columns))
    width = len(columns) if columns is not None else width
    if n_features < 1 or (width is not None and n_features != width):
        raise ValueError(f"it has the scaling of {width} columns, and {n_features} columns")
    names = None if names is None else value_of(tuple[str, ...], revived(names, classes), "names")
    frame = None if frame is None else frame_of(frame)
    if (names is not None and len(names) != n_features) or (frame is not None and len(frame.fields) != n_features):
        raise ValueError(f"it has {n_features} columns, and other numbers of names or types of them")
    row_shape = None if facts["row_shape"] is None else value_of(tuple[int, ...], facts["row_shape"], "row_shape")
    if row_shape is not None and (len(row_shape) not in (2, 3) or math.prod(row_shape) != n_features):
        raise ValueError(f"rows of {n_features} columns do not have the shape {row_shape}")
    return TableSchema(n_features, names, frame, columns, row_shape)


def frame_of(facts: Any) -> Schema:
    """Return which kind of table it was, and its columns."""
    refuse_unknown("backend", facts["backend"], BACKENDS)
    axis_names = value_of(tuple[Hashable, ...], facts["axis_names"], "axis_names")
    return Schema(facts["backend"], tuple(map(field_of, facts["fields"])), axis_names)


def plain_field(field: Field) -> dict[str, Json]:
    """Return what is known of a column apart from its values as JSON has it."""
    return plain_fields(field._asdict() | {"form": plain_form(field.form)})


def field_of(values: Any) -> Field:
    """Undo `plain_field`."""
    found = typed(Field, dict(values) | {"form": None})._replace(form=form_of(values.get("form")))
    refuse_unknown("type of a column", found.sort, SORTS)
    if found.unit or found.sort in ("time", "duration"):
        refuse_unknown("unit of time", found.unit, TICKS_PER_DAY)
    if found.zone is not None:
        if not ZONE.fullmatch(found.zone):
            raise ValueError(f"{found.zone!r} is no time zone")
        zone_of(found.zone)
    return found


def column_of(values: Any) -> Column:
    """Return what is known of a column of a table of several kinds; undoes `plain_fields`."""
    column = typed(Column, values)
    refuse_unknown("kind of column", column.kind, KINDS)
    refuse_unknown("type of a column", column.sort, SORTS)
    if column.likelihood:
        refuse_unknown("likelihood of a column", column.likelihood, column_likelihoods())
    for cycle in column.cycles:
        refuse_unknown("cycle", cycle, CYCLES)
    reason = broken(column)
    if reason:
        raise ValueError(f"the column {str(column.name)[:60]!r} {reason}")
    return column


def broken(column: Column) -> str:
    """Return why there can be no such column; "" if there can."""
    if not column.likelihood and column.kind != "ignored":
        return "has no likelihood"
    if not (column.deviation > 0 and column.log_constant >= 0 and column.step >= 0 and column.ticks > 0):
        return "has a deviation, a scale, a step or ticks that cannot be"
    if not 0 <= column.missing <= 1 or column.smallest > column.largest:
        return "has a share of gaps or a range that cannot be"
    if column.kind == "category":
        if not column.shares or not column.places or not all(0 <= p < len(column.shares) for p in column.places):
            return "has categories without a cell"
        if len(column.places) != len(column.levels) + 1:
            return "has other numbers of categories and of their cells"
    needs_two = column.kind == "date-time" or bool(column.cycles)
    if needs_two and not column.wide:
        return "has times in one number"
    return ""


def plain_fields(values: Mapping[str, object]) -> dict[str, Json]:
    """Return fields by name as JSON has them."""
    return {name: plain(value) for name, value in values.items()}
