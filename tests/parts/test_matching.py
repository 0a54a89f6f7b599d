import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Generator
from torch.distributions import Normal

from isthmus import MMD, AutoEncoder, TotalCorrelation
from isthmus.core import divergences
from isthmus.core.divergences import BANDWIDTH, kernel_matrix, pairwise_information, squared_mmd

K = 3


def normal(rows, seed, columns=K):
    return torch.randn(rows, columns, dtype=torch.float64, generator=Generator().manual_seed(seed))


@pytest.mark.parametrize("kernel", ["imq", "rbf"])
def test_kernel_is_symmetric_positive_and_largest_on_the_diagonal(kernel):
    matrix = kernel_matrix(kernel, normal(40, 0), normal(40, 0))
    torch.testing.assert_close(matrix, matrix.T)
    assert float(torch.linalg.eigvalsh(matrix).min()) > -1e-9
    torch.testing.assert_close(matrix.amax(1), matrix.diagonal())


@pytest.mark.parametrize("kernel", ["imq", "rbf"])
def test_estimate_is_zero_on_average_between_equal_distributions(kernel):
    found = torch.stack([squared_mmd(kernel, normal(30, 2 * s), normal(30, 2 * s + 1)) for s in range(400)])
    assert abs(float(found.mean())) < 5 * float(found.std()) / 20
    assert float(found.min()) < 0


def test_gaussian_kernel_between_shifted_normals_is_the_closed_form():
    """E k(a, b) = (K/(K + 2))^{K/2} exp(-‖m‖²/(2(K + 2))) for a ~ N(m, I), b ~ N(0, I), k of bandwidth √K."""
    shift = 1.5 * torch.ones(K, dtype=torch.float64)
    level = (K / (K + 2)) ** (K / 2)
    expected = 2 * level * (1 - math.exp(-float(shift.square().sum()) / (2 * (K + 2))))
    found = torch.stack([squared_mmd("rbf", normal(200, 2 * s) + shift, normal(200, 2 * s + 1)) for s in range(60)])
    assert abs(float(found.mean()) - expected) < 5 * float(found.std()) / 60**0.5


def test_weights_are_those_of_the_distribution():
    weight = torch.cat([torch.ones(300), torch.zeros(100)]).double()
    a, b = normal(400, 0), normal(400, 1)
    torch.testing.assert_close(squared_mmd("imq", a, b, weight), squared_mmd("imq", a[:300], b))


def test_one_row_has_no_distance():
    assert float(squared_mmd("imq", normal(1, 0), normal(1, 1))) == 0


def chain(rows, correlation, size=2):
    """Draws of narrow posteriors whose means have unit variance, each correlated with the one before."""
    noise, columns = normal(rows, 0, size), []
    for j in range(size):
        before = correlation * columns[-1] + math.sqrt(1 - correlation**2) * noise[:, j] if j else noise[:, 0]
        columns.append(before)
    mean = torch.stack(columns, 1)
    return mean + 0.05 * normal(rows, 1, size), Normal(mean, torch.full_like(mean, 0.05))


@pytest.mark.parametrize("size", [2, 3])
def test_information_of_gaussian_codes_is_the_closed_form(size):
    """Σ -½ log(1 - r²) over the pairs, r weakened by the noise that is added."""
    z, q = chain(2000, 0.8, size)
    found = pairwise_information(z, q)
    assert found.shape == (2000,)
    weaker = 1 + BANDWIDTH**2 + 0.05**2
    pairs = [0.8 ** (k - j) / weaker for j in range(size) for k in range(j + 1, size)]
    expected = sum(-0.5 * math.log(1 - r**2) for r in pairs)
    assert float(found.mean()) == pytest.approx(expected, rel=0.15)


def test_information_of_independent_codes_is_near_none_in_many_dimensions():
    """The mixture of a batch, taken for the density of 16 numbers at once, would say about 16 · 2.5 - log B nats."""
    assert abs(float(pairwise_information(*chain(128, 0.0, 16)).mean())) < 0.05 * (16 * 15 / 2)


def test_information_has_no_units():
    z, q = chain(200, 0.8)
    scale, shift = torch.tensor([3.0, 0.01]).double(), torch.tensor([5.0, -2.0]).double()
    moved = pairwise_information(scale * z + shift, Normal(scale * q.mean + shift, scale * q.stddev))
    torch.testing.assert_close(moved, pairwise_information(z, q))


def test_information_counts_rows_by_their_weights():
    z, q = chain(60, 0.8, 3)
    weight = torch.tensor([1.0, 2.0, 3.0]).repeat(20)
    often = weight.long()
    twice = pairwise_information(
        z.repeat_interleave(often, 0), Normal(q.mean.repeat_interleave(often, 0), q.stddev.repeat_interleave(often, 0))
    )
    weighted = pairwise_information(z, q, weight)
    torch.testing.assert_close(weighted.repeat_interleave(often), twice)


def test_information_in_pieces_is_that_in_one(monkeypatch):
    z, q = chain(50, 0.8, 3)
    whole = pairwise_information(z, q)
    monkeypatch.setattr(divergences, "CELLS", 1000)
    torch.testing.assert_close(pairwise_information(z, q), whole)


@pytest.mark.parametrize("size", [1, 3])
def test_codes_of_one_number_or_without_spread_share_nothing(size):
    z = normal(50, 0, 1) if size == 1 else torch.zeros(50, size, dtype=torch.float64)
    found = pairwise_information(z, Normal(z, torch.ones_like(z)))
    torch.testing.assert_close(found, torch.zeros(50).double(), atol=1e-12, rtol=0)


def test_codes_come_nearer_to_the_prior():
    X = (load_digits().data / 16).astype(np.float32)
    prior = normal(1797, 5, 4)
    distances = []
    for penalty in (None, MMD(100.0)):
        codes = AutoEncoder(4, penalty=penalty, epochs=30, random_state=0).fit(X).transform(X)
        distances.append(float(squared_mmd("imq", torch.from_numpy(codes).double(), prior)))
    assert distances[1] < 0.1 * distances[0]
    assert distances[1] < 0.05


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (MMD(-1), "weight of MMD must be a number of at least 0"),
        (MMD(kernel="x"), "unknown kernel of MMD"),
        (TotalCorrelation(0), "beta of TotalCorrelation must be a positive number"),
    ],
)
def test_parameters_that_cannot_be(part, message):
    with pytest.raises(ValueError, match=message):
        part.build(5, K)
