import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal

from isthmus import AutoEncoder, Bernoulli, Compute, Gaussian, TopK, zoo
from isthmus.data.dense import DenseTable
from isthmus.estimators import generation
from isthmus.estimators.inference import Inference

F, K = 6, 2


def rows(n=600, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, K)) @ rng.normal(size=(K, F)) + 0.5 * rng.normal(size=(n, F)) + 3


@pytest.fixture(scope="module")
def linear():
    """A linear variational autoencoder: its likelihood is known."""
    return zoo.variational(K, encoder="linear", likelihood=Gaussian(), epochs=60, random_state=0).fit(rows())


def exact(model, X):
    weight = model.network_.decoder.weights[0].double().detach()
    bias = model.network_.decoder.biases[0].double().detach()
    noise = float(model.network_.likelihood.variance)
    covariance = weight @ weight.T + noise * torch.eye(F, dtype=torch.float64)
    scaled = torch.from_numpy((X - model.scaling_.shift.numpy()) / model.scaling_.scale.numpy())
    return MultivariateNormal(bias, covariance).log_prob(scaled).numpy() - model.scaling_.log_volume(scaled).numpy()


def test_log_likelihood_is_that_of_the_linear_model(linear):
    X = rows(200, 0)
    found = linear.log_likelihood(X, importance_samples=500)
    np.testing.assert_allclose(found.mean(), exact(linear, X).mean(), atol=0.02)
    assert np.abs(found - exact(linear, X)).max() < 0.5


def test_log_likelihood_rises_with_the_samples(linear):
    X = rows()
    means = [linear.log_likelihood(X, importance_samples=n).mean() for n in (1, 10, 300)]
    assert means[0] < means[1] < means[2] <= exact(linear, X).mean() + 0.02


def test_log_likelihood_by_another_seed_is_near(linear):
    X = rows(100)
    one, other = (linear.log_likelihood(X, 200, random_state=seed) for seed in (1, 2))
    assert not np.array_equal(one, other)
    np.testing.assert_allclose(one.mean(), other.mean(), atol=0.05)


def test_draws_look_like_the_rows(linear):
    drawn = linear.sample(20_000, random_state=0, noise=True)
    X = rows()
    np.testing.assert_allclose(drawn.mean(0), X.mean(0), atol=0.25)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(X.T), atol=0.15 * np.cov(X.T).max())
    assert linear.sample(20_000, random_state=0, noise=False).var(0).sum() < drawn.var(0).sum()


def test_draws_of_bits_are_bits():
    bits = (rows() > 3).astype(np.uint8)
    model = zoo.variational(K, likelihood=Bernoulli(), epochs=3, random_state=0).fit(bits)
    assert set(np.unique(model.sample(50, random_state=0, noise=True))) <= {0.0, 1.0}


@pytest.mark.parametrize("method", ["sample", "log_likelihood", "indices"])
def test_what_a_model_cannot_do_is_said(method):
    model = AutoEncoder(K, code=TopK(1), epochs=1, random_state=0).fit(rows())
    with pytest.raises(AttributeError, match=method):
        getattr(model, method)
    assert hasattr(AutoEncoder(K), method)


def test_interpolation_needs_as_many_rows_at_both_ends(linear):
    with pytest.raises(ValueError, match="a and b must have the same number of rows; got 2 and 3"):
        linear.interpolate(rows()[:2], rows()[:3])
    with pytest.raises(ValueError, match="steps must be a whole number of at least 2"):
        linear.interpolate(rows()[0], rows()[1], steps=1)


@pytest.mark.parametrize("n", [0, -1, 2.5])
def test_numbers_that_cannot_be(linear, n):
    with pytest.raises(ValueError, match="n must be a whole number of at least 1"):
        linear.sample(n)
    with pytest.raises(ValueError, match="importance_samples must be"):
        linear.log_likelihood(rows(), importance_samples=n)


def test_lines_are_straight_and_end_at_their_ends():
    start, end = np.random.default_rng(0).normal(size=(2, 3, K))
    points = generation.line(start, end, 5)
    assert points.shape == (3, 5, K)
    np.testing.assert_array_equal(points[:, 0], start)
    np.testing.assert_array_equal(points[:, -1], end)
    np.testing.assert_allclose(np.diff(points, axis=1), np.broadcast_to((end - start)[:, None] / 4, (3, 4, K)))


def test_codewords_are_those_of_the_code():
    model = zoo.vector_quantised(2, codes=8, width=2, epochs=1, random_state=0).fit(rows()).model_
    inference = Inference(model, Compute(threads=1))
    found = generation.codewords(inference, DenseTable(rows()))
    assert found.dtype == np.int64
    assert found.min() >= 0
    assert found.max() < 8
    np.testing.assert_array_equal(generation.codewords(inference, DenseTable(rows()[7:8])), found[7:8])
