"""Verdicts: words follow from the numbers."""

import math

from isthmus.tasks.tuning.verdict import Verdict


def verdict(gain, error, searched=True, longer=None, freedom=99):
    return Verdict("error", 0.3 - gain, 0.3, gain, error, 100, freedom, searched, longer)


def test_a_gain_beyond_chance_wins():
    found = verdict(0.1, 0.01)
    assert found.wins
    assert str(found).startswith("tuned wins: error 0.2 against 0.3 of the defaults, better by 0.1 ±")
    low, high = found.interval
    assert low < 0.1 < high
    assert math.isclose(high - 0.1, found.half_width)


def test_a_gain_within_chance_leaves_the_defaults():
    assert not verdict(0.1, 0.2).wins
    assert "the defaults stand: the best trial is not better beyond chance" in str(verdict(0.1, 0.2))
    assert "worse by 0.1" in str(verdict(-0.1, 0.01))


def test_a_search_that_took_the_defaults_says_so():
    assert not verdict(0.0, 0.0, searched=False).wins
    assert "no trial was better" in str(verdict(0.0, 0.0, searched=False))


def test_the_defaults_that_were_trained_for_longer_are_named():
    assert "trained for longer: 0.25" in str(verdict(0.1, 0.01, longer=0.25))


def test_a_single_row_proves_nothing():
    assert not verdict(0.1, 0.0, freedom=0).wins
