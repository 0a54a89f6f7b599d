from io import BytesIO

import numpy as np
import pytest
from matplotlib.image import imread

from isthmus.reports.png import png_of


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (5, 7, 3)])
def test_pixels_come_back(shape):
    levels = np.random.default_rng(0).integers(0, 256, shape)
    read = imread(BytesIO(png_of(levels / 255)), format="png")
    np.testing.assert_array_equal(np.round(255 * read), levels)


def test_values_outside_are_cut_and_missing_ones_are_black():
    read = imread(BytesIO(png_of(np.array([[-1.0, 2.0, np.nan]]))), format="png")
    assert read.tolist() == [[0.0, 1.0, 0.0]]
