import warnings

import numpy as np
import pytest
import torch
from torch.nn import functional

from isthmus import AutoEncoder, TrainingWarning
from isthmus.data import load_dataset
from isthmus.paper.images import images_of
from isthmus.paper.networks import Run, estimator
from isthmus.paper.training import ErrorByEpoch, fit, squared_errors
from isthmus.parts.likelihoods import Gaussian


@pytest.fixture(scope="module")
def digits():
    return images_of(load_dataset("digits"))


@pytest.mark.parametrize("variance", [392.0, 0.5])
def test_squared_errors_are_read_off_the_nats_of_a_fixed_variance(variance):
    random = torch.Generator().manual_seed(0)
    x, theta = (torch.rand(7, 6, generator=random, dtype=torch.float64) for _ in "ab")
    nats = Gaussian(variance=variance).build(6).double().nll(x, theta).mean().item() / 6
    mse = functional.mse_loss(theta, x).item()
    assert squared_errors(np.array([nats]), Gaussian(variance=variance))[0] == pytest.approx(mse)


def test_squared_errors_are_read_off_the_nats_of_the_optimal_variance():
    random = torch.Generator().manual_seed(0)
    x, theta = (torch.rand(7, 6, generator=random, dtype=torch.float64) for _ in "ab")
    nats = Gaussian().build(6).double().train().nll(x, theta).mean().item() / 6
    assert squared_errors(np.array([nats]), Gaussian())[0] == pytest.approx(functional.mse_loss(theta, x).item())


def test_a_fit_is_measured_on_the_test_images(digits):
    run = Run("isthmus-4", "isthmus", 4, 8, epochs=3, seed=1)
    result = fit(run, digits)
    again = estimator(run, 64).fit(digits.train).reconstruct(digits.test)
    assert result.quality.mse == pytest.approx(np.square(again - digits.test).mean(), rel=1e-5)
    assert len(result.test_mse_by_epoch) == 1 + len(result.train_loss)
    assert result.shown.shape == (10, 64)
    assert result.seconds > 0


def test_the_time_of_measurements_is_not_that_of_training(digits, monkeypatch):
    run = Run("isthmus-4", "isthmus", 4, 8, epochs=1, seed=1)
    measured = ErrorByEpoch.measure

    def slowly(self, state):
        measured(self, state)
        self.seconds[-1] += 1000 * (len(self.seconds) == 2)  # the last one, after the only epoch

    monkeypatch.setattr(ErrorByEpoch, "measure", slowly)
    assert fit(run, digits).seconds > 0


def test_two_runs_with_one_seed_are_equal(digits):
    run = Run("isthmus-4", "isthmus", 4, 8, epochs=2)
    one, other = fit(run, digits), fit(run, digits)
    assert one.train_loss == other.train_loss
    assert np.array_equal(one.shown, other.shown)


def test_what_a_check_says_is_a_finding_and_no_warning(digits, monkeypatch):
    original = AutoEncoder.fit

    def fit_and_warn(self, X):
        warnings.warn("half of the units are dead", TrainingWarning, stacklevel=2)
        return original(self, X)

    monkeypatch.setattr(AutoEncoder, "fit", fit_and_warn)
    assert "half of the units are dead." in fit(Run("isthmus-4", "isthmus", 4, 8, epochs=1), digits).findings


def test_the_plane_of_a_code_of_two_numbers_is_kept(digits):
    two, three = (fit(Run("", "isthmus", latent, 8, epochs=1), digits).plane for latent in (2, 3))
    assert three is None
    assert two.places.shape == (len(digits.test), 2)
    assert two.decoded.shape == (len(two.grid) ** 2, 64)
