import sys
import zoneinfo
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from types import SimpleNamespace

import pytest

from isthmus.data.zones import zone_name, zone_of

dateutil_tz = pytest.importorskip("dateutil.tz")
MOMENT = datetime(2024, 7, 1, 12, tzinfo=UTC)


def test_zones_of_the_database_come_back():
    for name in zoneinfo.available_timezones():
        zone = zoneinfo.ZoneInfo(name)
        assert zone_name(zone) == name
        assert MOMENT.astimezone(zone_of(name)).utcoffset() == MOMENT.astimezone(zone).utcoffset()


@pytest.mark.parametrize("minutes", [-720, -210, -1, 0, 330, 345, 840])
def test_fixed_offsets_come_back(minutes):
    zone = timezone(timedelta(minutes=minutes))
    assert zone_of(zone_name(zone)) == zone
    assert zone_of(str(zone)) == zone
    assert zone_of(zone_name(timezone(timedelta(minutes=minutes), "office"))) == zone


@pytest.mark.parametrize(
    "zone",
    [
        dateutil_tz.tzutc(),
        dateutil_tz.tzlocal(),
        dateutil_tz.tzoffset("office", 3600),
        dateutil_tz.tzoffset(None, -12600),
        dateutil_tz.gettz("Europe/Berlin"),
        dateutil_tz.gettz("America/Argentina/Buenos_Aires"),
        dateutil_tz.gettz("Etc/GMT+5"),
    ],
    ids=repr,
)
def test_zones_of_dateutil_come_back(zone):
    found = zone_of(zone_name(zone))
    assert type(found) is type(zone)
    assert MOMENT.astimezone(found).utcoffset() == MOMENT.astimezone(zone).utcoffset()


class Nameless(tzinfo):
    def utcoffset(self, moment):
        return timedelta(hours=1)


class OfPytz(Nameless):
    zone = "Europe/Berlin"


class OffsetOfPytz(Nameless):
    zone = None


def test_zones_of_pytz_have_its_name(monkeypatch):
    for kind, name in ((OfPytz, "pytz/Europe/Berlin"), (OffsetOfPytz, "pytz/+01:00")):
        monkeypatch.setattr(kind, "__module__", "pytz.tzfile")
        assert zone_name(kind()) == name
    package = SimpleNamespace(timezone="zone {}".format, FixedOffset="{} minutes".format)
    monkeypatch.setitem(sys.modules, "pytz", package)
    assert zone_of("pytz/Europe/Berlin") == "zone Europe/Berlin"
    assert zone_of("pytz/-01:30") == "-90 minutes"


def test_zones_without_a_name():
    assert zone_name(Nameless()) is None


@pytest.mark.parametrize("name", ["Nowhere/At_All", "dateutil/Nowhere/At_All"])
def test_unknown_zones_are_named(name):
    with pytest.raises(ValueError, match=r"no time zone '.*At_All': update the package tzdata"):
        zone_of(name)
