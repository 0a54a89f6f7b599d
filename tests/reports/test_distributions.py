import numpy as np
import pytest

from isthmus.data.columns import Column
from isthmus.reports.distributions import Histogram, Levels, distribution

SAMPLE = np.random.default_rng(0).normal(size=1000)


def test_numbers_and_the_place_of_a_row():
    found = distribution(SAMPLE, 0.0, 9.0, None)
    assert isinstance(found, Histogram)
    assert max(found.bars) == 1
    assert found.seen == pytest.approx(0.5, abs=0.1)
    assert found.expected > 1, "beyond the end"
    assert float(found.low) == pytest.approx(np.quantile(SAMPLE, 0.005), rel=1e-3)
    assert distribution(SAMPLE, np.nan, 0.0, None).seen is None


@pytest.mark.parametrize("sample", [np.full(5, 3.0), np.full(5, np.nan), np.empty(0)])
def test_constants_and_gaps(sample):
    found = distribution(sample, 3.0, 3.0, None)
    assert isinstance(found, Histogram)
    assert all(0 <= bar <= 1 for bar in found.bars)


def test_categories_of_the_row_are_among_the_most_frequent():
    column = Column("c", "text", "category", "categorical", 0.0, levels=tuple("abcdefghij"))
    codes = np.repeat(np.arange(10.0), np.arange(10, 0, -1))
    found = distribution(codes, 9.0, 10.0, column)
    assert isinstance(found, Levels)
    assert [level.name for level in found.levels] == ["a", "b", "c", "d", "j", "never seen"]
    assert [level.name for level in found.levels if level.seen] == ["j"]
    assert [level.name for level in found.levels if level.expected] == ["never seen"]
    assert sum(level.share for level in found.levels) + found.others == pytest.approx(1, abs=1e-3)
    flags = distribution(np.array([0.0, 1.0, 1.0]), 0.0, 1.0, Column("b", "boolean", "boolean", "bernoulli", 0.0))
    assert [(level.name, level.seen) for level in flags.levels] == [("True", False), ("False", True)]


def test_times_are_drawn_by_the_place_in_the_day_that_is_learned():
    column = Column("t", "time", "date-time", "gaussian", 0.0, cycles=("day", "week"), ticks=86_400)
    found = distribution(19_000 + np.linspace(0.25, 0.5, 50), 19_000.75, 19_000.375, column)
    assert (found.low, found.high, found.seen, found.expected) == ("0:00", "24:00", 0.75, 0.375)
    line = distribution(np.arange(19_000.0, 19_100), 19_050.0, 19_050.0, Column("t", "time", "trend", "gaussian", 0.0))
    assert line.low.startswith("2022-01-08")
