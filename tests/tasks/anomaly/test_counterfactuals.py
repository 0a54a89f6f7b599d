import numpy as np
import pytest

from isthmus.tasks.anomaly.counterfactuals import Counterfactual, smallest_changes

RANDOM = np.random.default_rng(0)


def additive(wrong):
    """Return a score that is the sum of the columns that are not replaced."""
    return lambda rows, replaced: (wrong[rows][:, : replaced.shape[1]] * ~replaced).sum(1)


@pytest.mark.parametrize("width", [1, 3, 8, 20, 40])
def test_a_change_is_enough_and_no_column_of_a_small_one_can_be_left_out(width):
    wrong = RANDOM.exponential(size=(30, width))
    score = additive(wrong)
    order, threshold = np.argsort(-wrong, axis=1), 0.4 * np.median(wrong.sum(1))
    for row, change in enumerate(smallest_changes(order, score, threshold)):
        left = np.delete(wrong[row], change.columns).sum()
        assert change.score == pytest.approx(left)
        assert left <= threshold
        if 1 < len(change.columns) <= 8:
            assert left + wrong[row, change.columns].min() > threshold


def test_columns_that_do_not_matter_are_left_out():
    wrong = np.array([[0.0, 0.0, 5.0, 0.0, 5.0]])
    found = smallest_changes(np.array([[0, 1, 2, 3, 4]]), additive(wrong), 1.0)[0]
    assert sorted(found.columns) == [2, 4]


def test_what_no_change_mends_is_told():
    found = smallest_changes(np.array([[0, 1]]), lambda rows, replaced: np.full(len(rows), 9.0), 1.0)[0]
    assert sorted(found.columns) == [0, 1]
    assert found.score == 9.0


def test_many_columns_are_not_all_named():
    names = tuple(f"c{k}" for k in range(20))
    text = str(Counterfactual(names, (1,) * 20, (None,) * 20, 0.1, True))
    assert text.startswith("normal if `c0` were missing instead of 1, ")
    assert text.endswith(" and 15 more columns were as expected")
