import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch.nn import functional

from isthmus import Compute, Gaussian
from isthmus.data import load_dataset
from isthmus.paper.runs import Run, estimator, fit, fit_pca, images_of, planned_runs, squared_errors


@pytest.fixture(scope="module")
def digits():
    return images_of(load_dataset("digits"))


def test_images_are_between_black_and_white(digits):
    assert (digits.train.min(), digits.train.max()) == (0, 1)
    mnist = images_of(load_dataset("mnist-5k"))
    assert mnist.train.dtype == np.uint8
    assert mnist.bright(mnist.train).max() == 1


def test_every_name_is_planned_once_a_seed():
    images = images_of(load_dataset("mnist-5k"))
    runs = planned_runs(images, 20, (1, 2), (1, 2, 256))
    names = [run.name for run in runs]
    paper = ["paper-sigmoid-mse", "paper-relu-mse", "paper-sigmoid-bce", "paper-8-4", "isthmus-64", "isthmus-4"]
    assert names[:12] == paper * 2
    assert names[12:] == ["pca-64", "pca-4"] + [f"bottleneck-{kind}{k}" for k in (1, 2, 256) for kind in ("", "pca-")]
    assert len(set(runs)) == len(runs)


def test_smaller_images_get_smaller_networks(digits):
    runs = {run.name: run for run in planned_runs(digits, 1, (0,), (2, 64, 128))}
    assert runs["paper-sigmoid-mse"].widths(64) == [64, 32, 16, 32, 64]
    assert "bottleneck-2" in runs
    assert "bottleneck-64" not in runs


@pytest.mark.parametrize(
    "run", [Run("", "paper", 4, 8), Run("", "paper", 4, 8, output="relu"), Run("", "paper", 4, 8, "bce")]
)
def test_the_papers_losses_have_the_gradients_of_the_notebooks(run, digits):
    model = (
        estimator(run, 64)
        .set_params(compute=Compute(precision="float64"), epochs=1, learning_rate=1e-12)
        .fit(digits.train[:100])
    )
    network, x = model.network_, torch.from_numpy(digits.train[:100]).double()
    guess = network(x).theta if run.loss == "bce" else network.decode(network.encode(x).z)
    loss = functional.binary_cross_entropy_with_logits if run.loss == "bce" else functional.mse_loss
    theirs = torch.autograd.grad(loss(guess, x), list(network.parameters()), retain_graph=True)
    ours = torch.autograd.grad(network.terms(x)["nll"].mean() / 64, list(network.parameters()))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("variance", [392.0, 0.5])
def test_squared_errors_are_read_off_the_nats_of_a_fixed_variance(variance):
    random = torch.Generator().manual_seed(0)
    x, theta = (torch.rand(7, 6, generator=random, dtype=torch.float64) for _ in "ab")
    nats = Gaussian(variance=variance).build(6).double().nll(x, theta).mean().item() / 6
    mse = functional.mse_loss(theta, x).item()
    assert squared_errors(np.array([nats]), Gaussian(variance=variance), 6)[0] == pytest.approx(mse)


def test_squared_errors_are_read_off_the_nats_of_the_optimal_variance():
    random = torch.Generator().manual_seed(0)
    x, theta = (torch.rand(7, 6, generator=random, dtype=torch.float64) for _ in "ab")
    nats = Gaussian().build(6).double().train().nll(x, theta).mean().item() / 6
    assert squared_errors(np.array([nats]), Gaussian(), 6)[0] == pytest.approx(functional.mse_loss(theta, x).item())


def test_a_fit_is_measured_on_the_test_images(digits):
    run = Run("isthmus-4", "isthmus", 4, 8, epochs=3, seed=1)
    result = fit(run, digits)
    again = estimator(run, 64).fit(digits.train).reconstruct(digits.test)
    assert result.quality.mse == pytest.approx(np.square(again - digits.test).mean(), rel=1e-5)
    assert len(result.test_mse_by_epoch) == 1 + len(result.train_loss)
    assert result.shown.shape == (10, 64)
    assert result.seconds > 0


def test_training_is_not_touched_by_its_measurement(digits):
    run = Run("isthmus-4", "isthmus", 4, 8, epochs=2)
    one, other = fit(run, digits), fit(run, digits)
    assert one.train_loss == other.train_loss
    assert np.array_equal(one.shown, other.shown)


def test_pca_is_scikit_learns_at_every_size(digits):
    runs = [Run(f"pca-{k}", "pca", k) for k in (2, 8)]
    for run, result in zip(runs, fit_pca(runs, digits), strict=True):
        pca = PCA(run.latent).fit(digits.train)
        expected = np.square(pca.inverse_transform(pca.transform(digits.test)) - digits.test).mean()
        assert result.quality.mse == pytest.approx(expected, rel=1e-4)
        assert result.clipped_mse < result.quality.mse
