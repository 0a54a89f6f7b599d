import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Generator
from torch.distributions import Normal

from isthmus import MMD, AutoEncoder, TotalCorrelation
from isthmus.core.divergences import kernel_matrix, squared_mmd, total_correlation

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


def test_total_correlation_of_a_gaussian_aggregate():
    """Codes N(0, Σ) with small posteriors: TC = -½ log det of the correlation matrix."""
    correlation = 0.8
    exact = -0.5 * math.log(1 - correlation**2)
    z = normal(3000, 0, 2)
    z[:, 1] = correlation * z[:, 0] + math.sqrt(1 - correlation**2) * z[:, 1]
    deviation = torch.full_like(z, 0.2)
    q = Normal(z, deviation)
    drawn = z + deviation * normal(3000, 1, 2)
    found = total_correlation(drawn, q)
    assert found.shape == (3000,)
    # The posteriors' own noise weakens the correlation.
    weaker = -0.5 * math.log(1 - (correlation / (1 + 0.2**2)) ** 2)
    assert float(found.mean()) == pytest.approx(weaker, abs=0.06)
    assert weaker < exact


def test_total_correlation_of_one_coordinate_is_zero():
    z = normal(50, 0, 1)
    torch.testing.assert_close(total_correlation(z, Normal(z, torch.ones_like(z))), torch.zeros(50).double())


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
