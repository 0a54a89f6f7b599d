import numpy as np
import pytest

RNG = np.random.default_rng(0)
SOME = RNG.random(400) < 0.06


@pytest.mark.parametrize(("share", "severity"), [(0.01, None), (0.2, "note"), (0.8, "warning")])
def test_gaps_are_told_by_their_share(share, severity, told, clean):
    holes = np.arange(400) < 400 * share
    found = told("gaps", clean.assign(height=clean["height"].mask(holes)))
    assert [one.severity for one in found] == ([] if severity is None else [severity])
    assert all(one.value == pytest.approx(share) for one in found)


def test_rows_that_are_mostly_empty_are_told(told, clean):
    holed = clean.copy()
    holed.loc[[4, 9], ["height", "weight", "income", "town"]] = None
    assert told("empty-rows", holed)[0].rows == (4, 9)
    assert not told("empty-rows", clean)


@pytest.mark.parametrize(("word", "severity"), [("?", "warning"), ("N/A", "warning"), ("unknown", "note")])
def test_words_for_gaps_are_told(word, severity, told, clean):
    (found,) = told("gap-words", clean.assign(town=clean["town"].mask(SOME, word)))
    assert (found.severity, found.value) == (severity, SOME.sum())
    assert repr(word) in found.mend
    assert not told("gap-words", clean)


@pytest.mark.parametrize("value", [-999, 9999, 0, 1e6])
def test_numbers_for_gaps_are_told(value, told, clean):
    (found,) = told("gap-numbers", clean.assign(height=clean["height"].mask(SOME, value)))
    assert (found.columns, found.value) == (("height",), value)
    assert f"X['height'] == {float(value)!r}" in found.mend


def test_minus_one_among_counts_is_told(told, clean):
    counts = RNG.poisson(20, 400) * (RNG.random(400) < 0.9)
    assert told("gap-numbers", clean.assign(visits=np.where(SOME, -1, counts)))


@pytest.mark.parametrize(
    "values",
    [
        RNG.poisson(1, 400),
        np.where(SOME, 0, RNG.lognormal(0, 1, 400)),
        np.minimum(RNG.normal(50, 10, 400), 60),
        np.append(RNG.lognormal(3, 1, 397), [512.3] * 3),
        np.where(SOME, RNG.exponential(5, 400).round(1), 0),
    ],
    ids=["counts", "amounts with zeros", "capped", "a large price three times", "mostly zero"],
)
def test_usual_values_do_not_stand_for_gaps(values, told, clean):
    assert not told("gap-numbers", clean.assign(this=values))
