"""A start at PCA is never worse than the columns' means, whatever the table is like."""

import math

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from isthmus import (
    KL,
    Bernoulli,
    Categorical,
    Dense,
    Deterministic,
    Gaussian,
    GaussianCode,
    GaussianNoise,
    Laplace,
    Linear,
    Masking,
    Mixed,
    Multinomial,
    NegativeBinomial,
    Poisson,
    StudentT,
)
from isthmus.core.initialisation import initialise
from isthmus.core.mean_start import TOLERANCE, Comparison, start_at_mean
from isthmus.core.network import Network
from isthmus.core.principal import principal_components
from isthmus.parts.composition import compose

repeatable = settings(
    deadline=None, max_examples=30, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)
ROWS = 80


def started(x: Tensor, latent: int, **parts) -> tuple[Network, str]:
    features = x.shape[1]
    network = compose(features, latent, **parts).to(x.dtype)
    likelihood = network.likelihood
    likelihood.look(x)
    seen = likelihood.encoder_input(x)[:, :features] if likelihood.starts_linear else x
    principal = principal_components(lambda: [(seen, None)], features).first(latent)
    return network, initialise(network, "pca", Generator().manual_seed(0), principal, x)


def assert_no_worse(network: Network, x: Tensor) -> None:
    comparison = Comparison(network, x, None)
    start, mean = comparison.at_start, comparison.at_mean
    if not network.likelihood.starts_linear:
        start, mean = start.sum(), mean.sum()
    # Weights are rounded when they are written.
    assert bool((start <= mean + 10 * TOLERANCE * mean.abs() + ROWS * torch.finfo(x.dtype).eps).all())
    assert network.finite()


def assert_silent(network: Network, latent: int, rank: int) -> None:
    """Coordinates of the code from `rank` on change no output."""
    z = torch.randn(5, latent, dtype=next(network.parameters()).dtype, generator=Generator().manual_seed(0))
    other = z.clone()
    other[:, rank:] += 10
    with torch.no_grad():
        torch.testing.assert_close(network.decoder(other), network.decoder(z), rtol=0, atol=1e-5)


@st.composite
def real_columns(draw):
    """Columns that may be constant, copies of each other, or nearly so; return them and their rank."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    independent = draw(st.integers(1, 4))
    columns = list(rng.normal(size=(independent, ROWS)))
    scales = [draw(st.sampled_from([1.0, 1.0, 1e-3, 1e3])) for _ in columns]
    columns = [scale * column for scale, column in zip(scales, columns, strict=True)]
    for _ in range(draw(st.integers(0, 4))):
        sort = draw(st.sampled_from(["constant", "copy", "nearly a copy", "outlier"]))
        base = columns[draw(st.integers(0, independent - 1))]
        if sort == "constant":
            columns.append(np.full(ROWS, draw(st.sampled_from([0.0, 0.3, -1e4]))))
        elif sort == "copy":
            columns.append(draw(st.sampled_from([1.0, -2.0])) * base)
        elif sort == "nearly a copy":
            columns.append(base + 10.0 ** -draw(st.integers(1, 8)) * base.std() * rng.normal(size=ROWS))
        else:
            columns.append(np.where(np.arange(ROWS) == draw(st.integers(0, ROWS - 1)), 100.0, 0.0))
    return np.array(columns).T


@st.composite
def mixed_tables(draw):
    """Columns of every family, with gaps; return the cells, the likelihood and the number of categories."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    real = draw(real_columns())
    hidden = real[:, 0] / max(real[:, 0].std(), 1e-12)
    flags = [(hidden + rng.normal(size=ROWS) > draw(st.sampled_from([0.0, 2.0, 9.0]))) for _ in range(2)]
    sizes, blocks = [], []
    for _ in range(draw(st.integers(1, 2))):
        known, unknown = draw(st.integers(1, 4)), draw(st.integers(0, 1))
        chosen = (rng.integers(known, size=ROWS) + (hidden > 1)) % known
        blocks.append(np.eye(known + unknown)[chosen])
        sizes.append(known + unknown)
    counts = [rng.poisson(draw(st.sampled_from([0.0, 0.3, 30.0])) * np.exp(0.5 * hidden.clip(-3, 3))) for _ in range(2)]
    pieces = [real, np.array(flags).T, *blocks, np.array(counts).T]
    cells = np.concatenate([piece.astype(float) for piece in pieces], 1)
    numbers = draw(st.sampled_from([Gaussian("columns"), StudentT()]))
    families = (numbers, Bernoulli(), Categorical(tuple(sizes)), NegativeBinomial(), Poisson())
    likelihood = Mixed(families, (real.shape[1], 2, sum(sizes), 1, 1))
    module = likelihood.build(cells.shape[1])
    share = draw(st.sampled_from([0.0, 0.1, 0.5, 0.9]))
    missing = (rng.random((ROWS, len(module.slots))) < share)[:, module.slot]
    return np.where(missing, np.nan, cells), likelihood, len(sizes)


HIDDEN = st.sampled_from([(), (8,), (64,), (64, 20)])


