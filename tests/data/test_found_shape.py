import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine

from isthmus.data import load_dataset
from isthmus.data.found_shape import found_shape

RNG = np.random.default_rng(0)
DIGITS = load_digits().data
WAVES = np.sin(np.arange(144) / RNG.uniform(3, 20, (200, 1)) + RNG.uniform(0, 6, (200, 1)))


def test_images_are_found_in_flat_rows():
    assert found_shape(DIGITS) == (8, 8)
    assert found_shape(load_dataset("mnist-5k").X) == (28, 28)


def test_sides_are_told_apart():
    assert found_shape(DIGITS.reshape(-1, 8, 8)[:, :6].reshape(-1, 48)) == (6, 8)
    assert found_shape(DIGITS.reshape(-1, 8, 8)[:, :, 1:7].reshape(-1, 48)) == (8, 6)


@pytest.mark.parametrize(("shift", "scale"), [(0, 1), (-5, 0.1)])
def test_units_do_not_matter(shift, scale):
    assert found_shape(DIGITS * scale + shift) == (8, 8)


@pytest.mark.parametrize(
    "rows",
    [
        load_wine().data,
        load_breast_cancer().data,
        load_diabetes().data,
        RNG.standard_normal((200, 64)),
        RNG.standard_normal((200, 64)).cumsum(1),
        WAVES,
        DIGITS[:, RNG.permutation(64)],
        DIGITS[:20],
        np.ones((100, 64)),
    ],
    ids=["wine", "cancer", "diabetes", "noise", "walks", "waves", "mixed up", "few rows", "constant"],
)
def test_other_rows_are_no_images(rows):
    assert found_shape(rows) is None
