import numpy as np
import pytest

from isthmus.tasks.anomaly.replacement import replaced, shared

SEED = 0


class Normal:
    """A Gaussian's squared Mahalanobis distance and its exact conditional expectations, each row by itself."""

    def __init__(self, columns, seed=SEED):
        rng = np.random.default_rng(seed)
        factors = rng.normal(size=(max(1, columns // 2), columns))
        self.mean = rng.normal(size=columns)
        self.covariance = factors.T @ factors + 0.3 * np.eye(columns)
        self.precision = np.linalg.inv(self.covariance)
        self.precision = (self.precision + self.precision.T) / 2

    def rows(self, n, seed=1):
        return np.random.default_rng(seed).multivariate_normal(self.mean, self.covariance, size=n)

    def pull(self, rows):
        return np.einsum("ij,jk->ik", rows - self.mean, self.precision)

    def score(self, rows):
        return (self.pull(rows) * (rows - self.mean)).sum(1)

    def guess(self, rows):
        return rows - self.pull(rows) / np.diag(self.precision)


def nothing_to_try(columns):
    return [np.empty(0)] * columns


def odd_rows(model, n=40, cells=2, seed=2):
    rows, others = model.rows(n), model.rows(n, seed=3)
    rng = np.random.default_rng(seed)
    for i in range(n):
        at = rng.choice(rows.shape[1], cells, replace=False)
        rows[i, at] = others[i, at]
    return rows


@pytest.mark.parametrize("columns", [1, 2, 7])
@pytest.mark.parametrize("depth", [1, 3, 99])
def test_contributions_add_up_to_the_score(columns, depth):
    model = Normal(columns)
    rows = odd_rows(model, cells=1)
    contributions, expected = replaced(rows, model.score, model.guess, nothing_to_try(columns), depth)
    np.testing.assert_allclose(contributions.sum(1), model.score(rows), rtol=1e-12)
    assert expected.shape == rows.shape


def test_one_wrong_cell_contributes_its_squared_standardised_residual():
    model = Normal(6)
    row = model.mean[None].copy()
    row[0, 3] += 50.0
    contributions, expected = replaced(row, model.score, model.guess, nothing_to_try(6), 1)
    # The rest of the row is at the mean, so that nothing is left to spread.
    assert contributions[0, 3] == pytest.approx(model.pull(row)[0, 3] ** 2 / model.precision[3, 3])
    np.testing.assert_allclose(np.delete(contributions[0], 3), 0, atol=1e-9)
    np.testing.assert_allclose(expected[0], model.mean, atol=1e-9)


def test_a_single_column_is_to_blame_for_all():
    model = Normal(1)
    rows = model.rows(5)
    contributions, expected = replaced(rows, model.score, model.guess, nothing_to_try(1), 5)
    np.testing.assert_allclose(contributions[:, 0], model.score(rows))
    np.testing.assert_allclose(expected[:, 0], model.mean[0])


def test_rows_do_not_depend_on_those_beside_them():
    model = Normal(7)
    rows = odd_rows(model)
    grid = list(np.quantile(model.rows(500), np.linspace(0.1, 0.9, 5), axis=0).T)
    whole = replaced(rows, model.score, model.guess, grid, 3)
    backwards = replaced(rows[::-1].copy(), model.score, model.guess, grid, 3)
    for found, turned, alone in zip(
        whole, backwards, replaced(rows[5:6], model.score, model.guess, grid, 3), strict=True
    ):
        np.testing.assert_allclose(turned[::-1], found, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(alone, found[5:6], rtol=1e-9, atol=1e-9)


def test_contributions_follow_their_columns():
    model = Normal(7)
    rows, order = odd_rows(model), np.random.default_rng(4).permutation(7)
    back = np.argsort(order)
    found = replaced(rows, model.score, model.guess, nothing_to_try(7), 3)
    moved = replaced(
        rows[:, order],
        lambda x: model.score(x[:, back]),
        lambda x: model.guess(x[:, back])[:, order],
        nothing_to_try(7),
        3,
    )
    for one, other in zip(found, moved, strict=True):
        np.testing.assert_allclose(other, one[:, order], rtol=1e-9, atol=1e-9)


def test_rows_given_stay_as_they_are():
    model = Normal(4)
    rows = odd_rows(model)
    before = rows.copy()
    replaced(rows, model.score, model.guess, nothing_to_try(4), 3)
    np.testing.assert_array_equal(rows, before)


def missing_costs(rows):
    return np.where(np.isnan(rows[:, 0]), 5.0, 0.0) + np.nan_to_num(rows[:, 1]) ** 2


def test_a_missing_cell_is_a_reason_only_if_filling_it_helps():
    rows = np.array([[np.nan, 2.0], [1.0, np.nan]])
    contributions, expected = replaced(rows, missing_costs, np.zeros_like, nothing_to_try(2), 5)
    np.testing.assert_allclose(contributions, [[5.0, 4.0], [0.0, 0.0]])
    np.testing.assert_array_equal(expected, 0)


def test_a_constant_column_has_no_part_but_the_equal_one():
    def score(rows):
        return 1.0 + rows[:, 0] ** 2

    rows = np.array([[3.0, 7.0]])
    contributions, _ = replaced(rows, score, lambda x: np.array([[0.0, 7.0]]).repeat(len(x), 0), [np.empty(0)] * 2, 5)
    np.testing.assert_allclose(contributions, [[9.5, 0.5]])


def test_categories_are_found_by_the_grid():
    codes = np.array([0.0, 1.0, 2.0, 3.0])

    def score(rows):
        return np.where(rows[:, 0] == rows[:, 1], 0.0, 4.0 - (rows[:, 0] == 0))

    # The guess is the most frequent category, not the one that belongs to the other column.
    rows = np.array([[1.0, 2.0]])
    contributions, expected = replaced(rows, score, np.zeros_like, [codes, np.empty(0)], 5)
    np.testing.assert_allclose(contributions, [[4.0, 0.0]])
    assert expected[0, 0] == 2.0


@pytest.mark.parametrize("cells", [2, 3])
def test_several_wrong_cells_are_found_more_often_than_by_one_step(cells):
    model = Normal(20, seed=5)
    rows = model.rows(300)
    others, rng = model.rows(300, seed=6), np.random.default_rng(7)
    wrong = np.zeros(rows.shape, dtype=bool)
    for i in range(len(rows)):
        wrong[i, rng.choice(20, cells, replace=False)] = True
    rows = np.where(wrong, others, rows)

    def hits(values):
        top = np.argsort(-values, axis=1)[:, :3]
        return np.take_along_axis(wrong, top, 1).sum() / wrong.sum()

    one_step = model.pull(rows) ** 2 / np.diag(model.precision)
    found, _ = replaced(rows, model.score, model.guess, nothing_to_try(20), 5)
    assert hits(found) > hits(one_step) + 0.02


def test_shares_add_up_and_follow_the_errors():
    found = shared(np.array([10.0, 3.0]), 2.0, np.array([[3.0, 1.0], [0.0, 0.0]]))
    np.testing.assert_allclose(found, [[7.0, 3.0], [1.5, 1.5]])


def test_shares_of_missing_and_of_very_great_errors_add_up():
    found = shared(np.array([5.0, 5.0]), 1.0, np.array([[np.nan, 1.0], [1e308, 1e308]]))
    np.testing.assert_allclose(found, [[0.5, 4.5], [2.5, 2.5]])


def test_a_replacement_without_a_finite_score_is_none():
    def score(rows):
        return np.where(rows[:, 1] == 0, np.nan, rows[:, 0] ** 2 + rows[:, 1] ** 2)

    contributions, _ = replaced(np.array([[3.0, 1.0]]), score, np.zeros_like, nothing_to_try(2), 5)
    np.testing.assert_allclose(contributions, [[9.5, 0.5]])
