"""How numbers are written as text is found out, and numbers come back as they were written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.data.number_texts import NumberText, fits, number_form, parts

repeatable = settings(deadline=None, max_examples=60, derandomize=True, database=None)


def found(*texts):
    return number_form(dict.fromkeys(texts, 1))


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1.5", "2.0", "10.25"], [1.5, 2.0, 10.25]),
        (["1", "-22", "333"], [1, -22, 333]),
        (["1,234,567", "12"], [1234567, 12]),
        (["1,234.50", "12.00"], [1234.5, 12.0]),
        (["1.234,50", "12,00"], [1234.5, 12.0]),
        (["20,1", "19,85"], [20.1, 19.85]),
        (["1 234,5", "12,0"], [1234.5, 12.0]),
        (["1\u00a0234", "22"], [1234, 22]),
        (["1'234.50"], [1234.5]),
        (["1,230", "873"], [1230, 873]),
        (["0,234", "1,500"], [0.234, 1.5]),
        (["1.234", "2.345"], [1.234, 2.345]),
        (["$1,234,567", "$5", "-$99"], [1234567, 5, -99]),
        (["$-5.50", "$3.25"], [-5.5, 3.25]),
        (["12,5 %", "3,1 %"], [12.5, 3.1]),
        (["7%", "(3%)"], [7, -3]),
        (["1.234,00 €", "5,50 €"], [1234.0, 5.5]),
        (["USD 12", "USD 1,300.5"], [12, 1300.5]),
        (["kr 100", "kr 2 000"], [100, 2000]),
        (["(1,500.25)", "3.00"], [-1500.25, 3.0]),
        (["5-", "7"], [-5, 7]),
        (["−5", "3"], [-5, 3]),
        (["+1", "-2"], [1, -2]),
        (["1e-05", "2.5"], [1e-05, 2.5]),
        (["0.1000000149011612", "3.0"], [0.1000000149011612, 3.0]),
    ],
    ids=str,
)
def test_numbers_are_read_and_written_as_they_were(texts, values):
    form = found(*texts, "N/A", "").form
    assert [form.value(text) for text in texts] == values
    assert [form.value(f" {text} ") for text in texts] == values
    written = [form.text(value) for value in values]
    assert [form.value(text) for text in written] == values
    if "3.0" not in texts:
        assert written == texts


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        (["1,234", "5,678"], "ambiguous"),
        (["1.234 €", "2.500 €"], "ambiguous"),
        (["00123", "12345"], "codes"),
        (["4539 1488 0343 6467".replace(" ", "") + "000"], "codes"),
        (["1,5", "2.5"], "mixed"),
        (["1,234", "5678"], "ambiguous"),
        (["1,234.5", "5678.25"], "mixed"),
        (["$5", "€6"], "mixed"),
        (["5%", "6"], "mixed"),
        (["5", "six"], "some"),
        (["12 kg"], "some"),
        (["1.2.3"], "some"),
        (["192.168.1.1"], "some"),
        (["0,123,456"], "some"),
        (["12-3"], "some"),
        (["-", "N/A"], ""),
    ],
    ids=str,
)
def test_what_is_no_number_in_one_way(texts, problem):
    finding = found(*texts)
    assert finding.form is None
    assert finding.problem == problem


def test_shares_count_every_row():
    finding = number_form({"5": 97, "six": 2, "seven": 1, "N/A": 50})
    assert (finding.readable, finding.problem, finding.example) == (97, "some", "six")


def test_nothing_is_misread_in_use():
    thousands, comma, plain = found("1,234,567").form, found("20,1").form, found("20.1").form
    for form, text, value in [
        (thousands, "9,999,999,999", 9_999_999_999),
        (thousands, "1234", 1234),
        (thousands, "(12)", -12),
        (thousands, "3,01", None),
        (comma, "1.5", None),
        (comma, "1.234", None),
        (plain, "1,234", None),
        (plain, "1e400", float("inf")),
        (plain, "20.1%", None),
        (plain, "$20", None),
        (plain, "", None),
        (plain, "twenty", None),
    ]:
        assert form.value(text) == value, (form, text)


@repeatable
@given(
    st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=8),
    st.integers(0, 3),
    st.sampled_from([(".", ""), (",", ""), (".", ","), (",", "."), (",", " "), (".", "'"), (",", "\u202f")]),
    st.sampled_from(["#", "$#", "# %", "€ #", "# CHF"]),
    st.sampled_from(["-#", "(#)", "−#"]),
)
def test_what_is_read_is_what_was_written(ticks, places, marks, pattern, minus):
    decimal, thousands = marks
    form = NumberText(pattern, minus.replace("#", pattern), decimal, thousands, places, places)
    values = [tick / 10**places if places else tick for tick in ticks]
    texts = [form.text(value) for value in values]
    assert [form.value(text) for text in texts] == values
    finding = found(*texts)
    if finding.form is not None:  # otherwise it is ambiguous
        assert [finding.form.value(text) for text in texts] == values
        assert [finding.form.text(value) for value in values] == texts
    else:
        assert finding.problem == "ambiguous"


def test_digits_and_marks():
    assert fits("1234.5", ".", "")
    assert fits(".5", ".", "")
    assert not fits(".", ".", "")
    assert not fits("1234,567.0", ".", ",")
    assert parts("12 34") is not None
    assert parts("-(5)") is None
    assert parts("(5") is None
    assert parts("--5") is None
