"""Time zones by name: of Python, pytz and dateutil, so that a model file can hold them and times come back in them.

Plain names are those of the time zone database and offsets such as "+05:30". Zones of pytz and dateutil, which are
other types to pandas, have the name of the package in front: "dateutil/Europe/Berlin".
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from importlib import import_module
from zoneinfo import ZoneInfo

OFFSET = re.compile(r"(?:UTC)?([-+]\d\d:\d\d(?::\d\d)?)")
"""A fixed offset from UTC."""


def zone_name(zone: tzinfo) -> str | None:
    """Return the name of a time zone, from which `zone_of` makes it again; None if it has none.

    Examples
    --------
    >>> zone_name(ZoneInfo("America/New_York")), zone_name(timezone(timedelta(hours=5.5)))
    ('America/New_York', '+05:30')
    """
    if isinstance(zone, ZoneInfo):
        return zone.key
    if isinstance(zone, timezone):
        return "UTC" if zone == UTC else offset_name(zone)
    package = type(zone).__module__.split(".")[0]
    own = {"pytz": name_of_pytz, "dateutil": name_of_dateutil}.get(package)
    return None if own is None else own(zone)


def offset_name(zone: tzinfo) -> str:
    """Return the fixed offset of a zone, such as "+05:30"."""
    size = zone.utcoffset(datetime(2000, 1, 1))
    assert size is not None, "a fixed offset is the same at all times"
    return str(timezone(size)).removeprefix("UTC") or "+00:00"


def name_of_pytz(zone: tzinfo) -> str:
    """Return the name of a zone of pytz."""
    return f"pytz/{getattr(zone, 'zone', None) or offset_name(zone)}"


def name_of_dateutil(zone: tzinfo) -> str | None:
    """Return the name of a zone of dateutil."""
    kind = type(zone).__name__
    if kind in ("tzutc", "tzlocal"):
        return f"dateutil/{kind}"
    if kind == "tzoffset":
        return f"dateutil/{offset_name(zone)}"
    path = getattr(zone, "_filename", None)  # which pandas reads, too: the class has no other name
    found = None if path is None else re.search(r"(?:zoneinfo/)?((?:[A-Z][\w+-]*/)*[\w+-]+)$", str(path))
    return None if found is None else f"dateutil/{found[1]}"


def zone_of(name: str) -> tzinfo:
    """Return the time zone of this name.

    Raises
    ------
    ImportError
        If it is one of pytz or dateutil, which is not installed.
    ValueError
        If there is no zone of this name.

    Examples
    --------
    >>> zone_of("UTC"), zone_of("-03:30")
    (datetime.timezone.utc, datetime.timezone(datetime.timedelta(days=-1, seconds=73800)))
    """
    package, _, own = name.partition("/")
    if package == "pytz":
        pytz = import_module("pytz")
        found: tzinfo = (
            pytz.FixedOffset(offset_of(own) // timedelta(minutes=1)) if OFFSET.fullmatch(own) else pytz.timezone(own)
        )
        return found
    if package == "dateutil":
        return zone_of_dateutil(own)
    if OFFSET.fullmatch(name):
        return timezone(offset_of(name))
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (KeyError, ValueError) as error:
        raise ValueError(f"there is no time zone {name!r}: update the package tzdata") from error


def zone_of_dateutil(name: str) -> tzinfo:
    """Return the time zone of dateutil of this name."""
    tz = import_module("dateutil.tz")
    if name in ("tzutc", "tzlocal"):
        return getattr(tz, name)()
    if OFFSET.fullmatch(name):
        return tz.tzoffset(None, offset_of(name))
    found: tzinfo | None = tz.gettz(name)
    if found is None:
        raise ValueError(f"dateutil knows no time zone {name!r}: update the package tzdata")
    return found


def offset_of(name: str) -> timedelta:
    """Return a fixed offset by its name, such as "+05:30" or "UTC+05:30"."""
    match = OFFSET.fullmatch(name)
    assert match is not None, "asked for names of offsets alone"
    hours, minutes, *seconds = (int(part) for part in match[1][1:].split(":"))
    size = timedelta(hours=hours, minutes=minutes, seconds=sum(seconds))
    return -size if match[1][0] == "-" else size
