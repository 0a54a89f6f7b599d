import numpy as np
import pytest
import torch

from isthmus.data.reading import take_apart
from isthmus.data.survey import Survey
from isthmus.tasks.anomaly.cells import CLIP, RobustCells, has_one_unit, soft_clip, undo_soft_clip


def test_mean_zero_and_deviation_one():
    X = np.random.default_rng(0).normal([1e6, -3], [2, 0.1], size=(500, 2))
    x = RobustCells().fit(X).transform(X)
    np.testing.assert_allclose(x.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(0, correction=0), 1, rtol=0.02)


def test_extreme_values_are_compressed_and_stay_in_order():
    x = torch.linspace(-1e6, 1e6, 10_001, dtype=torch.float64)
    assert (soft_clip(x).diff() > 0).all()
    near = x.abs() <= CLIP
    assert torch.equal(soft_clip(x)[near], x[near])
    torch.testing.assert_close(undo_soft_clip(soft_clip(x)), x)


def test_there_and_back():
    X = np.random.default_rng(0).normal(size=(50, 3)) * [1, 10, 100]
    X[0] *= 50
    cells = RobustCells().fit(X)
    rows = torch.from_numpy(X)
    np.testing.assert_allclose(cells.inverse(cells(rows), near=rows), X, rtol=1e-4, atol=1e-4)


def test_a_constant_column_that_changes_is_far_off():
    cells = RobustCells().fit(np.full((10, 2), [0.0, 1000.0]))
    x = cells(torch.tensor([[0.0, 1000.0], [1.0, 1010.0]], dtype=torch.float64))
    assert torch.equal(x[0], torch.zeros(2))
    assert (x[1] > CLIP).all()


def test_categories_and_gaps():
    X = np.array([["a", 1.0], ["b", None], ["a", 3.0], [None, 2.0]] * 10, dtype=object)
    schema, found = take_apart(X)
    survey = Survey({})
    survey.look(schema.fields, found)
    columns = survey.columns()
    numbers = np.array([[0, 1.0], [1, np.nan], [0, 3.0], [np.nan, 2.0]] * 10)
    cells = RobustCells(columns).fit(numbers)
    x = cells.transform(numbers)
    assert torch.isfinite(x).all()
    assert (x[1][cells.feature_group == 1] == 0).all()
    assert (x[3][cells.feature_group == 0] == 0).all()
    by_column = cells.sum_by_column(torch.ones_like(x))
    assert by_column.sum() == x.numel()


@pytest.mark.parametrize(
    ("X", "one"),
    [
        (np.zeros((2, 3), np.uint8), True),
        (np.full((2, 64), 0.5), True),
        (np.full((2, 63), 0.5), False),
        (np.ones((2, 64)), False),
        (np.full((2, 64), 1.5), False),
        (np.full((2, 64), 0.01), False),
    ],
)
def test_images_have_one_unit(X, one):
    assert has_one_unit(X) == one


def test_pixels_keep_their_relative_sizes():
    X = (np.random.default_rng(0).normal(size=(200, 2)) * [2, 40] + 100).astype(np.uint8)
    x = RobustCells().fit(X).transform(X)
    assert x[:, 1].std() / x[:, 0].std() == pytest.approx(X[:, 1].std() / X[:, 0].std(), rel=1e-3)