@repeatable
@given(
    mixed_tables(),
    HIDDEN,
    st.sampled_from([1, 2, 5, 40]),
    st.sampled_from([None, Masking(0.3, value=None), Masking(0.3, value=None, score="hidden"), GaussianNoise(1.0)]),
    st.sampled_from([Deterministic(), Deterministic("tanh"), GaussianCode()]),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_tables_of_several_kinds(table, hidden, latent, corruption, code, dtype):
    cells, likelihood, blocks = table
    x = torch.from_numpy(cells).to(dtype)
    penalty = KL() if isinstance(code, GaussianCode) else None
    parts = {"likelihood": likelihood, "corruption": corruption, "code": code, "penalty": penalty}
    network, words = started(x, latent, encoder=Dense(hidden), **parts)
    assert words.startswith("pca (and the best linear map from it")
    assert_no_worse(network, x)
    # The cells of a category add up to 1.
    rank = x.shape[1] - blocks
    if latent > rank:
        assert_silent(network, latent, rank)


@repeatable
@given(
    real_columns(),
    HIDDEN,
    st.sampled_from(["silu", "relu", "tanh"]),
    st.sampled_from([1, 2, 5, 40]),
    st.sampled_from([Gaussian(), Gaussian("learned"), Gaussian(1.0), StudentT(), Laplace(), StudentT(scale="learned")]),
    st.sampled_from([None, GaussianNoise(3.0), Masking(0.9), Masking(0.3, value=5.0)]),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_tables_of_numbers(columns, hidden, activation, latent, likelihood, corruption, dtype):
    x = torch.from_numpy(columns).to(dtype)
    network, words = started(x, latent, encoder=Dense(hidden, activation), likelihood=likelihood, corruption=corruption)
    assert words.startswith("pca (")
    assert_no_worse(network, x)
    if latent > x.shape[1]:
        assert_silent(network, latent, x.shape[1])


@repeatable
@given(real_columns(), st.sampled_from([(), (80,)]), st.sampled_from([1, 2]), st.sampled_from([None, Masking(0.9)]))
def test_tied_weights(columns, hidden, latent, corruption):
    x = torch.from_numpy(columns)
    latent = min(latent, x.shape[1])
    encoder = Dense(hidden, "relu") if hidden else Linear()
    network, words = started(x, latent, encoder=encoder, decoder="tied", corruption=corruption)
    assert words.startswith("pca (")
    assert_no_worse(network, x)


@repeatable
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([Poisson(), NegativeBinomial(), Multinomial(), Bernoulli()]),
    st.sampled_from([0.01, 1.0, 1000.0]),
    st.sampled_from([1, 3, 20]),
)
def test_counts_and_flags(seed, likelihood, rate, latent):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rate * np.exp(rng.normal(size=(ROWS, 2)) @ rng.normal(size=(2, 6))))
    x = torch.from_numpy((counts > 0 if isinstance(likelihood, Bernoulli) else counts).astype(float))
    network, _ = started(x, latent, encoder=Dense((20,)), likelihood=likelihood)
    assert_no_worse(network, x)


def test_noise_that_drowns_the_data_is_told():
    x = torch.randn(ROWS, 4, dtype=torch.float64, generator=Generator().manual_seed(0))
    for decoder, told in [
        (None, "; 4 of 4 columns drawn back to their mean)"),
        ("tied", " of it, drawn back to the mean)"),
    ]:
        network, words = started(
            x, 2, encoder=Dense((8,)), decoder=decoder, corruption=GaussianNoise(5.0, clip=(-50, 50))
        )
        assert words.endswith(told)
        assert_no_worse(network, x)


def test_a_copy_is_told_by_the_components_that_it_needs():
    x = torch.randn(ROWS, 3, dtype=torch.float64, generator=Generator().manual_seed(0))
    x = torch.cat([x, x[:, :2], torch.zeros(ROWS, 1, dtype=torch.float64)], 1)
    network, words = started(x, 5, encoder=Dense((20,)))
    assert words == "pca (exact; 3 components hold all of the variance)"
    with torch.no_grad():
        torch.testing.assert_close(network.decode(network.encode(x).z), x, rtol=0, atol=1e-8)
    assert_silent(network, 5, 3)


def test_surplus_coordinates_learn():
    x = torch.randn(ROWS, 3, dtype=torch.float64, generator=Generator().manual_seed(0))
    network, _ = started(x, 5, encoder=Dense((20,)))
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(3):
        optimiser.zero_grad()
        sum(network.train().terms(x.square()).values()).mean().backward()
        optimiser.step()
    z = torch.zeros(1, 5, dtype=torch.float64)
    with torch.no_grad():
        changes = [network.decoder(z + 1.0 * (torch.arange(5) == k)) - network.decoder(z) for k in (3, 4)]
    assert min(float(change.abs().max()) for change in changes) > 1e-6


def test_random_weights_start_at_the_mean_where_a_link_is_steep():
    x = torch.from_numpy(np.random.default_rng(0).poisson(50.0, size=(ROWS, 5))).double()
    network = compose(5, 3, likelihood=Poisson()).double()
    for backbone in (network.encoder, network.decoder):
        backbone.initialise("orthogonal", Generator().manual_seed(0))
    assert start_at_mean(network, x) == "; 2 of 5 columns drawn back to their mean"
    assert_no_worse(network, x)


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
def test_gaps_are_not_blown_up(share):
    """A column that is seldom there has the size of the others, however seldom it is."""
    rng = np.random.default_rng(0)
    common = rng.normal(size=400)
    x = common[:, None] + 0.3 * rng.normal(size=(400, 4))
    x[:, 0] = np.where(rng.random(400) < share, x[:, 0], math.nan)
    network, _ = started(torch.from_numpy(x), 4, likelihood=Mixed((Gaussian("columns"),), (4,)))
    filled = network.decode(network.encode(torch.from_numpy(x)).z).detach().numpy()[:, 0]
    assert np.abs(filled - common).mean() < np.abs(common - np.nanmean(x[:, 0])).mean() * 1.1
