"""Columns of Python objects: numbers, booleans, text, decimal numbers, dates, times and durations."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np

from isthmus.data.decimal_numbers import DecimalNumber, places_of
from isthmus.data.fields import Cells, Field, Name
from isthmus.data.gaps import is_gap_text
from isthmus.data.zones import zone_name


def with_none(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Put None in place of missing objects, in the same memory."""
    values[missing] = None
    return values


def kind_of(value: object) -> str:
    """Return what a Python object is: "text", "boolean", "number", "decimal", "date", "moment", "zoned" or "duration".

    A "moment" is a date and time of day without a time zone, a "zoned" one has one. Other objects are of the kind that
    their type is called.
    """
    if isinstance(value, datetime):
        return "moment" if value.tzinfo is None else "zoned"
    if isinstance(value, date):
        return "date"
    if isinstance(value, timedelta):
        return "duration"
    if isinstance(value, bool | np.bool_):
        return "boolean"
    if isinstance(value, int | float | np.integer | np.floating):
        return "number"
    if isinstance(value, Decimal):
        return "decimal"
    return "text" if isinstance(value, str) else type(value).__name__


def read_objects(name: Name, own: str, values: np.ndarray, missing: np.ndarray) -> tuple[Field, Cells]:
    """Take a column of Python objects (n,) apart.

    They are all text, all booleans, all numbers, all times or all durations. Texts among numbers are numbers, or stand
    for missing ones.

    Raises
    ------
    ValueError
        If the values are of several types, or of one that cannot be read; the column is named.
    """
    kinds = {kind_of(value) for value in values[~missing]}
    if kinds == {"boolean"}:
        return Field(name, "boolean", own), Cells(np.where(missing, False, values).astype(bool), missing)
    if kinds == {"text", "number"}:
        values, missing = with_numbers_for_texts(values, missing)
        kinds = {kind_of(value) for value in values[~missing]}
    if kinds == {"number"}:
        return read_number_objects(name, own, values, missing)
    if kinds in ({"decimal"}, {"decimal", "number"}):
        numbers = np.where(missing, np.nan, values).astype(np.float64)
        form = DecimalNumber(places_of(list(values[~missing]))) if kinds == {"decimal"} else None
        return Field(name, "float", own, form=form), Cells(numbers, np.isnan(numbers))
    if kinds == {"text"}:
        return Field(name, "text", own), Cells(with_none(values, missing), missing)
    if kinds in ({"date"}, {"moment"}, {"zoned"}, {"duration"}):
        return read_time_objects(name, own, values, missing, kinds.pop())
    raise ValueError(sentence(name, values[~missing], kinds))


def read_number_objects(name: Name, own: str, values: np.ndarray, missing: np.ndarray) -> tuple[Field, Cells]:
    """Take a column of numbers that are Python objects (n,) apart."""
    if all(isinstance(value, int | np.integer) for value in values[~missing]):
        whole = np.where(missing, 0, values)
        wide = np.int64 if whole.max() < 2**63 else np.uint64
        if whole.min() >= -(2**63) and whole.max() < 2**64 and (wide is np.int64 or whole.min() >= 0):
            return Field(name, "integer", own), Cells(whole.astype(wide), missing)
    numbers = np.where(missing, np.nan, values).astype(np.float64)
    return Field(name, "float", own), Cells(numbers, np.isnan(numbers))


def with_numbers_for_texts(values: np.ndarray, missing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return objects with numbers in place of texts that are numbers, and with gaps where texts stand for gaps."""
    values, missing = values.copy(), missing.copy()
    for place in np.flatnonzero(~missing):
        value = values[place]
        if not isinstance(value, str):
            continue
        if is_gap_text(value):
            missing[place] = True
        else:
            values[place] = number_or_text(value)
    return values, missing


def number_or_text(text: str) -> int | float | str:
    """Return the number that Python reads a text as, or the text if it is none."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def read_time_objects(name: Name, own: str, values: np.ndarray, missing: np.ndarray, kind: str) -> tuple[Field, Cells]:
    """Take a column of Python's dates, times or durations (n,) apart."""
    if kind == "duration":
        spans = np.where(missing, np.timedelta64(0, "us"), values).astype("m8[us]").astype(np.int64)
        return Field(name, "duration", own, unit="us"), Cells(spans, missing)
    unit, zone = "D" if kind == "date" else "us", None
    if kind == "zoned":
        zone = common_zone(name, values[~missing])
        values = values.copy()
        values[~missing] = [value.astimezone(UTC).replace(tzinfo=None) for value in values[~missing]]
    ticks = np.where(missing, np.datetime64("1970-01-01"), values).astype(f"M8[{unit}]").astype(np.int64)
    return Field(name, "time", own, unit=unit, zone=zone), Cells(ticks, missing)


def common_zone(name: Name, values: Iterable[datetime]) -> str:
    """Return the name of the time zone of times; "UTC" if they have several.

    Raises
    ------
    ValueError
        If a zone has no name; the column is named.
    """
    zones = list({id(value.tzinfo): value.tzinfo for value in values if value.tzinfo is not None}.values())
    names = [zone_name(zone) for zone in zones]
    for zone, found in zip(zones, names, strict=True):
        if found is None:
            raise ValueError(
                f"column {name!r} has times in a zone without a name ({zone!r}); convert them, for example with "
                "value.astimezone(datetime.timezone.utc)"
            )
    known = {found for found in names if found is not None}
    return known.pop() if len(known) == 1 else "UTC"


CALLS = {
    "bytes": "decode it with X[{name!r}].str.decode('utf-8')",
    "Interval": "make it an ordered category with pandas.cut(...), or text with X[{name!r}].astype(str)",
    "Period": "make it times with pandas.PeriodIndex(X[{name!r}]).to_timestamp()",
    "time": "make it numbers, for example the seconds since midnight",
    "complex": "give its real and its imaginary part as two columns",
}
"""What to do with columns of types that cannot be read."""


def sentence(name: Name, values: np.ndarray, kinds: set[str]) -> str:
    """Return why a column of these values cannot be read."""
    types = sorted({type(value).__name__ for value in values})
    if kinds == {"moment", "zoned"}:
        return (
            f"column {name!r} mixes times with and without a time zone; give all of them one, for example with "
            f"pandas.to_datetime(X[{name!r}], utc=True)"
        )
    if len(types) == 1:
        call = CALLS.get(types[0], "make them numbers, text or times, or drop it").format(name=name)
        return f"column {name!r} holds values of type {types[0]}; {call}"
    call = f", for example with pandas.to_numeric(X[{name!r}], errors='coerce')" if kinds == {"number", "text"} else ""
    return f"column {name!r} mixes values of types {', '.join(types)}; make them all of one type{call}"
