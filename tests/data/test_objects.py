from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from isthmus.data.decimal_numbers import DecimalNumber
from isthmus.data.gaps import is_gap
from isthmus.data.objects import kind_of, read_objects


def read(values):
    objects = np.empty(len(values), dtype=object)
    objects[:] = values
    return read_objects("x", "object", objects, np.array([is_gap(value) for value in values]))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("a", "text"),
        (True, "boolean"),
        (np.int8(1), "number"),
        (1.5, "number"),
        (Decimal("1.5"), "decimal"),
        (date(2024, 1, 1), "date"),
        (datetime(2024, 1, 1), "moment"),
        (datetime(2024, 1, 1, tzinfo=UTC), "zoned"),
        (timedelta(1), "duration"),
        ([], "list"),
    ],
)
def test_kinds(value, kind):
    assert kind_of(value) == kind


@pytest.mark.parametrize(
    ("values", "sort", "numbers"),
    [
        ([1, "2", " 3 ", None], "integer", [1, 2, 3, None]),
        ([1, "2.5", "N/A", "-", 4.0], "float", [1, 2.5, None, None, 4]),
        ([Decimal("1.25"), None, Decimal("3.5"), Decimal("NaN")], "float", [1.25, None, 3.5, None]),
        ([Decimal("1.25"), 2], "float", [1.25, 2]),
        ([2**63, 0], "integer", [2**63, 0]),
        ([2**70, 0], "float", [2.0**70, 0]),
        ([timedelta(hours=1), None], "duration", [3_600_000_000, None]),
    ],
    ids=str,
)
def test_objects_are_numbers(values, sort, numbers):
    field, cells = read(values)
    assert field.sort == sort
    assert [None if gap else value for value, gap in zip(cells.values.tolist(), cells.missing, strict=True)] == numbers


def test_decimal_numbers_keep_their_places():
    assert read([Decimal("1.25"), Decimal("3.5")])[0].form == DecimalNumber(2)
    assert read([Decimal("1.25"), 3])[0].form is None


BERLIN, NEPAL = ZoneInfo("Europe/Berlin"), timezone(timedelta(hours=5, minutes=45))


@pytest.mark.parametrize(
    ("zones", "name"),
    [([BERLIN] * 2, "Europe/Berlin"), ([NEPAL] * 2, "+05:45"), ([BERLIN, NEPAL], "UTC"), ([UTC, UTC], "UTC")],
)
def test_times_with_a_zone_are_instants(zones, name):
    moments = [datetime(2024, 7, day, 12, tzinfo=zone) for day, zone in enumerate(zones, 1)]
    field, cells = read([*moments, None])
    assert (field.sort, field.zone, field.unit) == ("time", name, "us")
    assert cells.values[:2].tolist() == [round(moment.timestamp() * 1e6) for moment in moments]


class Nameless(tzinfo):
    def utcoffset(self, moment):
        return timedelta(hours=1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            [datetime(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC)],
            r"mixes times with and without a time zone; .*utc=True",
        ),
        ([datetime(2024, 1, 1, tzinfo=Nameless())], r"column 'x' has times in a zone without a name"),
        ([1, "one"], "mixes values of types int, str; make them all of one type, for example with pandas.to_numeric"),
        ([b"1"], "holds values of type bytes; decode it"),
        ([1j], "holds values of type complex; give its real"),
        ([Decimal(1), "a"], "mixes values of types Decimal, str"),
    ],
)
def test_what_cannot_be_read_is_named(values, message):
    with pytest.raises(ValueError, match=message):
        read(values)
