import numpy as np
import pytest

RNG = np.random.default_rng(0)
CLASSES = RNG.integers(0, 3, 400)
NUMBERS = RNG.normal(size=400)


@pytest.mark.parametrize(
    ("target", "leak", "severity"),
    [
        (CLASSES, CLASSES, "error"),
        (CLASSES, np.array(["a", "b", "c"])[CLASSES], "error"),
        (CLASSES, CLASSES + RNG.normal(size=400) / 20, "warning"),
        (CLASSES == 1, CLASSES + RNG.normal(size=400) / 20, "warning"),
        (CLASSES == 1, np.array([f"{c}{j % 9}" for j, c in enumerate(CLASSES)]), "warning"),
        (CLASSES == 1, np.where(CLASSES == 1, np.nan, NUMBERS), "warning"),
        (NUMBERS, NUMBERS * -3 + 5, "error"),
        (NUMBERS, NUMBERS + RNG.normal(size=400) / 100, "warning"),
    ],
    ids=["copy", "names", "near copy", "one of three", "words", "gaps", "other unit", "near number"],
)
def test_leaks_are_told_with_their_column(target, leak, severity, told, clean):
    (found,) = told("target-leak", clean.assign(leak=leak), target=target)
    assert (found.columns, found.severity) == (("leak",), severity)
    assert found.value > 0.98


@pytest.mark.parametrize("target", [CLASSES, CLASSES == 1, NUMBERS])
def test_good_predictors_are_no_leaks(target, told, clean):
    good = np.asarray(target, dtype=float) + 0.3 * RNG.normal(size=400)
    assert not told("target-leak", clean.assign(good=good), target=target)


def test_a_running_number_is_no_copy_of_a_target_that_rows_are_sorted_by(told, clean):
    found = told("target-leak", clean.assign(row=np.arange(400)), target=np.sort(NUMBERS))
    assert all(one.severity == "warning" for one in found)


def test_rare_classes_and_gaps_of_the_target(told, clean):
    rare = np.arange(400) < 3
    (found,) = told("rare-class", clean, target=rare)
    assert found.severity == "warning"
    assert found.value == 3 / 400
    assert not told("rare-class", clean, target="smoker")
    gaps = np.where(rare, np.nan, NUMBERS)
    assert told("target-gaps", clean, target=gaps)[0].value == 3 / 400
    assert not told("target-gaps", clean, target=NUMBERS)


def test_a_target_is_no_column_of_the_data(told, clean):
    assert not told("duplicate-column", clean.assign(again=clean["smoker"]), target="again")
    assert told("duplicate-column", clean.assign(again=clean["smoker"]))
