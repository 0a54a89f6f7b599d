import numpy as np
import pytest
from sklearn.decomposition import PCA

from isthmus.reports.codes_plane import plane_of, related

RANDOM = np.random.default_rng(0)


def test_codes_of_two_numbers_are_the_plane():
    codes = RANDOM.normal(size=(30, 2))
    plane = plane_of(codes, np.zeros(30))
    np.testing.assert_array_equal(plane.points, codes)
    np.testing.assert_array_equal(plane.codes(codes), codes)


def test_longer_codes_are_projected_on_their_principal_components():
    codes = RANDOM.normal(size=(50, 5)) * [1, 5, 2, 0.1, 3] + 7
    plane = plane_of(codes, np.zeros(50))
    expected = PCA(2).fit_transform(codes)
    np.testing.assert_allclose(np.abs(plane.points), np.abs(expected), atol=1e-9)
    again = plane.codes(plane.points)
    np.testing.assert_allclose(plane_of(again, np.zeros(50)).points.std(0), plane.points.std(0))
    assert "% of their variance" in plane.axes[0]


def test_a_single_number_stands_beside_the_error():
    plane = plane_of(np.arange(4.0)[:, None], np.ones(4))
    assert plane.points.tolist() == [[0, 1], [1, 1], [2, 1], [3, 1]]
    assert plane.codes(plane.points) is None


@pytest.mark.parametrize("size", [1, 2, 3, 9])
def test_codes_that_do_not_vary_have_a_plane(size):
    plane = plane_of(np.zeros((5, size)), np.zeros(5))
    assert np.isfinite(plane.points).all()
    assert np.isfinite(np.concatenate(plane.ends)).all()


def test_far_codes_do_not_press_the_others_together():
    codes = RANDOM.normal(size=(200, 2))
    codes[0] = 1e6
    low, high = plane_of(codes, np.zeros(200)).ends
    assert (high - low < 12).all()


def test_columns_that_go_with_the_plane_are_found():
    points = RANDOM.normal(size=(100, 2))
    values = np.column_stack([points @ [1, 2], RANDOM.normal(size=100), np.ones(100), points[:, 0] > 0, points[:, 1]])
    values[::3, 4] = np.nan
    found = related(values, points, [False, False, False, True, False])
    np.testing.assert_allclose(found[[0, 2]], [1, 0], atol=1e-9)
    assert found[1] < 0.2 < 0.4 < found[3] < 1
    assert found[4] > 0.9
