import numpy as np
import pytest

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("make", "how"),
    [
        (lambda t: t["height"], "all their cells are equal"),
        (lambda t: t["town"], "all their cells are equal"),
        (lambda t: 2.54 * t["height"] - 7, "multiples of each other"),
        (lambda t: -t["height"], "multiples of each other"),
        (
            lambda t: t["town"].map({"Oslo": "O", "Bergen": "B", "Trondheim": "T"}),
            "each value of the one goes with one",
        ),
        (lambda t: t["town"].map({"Oslo": 7, "Bergen": 9, "Trondheim": 2}), "each value of the one goes with one"),
    ],
)
def test_columns_that_hold_the_same_are_told(make, how, told, clean):
    (found,) = told("duplicate-column", clean.assign(other=make(clean)))
    assert how in found.number
    assert "other" in found.columns
    assert not told("dependent-columns", clean.assign(other=make(clean)))


def test_curves_and_sums_are_told(told, clean):
    (found,) = told("dependent-columns", clean.assign(other=np.exp(clean["height"] / 50)))
    assert "rise or fall together" in found.number
    (found,) = told("dependent-columns", clean.assign(total=(2 * clean["height"] + clean["income"]).round(2)))
    assert {*found.columns, *found.number.split("'")} >= {"total", "height", "income"}


def test_columns_that_nearly_agree_are_left_alone(told, clean):
    for other in (clean["height"] + 0.01 * RNG.normal(size=400), clean["town"].where(np.arange(400) > 0, "Bergen")):
        found = clean.assign(other=other)
        assert not told("duplicate-column", found)
        assert not told("dependent-columns", found)


def test_different_values_in_few_rows_do_not_hold_the_same(told):
    assert not told("duplicate-column", RNG.normal(size=(60, 3)))
    assert not told("duplicate-column", np.array([["a"], ["b"]] * 5, dtype=object))
