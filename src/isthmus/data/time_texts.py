"""Dates and times that are written as text: found out how a column writes them, read, and written the same way."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple

from isthmus.data.gaps import is_gap_text

EPOCH = datetime(1970, 1, 1)
DAY = r"\d{4}(?P<y>[-/.])\d{1,2}(?P=y)\d{1,2}|\d{1,2}(?P<d>[-/.])\d{1,2}(?P=d)(?:\d{4}|\d{2})"
LOOKED_AT = 2000
"""Texts that tell the pattern, by which all are read."""
NAMED = r"(?:\d{1,2}[- ])?[A-Za-z]{3,9}[- ]\d{4}|[A-Za-z]{3,9} \d{1,2},? \d{4}"
CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?: ?[AaPp][Mm])?"
TEXT = re.compile(
    rf"(?P<day>{DAY}|{NAMED})(?:(?P<between>[ T])(?P<clock>{CLOCK})(?P<zone> ?(?:Z|[-+]\d\d(?::?\d\d)?))?)?"
)
"""A date, perhaps with a time of day and an offset from UTC."""
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
MONTH = re.compile(r"(?:18|19|20|21)\d\d-(?:0[1-9]|1[0-2])")
"""A year and a month, "2024-03"."""
COMPACT = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
"""A date as a whole number, "20240301"."""
ZEROS = ("0000-00-00", "0000-00-00 00:00:00", "00/00/0000", "00.00.0000")
"""What databases write for no date."""
DIRECTIVE = re.compile(r"%[-^\d]?[a-zA-Z]")
BARE = re.compile(r"(?<!\d)\d(?!\d)")
"""A digit that stands alone."""
WIDTHS = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2}
"""Digits of the directives of dates that begin with the year."""


class TimeText(NamedTuple):
    """How a column writes dates and times.

    Examples
    --------
    >>> form = time_form({"28.2.2024": 1, "3.12.2024": 1}).form
    >>> form.pattern, form.ticks("1.3.2024"), form.text(19783)
    ('%-d.%-m.%Y', 19783, '1.3.2024')
    """

    pattern: str
    """As for `strptime`; "%-d" and the like have no zeros in front, "%^b" capitals, "%3f" three digits of a second."""
    unit: str
    """Of the ticks: "D", "s" or "us"."""
    offset: str = ""
    """The offset from UTC that is written, such as "Z" or "+01:00"; "" for times without a zone."""

    @property
    def call(self) -> str:
        """The pattern as `strptime` and pandas take it."""
        return re.sub(r"%[-^\d]", "%", self.pattern)

    def ticks(self, text: str) -> int | None:
        """Return the ticks since 1970 (in UTC) that a text stands for; None if it is not written in this way."""
        moment = moment_of(text.strip(), self.call)
        if moment is None:
            return None
        if (moment.tzinfo is None) is bool(self.offset):
            return None
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        since = moment - EPOCH
        return since.days if self.unit == "D" else since // timedelta(microseconds=1 if self.unit == "us" else 10**6)

    def text(self, ticks: int) -> str:
        """Return ticks as the column writes them."""
        moment = EPOCH + (timedelta(days=ticks) if self.unit == "D" else timedelta(0))
        if self.unit != "D":
            moment = (
                EPOCH + timedelta(microseconds=ticks * (1 if self.unit == "us" else 10**6)) + offset_of(self.offset)
            )
        return DIRECTIVE.sub(lambda directive: self.part(moment, directive[0]), self.pattern)

    def part(self, moment: datetime, directive: str) -> str:
        """Return what a directive of the pattern stands for."""
        if directive == "%z":
            return self.offset
        if directive[-1] in "bB":
            name = MONTHS[moment.month - 1][: 3 if directive[-1] == "b" else None]
            return name.upper() if "^" in directive else name
        if directive[-1] == "f":
            return f"{moment.microsecond:06d}"[: int(directive[1]) if directive[1].isdigit() else 6]
        if directive == "%Y":
            return f"{moment.year:04d}"
        found = moment.strftime(directive.replace("-", ""))
        return found.lstrip("0") or "0" if "-" in directive else found


class TimeFinding(NamedTuple):
    """What is found out about the texts of a column."""

    form: TimeText | None
    """How all of them are written as dates; None if they are not."""
    readable: int = 0
    """How many of the values read as dates."""
    problem: str = ""
    """Why there is no form: "some" values read as dates, or they are "ambiguous"."""
    example: str = ""
    """A text that shows the problem."""
    calls: tuple[str, ...] = ()
    """The patterns for `strptime` that some or all values have."""


def offset_of(text: str) -> timedelta:
    """Return an offset from UTC.

    >>> offset_of("-03:30")
    datetime.timedelta(days=-1, seconds=73800)
    """
    digits = text.strip().replace(":", "")
    if digits in ("", "Z"):
        return timedelta(0)
    size = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5] or 0))
    return -size if digits[0] == "-" else size


def zone_name(form: TimeText) -> str | None:
    """Return the zone of times that are written in this way: "UTC", an offset such as "+01:00", or None."""
    if not form.offset:
        return None
    size = timezone(offset_of(form.offset))
    return "UTC" if size == UTC else str(size).removeprefix("UTC")


def time_form(counts: Mapping[str, int]) -> TimeFinding:
    """Find out how a column writes dates, from how often each text occurs.

    Texts that stand for missing values are passed over. All others must be dates in one way, which must be the only one
    possible: years of two digits, and 03/04/2024 without a day above 12, are not.

    Examples
    --------
    >>> time_form({"03/04/2024": 1, "05/06/2024": 1}).calls
    ('%d/%m/%Y', '%m/%d/%Y')
    >>> time_form({"03/04/2024": 1, "05/16/2024": 1}).form.pattern
    '%m/%d/%Y'
    """
    texts = [text for text in counts if not is_gap_text(text) and text.strip() not in ZEROS]
    if not texts:
        return TimeFinding(None)
    if all(COMPACT.fullmatch(text.strip()) for text in texts):
        return TimeFinding(None, sum(map(counts.__getitem__, texts)), "ambiguous", texts[0], ("%Y%m%d",))
    some = texts[:: 1 + len(texts) // LOOKED_AT]
    shapes = Counter(shape for text in some if (shape := shape_of(text)) is not None)
    if not shapes:
        return TimeFinding(None)
    forms = forms_of(shapes.most_common(1)[0][0], some)
    readings = [(form, [form.ticks(text) is not None for text in texts]) for form in forms]
    readable = max(sum(counts[text] for text, ok in zip(texts, oks, strict=True) if ok) for _, oks in readings)
    fitting = [form for form, oks in readings if all(oks)]
    two_digits = any("%y" in form.pattern for form in forms)
    if len(fitting) == 1 and not two_digits:
        return TimeFinding(fitting[0], readable)
    if fitting:
        return TimeFinding(None, readable, "ambiguous", texts[0], tuple(form.call for form in fitting))
    best, oks = max(readings, key=lambda reading: sum(reading[1]))
    return TimeFinding(None, readable, "some", texts[oks.index(False)], (best.call,))


def shape_of(text: str) -> tuple[str, ...] | None:
    """Return the patterns that a text may have, without what it says about zeros in front; None if it is no date."""
    text = text.strip()
    if MONTH.fullmatch(text):
        return ("%Y-%m",)
    match = TEXT.fullmatch(text)
    if match is None:
        return None
    days = day_patterns(match["day"])
    clock = "" if match["clock"] is None else match["between"] + clock_pattern(match["clock"])
    zone = "" if match["zone"] is None else " " * match["zone"].startswith(" ") + "%z"
    return tuple(day + clock + zone for day in days) or None


def day_patterns(day: str) -> tuple[str, ...]:
    """Return the patterns that a day may have: two if it is not known whether the day or the month comes first."""
    letters = re.search("[A-Za-z]+", day)
    if letters is not None:
        name = letters[0].title()
        if name not in MONTHS and name not in [month[:3] for month in MONTHS]:
            return ()
        capitals = "^" * letters[0].isupper()
        month = f"%{capitals}b" if len(name) == 3 else f"%{capitals}B"
        pattern = day.replace(letters[0], month)
        return (re.sub(r"\d{1,2}(?!\d)", "%d", re.sub(r"\d{4}", "%Y", pattern)),)
    mark = next(sign for sign in day if not sign.isdigit())
    first, _, last = day.split(mark)
    if len(first) == 4:
        return (mark.join(("%Y", "%m", "%d")),)
    year = "%Y" if len(last) == 4 else "%y"
    day_first = mark.join(("%d", "%m", year))
    return (day_first,) if mark == "." else (day_first, mark.join(("%m", "%d", year)))


def clock_pattern(clock: str) -> str:
    """Return the pattern of a time of day."""
    half = re.search(r" ?[AaPp][Mm]$", clock)
    pattern = ("%H", "%I")[half is not None] + ":%M" + (":%S" if clock.count(":") == 2 else "")
    pattern += ".%f" if "." in clock else ""
    return pattern if half is None else pattern + " " * half[0].startswith(" ") + "%p"


def forms_of(patterns: tuple[str, ...], texts: Iterable[str]) -> list[TimeText]:
    """Return the forms of these patterns, with what the texts say about units, offsets and zeros in front."""
    texts = list(texts)
    pattern = patterns[0]
    unit = "us" if "%f" in pattern else "s" if "%M" in pattern else "D"
    offset = ""
    if "%z" in pattern:
        zones = (re.search(r"(?:Z|[-+]\d\d(?::?\d\d)?)$", text.strip()) for text in texts)
        offset = next((zone[0] for zone in zones if zone is not None), "")
    found = [match for text in texts if (match := TEXT.fullmatch(text.strip())) is not None]
    if any(BARE.search(match["day"]) for match in found):
        patterns = tuple(re.sub("%([dm])", r"%-\1", one) for one in patterns)
    if any(match["clock"] and match["clock"][1] == ":" for match in found):
        patterns = tuple(re.sub("%([HI])", r"%-\1", one) for one in patterns)
    digits = {len((match["clock"] or "").partition(".")[2].rstrip(" AaPpMm")) for match in found}
    if len(digits) == 1 and unit == "us":
        patterns = tuple(one.replace("%f", f"%{min(digits)}f") for one in patterns)
    return [TimeText(one, unit, offset) for one in patterns]


def moment_of(text: str, call: str) -> datetime | None:
    """Return the date and time that a text stands for by a pattern for `strptime`; None if it has another one."""
    try:
        if call.startswith("%Y-%m-%d"):  # many times faster than strptime
            return datetime.fromisoformat(text.replace(" +", "+")) if iso_texts(call).fullmatch(text) else None
        return datetime.strptime(text, call)
    except ValueError:
        return None


@lru_cache
def iso_texts(call: str) -> re.Pattern[str]:
    """Return the expression that texts with this pattern match, which begins with the year."""
    parts = re.split("(%[a-zA-Z])", call)
    other = {"%z": r"(?:Z|[-+]\d\d(?::?\d\d)?)", "%f": r"\d{1,6}"}
    known = {name: rf"\d{{{width}}}" for name, width in WIDTHS.items()} | other
    return re.compile("".join(known.get(part, re.escape(part)) for part in parts))
