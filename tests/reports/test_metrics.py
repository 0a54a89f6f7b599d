import math

import numpy as np
import pytest
from sklearn.metrics import log_loss, mean_squared_error, r2_score

from isthmus.reports.metrics import image_quality


@pytest.fixture
def images():
    return np.random.default_rng(0).random((50, 12))


def test_agrees_with_scikit_learn(images):
    guess = np.clip(images + np.random.default_rng(1).normal(0, 0.1, images.shape), 0, 1)
    quality = image_quality(images, guess)
    assert quality.mse == pytest.approx(mean_squared_error(images, guess))
    assert quality.explained_variance == pytest.approx(r2_score(images, guess, multioutput="variance_weighted"))
    assert quality.psnr == pytest.approx(10 * math.log10(1 / quality.mse))


def test_cross_entropy_of_zeros_and_ones_is_the_log_loss():
    random = np.random.default_rng(2)
    images = random.integers(0, 2, (40, 5)).astype(float)
    guess = random.uniform(0.01, 0.99, images.shape)
    assert image_quality(images, guess).bce == pytest.approx(log_loss(images.ravel(), guess.ravel()))


def test_a_certain_error_is_large_but_finite():
    quality = image_quality(np.ones((2, 2)), np.zeros((2, 2)))
    assert quality.bce == pytest.approx(-math.log(1e-7))
    assert math.isnan(quality.explained_variance)


def test_the_mean_image_explains_nothing(images):
    assert image_quality(images, np.tile(images.mean(0), (50, 1))).explained_variance == pytest.approx(0)


def test_perfect_reconstructions(images):
    quality = image_quality(images, images)
    assert (quality.mse, quality.psnr, quality.explained_variance) == (0, math.inf, 1)


def test_dead_outputs_are_those_always_zero(images):
    guess = images.copy()
    guess[:, [1, 4, 7]] = 0
    guess[0, 7] = 0.1
    assert image_quality(images, guess).dead_outputs == 2


def test_other_shapes_are_refused(images):
    with pytest.raises(ValueError, match=r"images \(50, 12\) and reconstructions \(50, 11\)"):
        image_quality(images, images[:, 1:])
