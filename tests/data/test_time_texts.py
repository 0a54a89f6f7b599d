"""How dates are written as text is found out, and they come back as they were written."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.data.time_texts import TimeText, time_form, zone_name

repeatable = settings(deadline=None, max_examples=60, derandomize=True, database=None)


def found(*texts):
    return time_form(dict.fromkeys(texts, 1))


@pytest.mark.parametrize(
    ("texts", "pattern"),
    [
        (["2024-03-01", "2024-02-29"], "%Y-%m-%d"),
        (["2024/03/01", "2024/12/31"], "%Y/%m/%d"),
        (["2024-03", "2023-12"], "%Y-%m"),
        (["28.2.2024", "3.12.2024"], "%-d.%-m.%Y"),
        (["03.04.2024", "05.06.2024"], "%d.%m.%Y"),
        (["03/04/2024", "13/04/2024"], "%d/%m/%Y"),
        (["03/04/2024", "04/13/2024"], "%m/%d/%Y"),
        (["3/4/2024", "12/25/2024"], "%-m/%-d/%Y"),
        (["01-Mar-2024", "31-Dec-2023"], "%d-%b-%Y"),
        (["01-MAR-2024", "31-DEC-2023"], "%d-%^b-%Y"),
        (["Mar-2024", "Dec-2023"], "%b-%Y"),
        (["March 1, 2024", "May 12, 2024"], "%B %-d, %Y"),
        (["1 May 2024", "22 May 2024"], "%-d %b %Y"),
        (["2024-03-01 12:30", "2024-02-29 00:00"], "%Y-%m-%d %H:%M"),
        (["2024-03-01T12:30:15", "2024-02-29T23:59:59"], "%Y-%m-%dT%H:%M:%S"),
        (["2024-03-01 12:30:15.250000", "2024-03-01 12:30:15.000001"], "%Y-%m-%d %H:%M:%S.%6f"),
        (["2024-03-01T12:30:15.250Z", "2024-03-01T12:30:15.001Z"], "%Y-%m-%dT%H:%M:%S.%3f%z"),
        (["2024-03-01 12:30:15+00", "2024-02-29 23:59:59+00"], "%Y-%m-%d %H:%M:%S%z"),
        (["2024-03-01T12:30:15Z", "2024-02-29T23:59:59Z"], "%Y-%m-%dT%H:%M:%S%z"),
        (["2024-03-01 12:30:15+02:00", "2024-02-29 23:59:59+02:00"], "%Y-%m-%d %H:%M:%S%z"),
        (["3/14/2024 9:05 PM", "12/3/2024 10:15 AM"], "%-m/%-d/%Y %-I:%M %p"),
        (["14.3.2024 09:05", "2.12.2024 10:15"], "%-d.%-m.%Y %H:%M"),
    ],
    ids=str,
)
def test_dates_are_read_and_written_as_they_were(texts, pattern):
    form = found(*texts, "", "NULL", "0000-00-00").form
    assert form.pattern == pattern
    assert [form.text(form.ticks(f" {text} ")) for text in texts] == texts


@pytest.mark.parametrize(
    ("texts", "problem", "calls"),
    [
        (["03/04/2024", "05/06/2024"], "ambiguous", ("%d/%m/%Y", "%m/%d/%Y")),
        (["03-04-2024"], "ambiguous", ("%d-%m-%Y", "%m-%d-%Y")),
        (["3/4/24", "13/4/24"], "ambiguous", ("%d/%m/%y",)),
        (["20240301", "20240229"], "ambiguous", ("%Y%m%d",)),
        (["2024-03-01", "2024-03-02", "soon"], "some", ("%Y-%m-%d",)),
        (["2024-03-01", "2024-03-02", "2024-03-02 12:00"], "some", ("%Y-%m-%d",)),
        (["13/14/2024", "12/12/2024"], "some", ("%d/%m/%Y",)),
        (["1 Mai 2024"], "", ()),
        (["12.5", "3.25"], "", ()),
        (["12:30", "13:45"], "", ()),
        ([], "", ()),
    ],
    ids=str,
)
def test_what_is_no_date_in_one_way(texts, problem, calls):
    finding = found(*texts)
    assert (finding.form, finding.problem, finding.calls) == (None, problem, calls)


def test_instants_count_whatever_their_offset():
    form = found("2024-03-31T01:00:00+01:00", "2024-03-31T03:30:00+02:00").form
    assert form.ticks("2024-03-31T03:30:00+02:00") - form.ticks("2024-03-31T01:00:00+01:00") == 5400
    assert form.ticks("2024-03-31T01:00:00") is None
    assert zone_name(form) == "+01:00"
    assert zone_name(found("2024-03-31T01:00:00Z").form) == "UTC"
    assert zone_name(found("2024-03-31T01:00:00").form) is None
    assert found("2024-03-31T01:00:00").form.ticks("2024-03-31T01:00:00Z") is None


@repeatable
@given(
    st.lists(st.datetimes(datetime(1000, 1, 1), datetime(9999, 1, 1)), min_size=1, max_size=6),
    st.sampled_from(
        ["%Y-%m-%d %H:%M:%S", "%d.%m.%Y", "%B %-d, %Y %H:%M", "%Y/%m/%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S%z"]
    ),
)
def test_what_is_read_is_what_was_written(moments, pattern):
    unit = "us" if "%f" in pattern else "s" if "%M" in pattern else "D"
    form = TimeText(pattern, unit, "Z" if "%z" in pattern else "")
    size = {"us": 1, "s": 10**6, "D": 86_400 * 10**6}[unit]
    micros = [int((m.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 10**6 for m in moments]
    if "%S" not in pattern and unit == "s":
        micros = [one // 60_000_000 * 60_000_000 for one in micros]
    ticks = [one // size for one in micros]
    texts = [form.text(tick) for tick in ticks]
    assert [form.ticks(text) for text in texts] == ticks
    finding = found(*texts)
    if finding.form is not None:
        assert [finding.form.ticks(text) for text in texts] == ticks
