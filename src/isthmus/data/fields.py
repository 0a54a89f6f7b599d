"""A table taken apart: fields, cells and schema, independent of the library that the table came from."""

from collections.abc import Hashable
from typing import NamedTuple, TypeAlias

import numpy as np

from isthmus.data.decimal_numbers import DecimalNumber
from isthmus.data.number_texts import NumberText
from isthmus.data.time_texts import TimeText

TICKS_PER_DAY = {"D": 1, "s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
"""Units of time, and how many of each make a day."""

Name: TypeAlias = Hashable
"""The name of a column: text as a rule, but pandas allows anything hashable, and an array's columns have numbers."""
Level: TypeAlias = str | int | float | bool
"""A category. Only these types can be written to a model file."""
Form: TypeAlias = NumberText | TimeText | DecimalNumber
"""How a column writes the numbers or times that its cells are."""


class Field(NamedTuple):
    """What is known about a column apart from its values."""

    name: Name
    sort: str
    """"float", "integer", "boolean", "text", "category", "time", "duration", or "nothing" if all values are missing."""
    dtype: str
    """The type as the column's own library calls it."""
    unit: str = ""
    """For times and durations: "D", "s", "ms", "us" or "ns"."""
    zone: str | None = None
    """For times: the name of the time zone, as `isthmus.data.zones` has it."""
    levels: tuple[Level, ...] = ()
    """Declared categories, in their order."""
    ordered: bool = False
    """Whether the order of the categories has a meaning."""
    form: Form | None = None
    """How the column writes its numbers or times, if they are text or decimal numbers."""

    @property
    def ticks(self) -> int:
        """How many ticks of its unit make a day; 1 for columns that hold no times or durations."""
        return TICKS_PER_DAY[self.unit] if self.unit else 1

    def to_floats(self, values: np.ndarray) -> np.ndarray:
        """Return values of the column as floats; times and durations in days."""
        return values.astype(np.float64) / self.ticks


class Schema(NamedTuple):
    """Which kind of table it was, and its columns."""

    backend: str
    """"pandas", "polars", "pyarrow", or "array"."""
    fields: tuple[Field, ...]
    axis_names: tuple[str | None, ...] = ()
    """What pandas calls the axis of the columns, or each of its levels; () if it has no name."""


class Cells(NamedTuple):
    """The values of a column, (n,), and which of them are missing, (n,) of bool.

    Values are floats, whole numbers, booleans, text (as objects), or ticks of the field's unit (for times: since 1970
    in UTC).
    """

    values: np.ndarray
    missing: np.ndarray


def refuse_other_zone(field: Field, other: Field, here: str, there: str, backend: str) -> None:
    """Raise a `ValueError` if one of two columns of times has a time zone and the other has none.

    Parameters
    ----------
    field, other
        The column as it is known, and as it comes.
    here, there
        What to call the two, for the message.
    backend
        The library of the frame, for the call in the message.
    """
    if {field.sort, other.sort} != {"time"} or (field.zone is None) is (other.zone is None):
        return
    has = f"times in the zone {field.zone} {here}, and {there} times without a zone"
    call = f"dt.tz_localize({field.zone!r})"
    if field.zone is None:
        has = f"times without a zone {here}, and {there} times in the zone {other.zone}"
        call = "dt.tz_localize(None)"
    if backend == "polars":
        call = call.replace("tz_localize", "replace_time_zone")
    raise ValueError(
        f"column {field.name!r} holds {has}; X[{field.name!r}].{call} takes what the clock shows for times of that kind"
    )


def merged(field: Field, other: Field) -> Field:
    """Return the field of a column whose rows came in two pieces, with these fields.

    Raises
    ------
    ValueError
        If the types of the pieces are incompatible; the message names the column.

    Examples
    --------
    >>> merged(Field("x", "integer", "int64"), Field("x", "float", "float64")).sort
    'float'
    """
    sorts = {field.sort, other.sort}
    refuse_other_zone(field, other, "in one place", "in another", "pandas")
    if field.sort == other.sort:
        if field.sort == "time" and field.unit != other.unit:
            raise ValueError(f"column {field.name!r} has times in {field.unit} and in {other.unit}; take one unit")
        levels = tuple(dict.fromkeys([*field.levels, *other.levels]))
        return field._replace(levels=levels)
    if "nothing" in sorts:
        return field if other.sort == "nothing" else other
    if sorts == {"integer", "float"}:
        return field if field.sort == "float" else other
    if sorts == {"text", "category"}:
        return field
    raise ValueError(
        f"column {field.name!r} holds {field.sort} values in one place and {other.sort} values in another; convert it "
        "to one type"
    )
