import numpy as np
import pytest

from isthmus.data import load_dataset
from isthmus.paper.images import digit_rows, images_of, pixel_deviations


@pytest.fixture(scope="module")
def digits():
    return images_of(load_dataset("digits"))


def test_images_are_between_black_and_white(digits):
    assert (digits.train.min(), digits.train.max()) == (0, 1)
    mnist = images_of(load_dataset("mnist-5k"))
    assert mnist.train.dtype == np.uint8
    assert mnist.bright(mnist.train).max() == 1


def test_one_test_image_per_digit_is_shown(digits):
    assert digits.test_labels[digit_rows(digits)].tolist() == list(range(10))


def test_deviations_are_those_of_the_grey_levels(digits):
    np.testing.assert_allclose(pixel_deviations(digits), digits.bright(digits.train).std(axis=0), atol=1e-5)
