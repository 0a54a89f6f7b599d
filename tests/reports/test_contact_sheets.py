from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from matplotlib.image import imread

from isthmus.reports.contact_sheets import BETWEEN, ends_of, heat, sheet, thumbnails

RANDOM = np.random.default_rng(0)


def test_small_images_are_only_scaled():
    rows = RANDOM.uniform(2, 6, (3, 20))
    np.testing.assert_allclose(thumbnails(rows, (4, 5), 8, (2.0, 6.0)), (rows.reshape(3, 4, 5) - 2) / 4)


@pytest.mark.parametrize("shape", [(64, 48), (60, 40, 3), (30, 70, 4)])
def test_large_images_keep_their_mean(shape):
    rows = np.full((2, int(np.prod(shape))), 0.25)
    small = thumbnails(rows, shape, 16, (0.0, 1.0))
    assert max(small.shape[1:3]) <= 16
    np.testing.assert_allclose(small, 0.25)
    assert small.shape[3:] == ((3,) if len(shape) == 3 else ())


@pytest.mark.parametrize(
    ("rows", "ends"),
    [([0.2, 0.9], (0, 1)), ([0, 200], (0, 255)), ([0, 16], (0, 16)), ([-3, 5], (-3, 5)), ([7, 7], (6.5, 7.5))],
)
def test_what_is_black_and_white(rows, ends):
    assert ends_of(np.array([rows, rows], float)) == ends
    assert ends_of(np.array([[np.nan]])) == (0.0, 1.0)


def test_images_stand_line_by_line():
    images = RANDOM.integers(0, 256, (5, 3, 4)) / 255
    made = sheet(images, 3, "five images", gap=1)
    picture = imread(BytesIO(b64decode(made.address.split(",")[1])), format="png")
    assert picture.shape == (made.height, made.width) == (7, 14)
    np.testing.assert_allclose(picture[4:7, 5:9], images[4], atol=1e-6)
    np.testing.assert_allclose(picture[4:7, 10:14], BETWEEN, atol=0.01)


def test_heat_grows_brighter():
    colours = heat(np.linspace(0, 2, 9)[None, None])[0, 0].sum(-1)
    assert (np.diff(colours) > 0).all()
    assert heat(np.zeros((1, 2, 2))).sum() == 0
