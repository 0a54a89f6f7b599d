import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from isthmus.data.schema import TableSchema
from isthmus.tasks.anomaly.neighbours import FLOOR, GROUP, NEAREST, Neighbours, smallest
from isthmus.tasks.anomaly.training import Training

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("columns", [GROUP, 10 * GROUP, 100 * GROUP])
@pytest.mark.parametrize("count", [1, 2, 6])
def test_the_smallest_values_are_those_of_a_sort(columns, count):
    values = torch.from_numpy(RNG.normal(size=(30, columns)))
    found, places = smallest(values, count)
    ordered = values.sort(1)
    assert torch.equal(found, ordered.values[:, :count])
    assert torch.equal(places, ordered.indices[:, :count])


@pytest.mark.parametrize("rows", [7, 100, 1003])
def test_distances_are_those_of_scikit_learn(rows):
    X, new = RNG.normal(size=(rows, 5)), RNG.normal(size=(50, 5))
    scorer = Neighbours.trained_on(Training(X, False, 0, torch.device("cpu"), TableSchema(5)))
    cells, others = (scorer.cells.transform(numbers) for numbers in (X, new))
    count = min(NEAREST, rows - 1)
    expected, places = NearestNeighbors(n_neighbors=count).fit(cells).kneighbors(others)
    distances, found = scorer.nearest(others)
    np.testing.assert_allclose(distances, expected, rtol=1e-3)
    np.testing.assert_array_equal(found, places)
    np.testing.assert_allclose(scorer.score(new), np.log(expected / 5**0.5 + FLOOR).mean(1), rtol=1e-3, atol=1e-3)


def test_a_training_row_is_not_its_own_neighbour():
    X = RNG.normal(size=(200, 3))
    scorer = Neighbours.trained_on(Training(X, False, 0, torch.device("cpu"), TableSchema(3)))
    distances, found = scorer.nearest(scorer.cells.transform(X))
    assert (distances > 0).all()
    assert not (found == torch.arange(200)[:, None]).any()
