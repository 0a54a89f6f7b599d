from dataclasses import dataclass
from html.parser import HTMLParser

import pytest

from isthmus.core.registry import REGISTERED, column_likelihoods, register
from isthmus.data.columns import (
    KINDS,
    Column,
    Columns,
    column_choices,
    kind_of_choice,
    likelihood_of_choice,
    number_columns,
)
from isthmus.parts.likelihoods import Gaussian

COLUMNS = Columns(
    [
        Column("x<y", "float", "positive", "gaussian", 0.25, log_constant=0.5),
        Column("when", "time", "date-time", "gaussian", 0.0, cycles=("day", "week")),
        Column("since", "time", "trend", "gaussian", 0.0, cycles=("year",)),
        Column("kind", "text", "category", "categorical", 0.0, shares=(0.5, 0.25, 0.25)),
        Column("flag", "boolean", "boolean", "bernoulli", 0.0),
        Column("id", "text", "ignored", "", 0.0),
    ]
)
TEXTS = [
    ["column", "kind", "scaling", "likelihood", "missing"],
    ["x<y", "positive", "log(1 + x/0.5), standard", "gaussian", "25.0%"],
    ["when", "date-time", "the place in the day, week", "gaussian", "0.0%"],
    ["since", "trend", "standard, and the place in the year", "gaussian", "0.0%"],
    ["kind", "category", "3 cells", "categorical", "0.0%"],
    ["flag", "boolean", "none", "bernoulli", "0.0%"],
    ["id", "ignored", "none", "none", "0.0%"],
]


def test_it_prints_as_a_table():
    lines = repr(COLUMNS).splitlines()
    assert [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines] == TEXTS
    assert len({line.index(text) for line, (_, text, *_) in zip(lines, TEXTS, strict=True)}) == 1


class Texts(HTMLParser):
    """Collects the text of each cell, row by row."""

    def __init__(self):
        super().__init__()
        self.rows = []

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])

    def handle_data(self, data):
        self.rows[-1].append(data)


def test_it_shows_as_a_table_in_notebooks():
    html = COLUMNS._repr_html_()
    assert "<td>x&lt;y</td>" in html
    parser = Texts()
    parser.feed(html)
    assert parser.rows == TEXTS


def test_every_default_likelihood_is_registered_for_the_layout_of_its_kind():
    for kind, likelihood in KINDS.items():
        if kind != "ignored":
            layout = Column("x", "float", kind, likelihood, 0.0).layout
            assert column_likelihoods()[likelihood].column == ("real" if layout == "date-time" else layout)
            assert KINDS[layout] == likelihood


@pytest.mark.parametrize(
    ("sort", "wide", "worth"),
    [
        ("float", False, (1, 0)),
        ("integer", True, (2**32, 1)),
        ("time", True, (1, 1 / 24)),
        ("duration", True, (1, 1 / 24)),
    ],
)
def test_what_the_numbers_of_a_value_are_worth(sort, wide, worth):
    assert Column("x", sort, "real", "gaussian", 0.0, wide=wide, ticks=24).unit_values == worth


@pytest.mark.parametrize("likelihood", ["gaussian", "laplace", "student_t", "poisson", "negative_binomial"])
def test_likelihoods_may_be_named_in_place_of_a_kind(likelihood):
    assert likelihood in column_choices()
    assert kind_of_choice(likelihood) == column_likelihoods()[likelihood].column
    assert likelihood_of_choice(likelihood) == likelihood


def test_a_likelihood_of_the_user_may_be_named():
    @register("likelihood", column="real")
    @dataclass
    class Logistic(Gaussian):
        """For this test."""

    try:
        assert "logistic" in column_choices()
        assert (kind_of_choice("logistic"), likelihood_of_choice("logistic")) == ("real", "logistic")
    finally:
        del REGISTERED["likelihood", "logistic"]


def test_long_tables_are_printed_short():
    names = [f"x{place}" for place in range(784)]
    alike = number_columns(names, "mse", ["x / 255"] * 784)
    assert len(alike) == 784
    assert alike.lines()[1:] == [("x0 ... x783 (784)", "real", "x / 255", "mse", "0.0%")]
    differing = number_columns(names, "mse", [f"x / {place + 2}" for place in range(784)])
    printed = repr(differing).splitlines()
    assert len(printed) == 42
    assert printed[21] == "... (744 more lines)"
    assert [line.split()[0] for line in (printed[1], printed[-1])] == ["x0", "x783"]
