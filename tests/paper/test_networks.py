import pytest
import torch
from torch.nn import functional

from isthmus import Compute
from isthmus.data import load_dataset
from isthmus.paper.images import images_of
from isthmus.paper.networks import Run, decoder_weights, encoder_weights, estimator, planned_runs


@pytest.fixture(scope="module")
def digits():
    return images_of(load_dataset("digits"))


def test_every_name_is_planned_once_per_seed():
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


@pytest.mark.filterwarnings("ignore:.* columns are reconstructed as 0:isthmus.TrainingWarning")
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


def test_the_weights_are_those_next_to_the_images(digits):
    model = estimator(Run("", "isthmus", 4, 8, epochs=1), 64).set_params(floor="tell").fit(digits.train[:100])
    assert encoder_weights(model).shape == (8, 64)
    assert decoder_weights(model).shape == (64, 8)
    assert not encoder_weights(model).requires_grad
