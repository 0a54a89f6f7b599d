import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import Generator, Tensor

from isthmus.core import principal
from isthmus.core.principal import (
    PrincipalComponents,
    leading_eigenvectors,
    mean_and_covariance,
    principal_components,
)

N, F = 60, 8


@pytest.fixture
def x() -> Tensor:
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.gamma(1, size=(N, F)) @ rng.normal(size=(F, F)) + rng.normal(size=F))


def wide_matrix(columns: int = 1600, rows: int = 120, rank: int = 5) -> Tensor:
    """Low rank, and a hundredth of noise."""
    rng = np.random.default_rng(1)
    signal = rng.normal(size=(rows, rank)) * np.arange(rank, 0, -1) @ rng.normal(size=(rank, columns))
    return torch.from_numpy(signal + 0.01 * rng.normal(size=(rows, columns)) + rng.normal(size=columns))


def blocks_of(x: Tensor, weight: Tensor | None = None, size: int = 10**6):
    return lambda: [(x[i : i + size], None if weight is None else weight[i : i + size]) for i in range(0, len(x), size)]


def components_of(x: Tensor, weight: Tensor | None = None, size: int = 10**6, rank: int | None = None):
    return principal_components(blocks_of(x, weight, size), x.shape[1], rank, Generator().manual_seed(0))


def close(found, expected, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(torch.as_tensor(found), torch.as_tensor(expected), rtol=tolerance, atol=tolerance)


def assert_same(one: PrincipalComponents, other: PrincipalComponents, tolerance: float = 1e-10) -> None:
    for found, expected in zip(one, other, strict=True):
        close(found, expected, tolerance)


def assert_as_sklearn(found: PrincipalComponents, x: Tensor, rank: int, tolerance: float) -> None:
    expected = PCA(rank, svd_solver="full").fit(x.numpy())
    close(found.mean, expected.mean_, tolerance)
    close(found.variances[:rank], expected.explained_variance_ * (len(x) - 1) / len(x), tolerance)
    cosines = (torch.from_numpy(expected.components_) * found.components[:, :rank].T).sum(1)
    close(cosines.abs(), torch.ones(rank, dtype=torch.float64), tolerance)
    close(found.column_variances, x.var(0, correction=0), tolerance)
    reconstructed = expected.inverse_transform(expected.transform(x.numpy()))
    close(found.first(rank).reconstruct(x), reconstructed, tolerance**0.5)


# -- against scikit-learn --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rank", [1, 3, F])
def test_exact(x, rank):
    assert_as_sklearn(components_of(x), x, rank, 1e-10)


def test_by_subspace_iteration():
    x = wide_matrix()
    assert x.shape[1] > principal.WIDEST_EXACT
    found = components_of(x, rank=5)
    assert found.components.shape == (1600, 5)
    assert_as_sklearn(found, x, 5, 1e-8)


def test_by_subspace_iteration_of_blocks_with_weights():
    x = wide_matrix(rows=40)
    times = torch.arange(40) % 3
    repeated = components_of(x.repeat_interleave(times, 0), rank=5)
    assert_same(components_of(x, times.double(), size=7, rank=5), repeated, 1e-8)


def test_both_ways_agree(x, monkeypatch):
    exact = components_of(x, rank=3)
    monkeypatch.setattr(principal, "WIDEST_EXACT", F - 1)
    assert_same(components_of(x, rank=3), exact, 1e-10)


def test_wide_matrix_in_single_precision():
    x = wide_matrix()
    single, double = components_of(x.float(), rank=5), components_of(x, rank=5)
    assert single.components.dtype == torch.float64
    close(single.reconstruct(x), double.reconstruct(x), 1e-3)


@pytest.mark.parametrize(("columns", "rows", "rank"), [(1600, 120, 256), (1600, 5, 256)])
def test_default_rank_of_wide_data(columns, rows, rank):
    found = components_of(wide_matrix(columns, rows))
    assert found.components.shape == (columns, rank)
    close(found.components.T @ found.components, torch.eye(rank, dtype=torch.float64), 1e-8)
    assert (found.variances >= 0).all()
    assert found.variances.sum() <= found.column_variances.sum() * (1 + 1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_one_pass_is_as_good_as_two_where_the_first_block_lies_far_off(weighted):
    random = Generator().manual_seed(0)
    x = torch.randn(900, 150, dtype=torch.float64, generator=random) @ torch.diag(torch.linspace(0.1, 3, 150).double())
    x[:100] += 50
    weight = torch.rand(900, dtype=torch.float64, generator=random) if weighted else None
    pieces = list(zip(x.split(100), [None] * 9 if weight is None else weight.split(100), strict=True))
    mean, covariance = mean_and_covariance(lambda: pieces, 150)
    share = torch.full((900,), 1 / 900, dtype=torch.float64) if weight is None else weight / weight.sum()
    close(mean, share @ x, 1e-10)
    close(covariance, (x - share @ x).T @ ((x - share @ x) * share[:, None]), 1e-10)


@pytest.mark.parametrize(("x", "passes"), [(torch.ones(4, 3), 1), (wide_matrix(rows=20), 5)], ids=["narrow", "wide"])
def test_passes_over_the_data(x, passes):
    calls = []

    def blocks():
        calls.append(1)
        yield x, None

    principal_components(blocks, x.shape[1], 2, Generator().manual_seed(0))
    assert len(calls) == passes


@pytest.mark.parametrize("generator", [None, Generator().manual_seed(0)])
def test_global_generator_is_left_alone(generator):
    before = torch.get_rng_state()
    principal_components(blocks_of(wide_matrix(rows=20)), 1600, 2, generator)
    assert torch.equal(torch.get_rng_state(), before)


def test_same_seed_same_components():
    x = wide_matrix(rows=20)
    assert_same(components_of(x, rank=3), components_of(x, rank=3), 0)


# -- what they are ---------------------------------------------------------------------------------------------------


def test_components_are_orthonormal_by_falling_variance(x):
    found = components_of(x)
    close(found.components.T @ found.components, torch.eye(F, dtype=torch.float64))
    assert (found.variances.diff() <= 0).all()
    close(found.variances.sum(), found.column_variances.sum())
    scores = (x - found.mean) @ found.components
    close(scores.T @ scores / N, found.variances.diag())


@pytest.mark.parametrize("flip", [1, -1])
def test_largest_entry_of_each_component_is_positive(x, flip):
    components = components_of(flip * x).components
    largest = components.gather(0, components.abs().argmax(0, keepdim=True))
    assert (largest > 0).all()
    close(components, components_of(x).components)


def test_sign_of_components_of_wide_data():
    components = components_of(wide_matrix(rows=20), rank=4).components
    assert (components.gather(0, components.abs().argmax(0, keepdim=True)) > 0).all()


@pytest.mark.parametrize("size", [1, 7, 59])
def test_blocks_make_no_difference(x, size):
    assert_same(components_of(x, size=size), components_of(x))


@pytest.mark.parametrize("factor", [1.0, 0.01])
def test_weights_are_repetitions(x, factor):
    times = torch.arange(N) % 4
    repeated = components_of(x.repeat_interleave(times, 0))
    assert_same(components_of(x, factor * times.double(), size=13), repeated)


def test_equal_weights_are_no_weights(x):
    assert_same(components_of(x, torch.full((N,), 3.0)), components_of(x))


def test_order_of_rows_makes_no_difference(x):
    assert_same(components_of(x.flip(0)), components_of(x))


def test_large_offset(x):
    shifted = components_of(x + 1e6)
    close(shifted.components, components_of(x).components, 1e-6)


# -- what is asked of them -------------------------------------------------------------------------------------------


def test_first(x):
    found = components_of(x).first(3)
    assert found.components.shape == (F, 3)
    assert found.variances.shape == (3,)
    assert_same(found, components_of(x, rank=3))


@pytest.mark.parametrize("rank", [1, 3, F])
def test_residual_variances_are_the_errors_of_the_reconstruction(x, rank):
    found = components_of(x).first(rank)
    close(found.residual_variances(), (x - found.reconstruct(x)).square().mean(0))
    assert (found.residual_variances() >= 0).all()


@pytest.mark.parametrize("share", [0.01, 0.5, 0.8, 0.9, 0.99, 0.9999])
def test_rank_for_a_share_of_the_variance(x, share):
    explained = np.cumsum(PCA().fit(x.numpy()).explained_variance_ratio_)
    assert components_of(x).rank_for(share) == np.argmax(explained >= share) + 1


def test_rank_for_a_share_that_is_met_exactly():
    x = torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], dtype=torch.float64)
    found = components_of(x)
    assert [found.rank_for(share) for share in (1 / 3, 2 / 3, 0.67, 1)] == [1, 2, 3, 3]


@pytest.mark.parametrize("share", [0.3, 0.5, 0.6])
def test_rank_for_a_share_of_all_the_variance(x, share):
    every = components_of(x)
    assert every.rank_for(share) <= 3
    assert every.first(3).rank_for(share) == every.rank_for(share)


def test_rank_for_more_than_the_components_explain(x):
    assert components_of(x, rank=2).rank_for(0.9999) == 2


def test_constant_columns(x):
    x = torch.cat([x, torch.full((N, 2), 0.1, dtype=torch.float64)], dim=1)
    found = components_of(x).first(F)
    close(found.components[F:], torch.zeros(2, F, dtype=torch.float64))
    close(found.reconstruct(x), x)
    close(found.column_variances[F:], torch.zeros(2, dtype=torch.float64))


def test_constant_data():
    found = components_of(torch.full((5, 3), 0.1, dtype=torch.float64))
    assert (found.variances >= 0).all()
    assert found.variances.max() < 1e-30
    assert found.rank_for(0.9) == 1
    close(found.components.T @ found.components, torch.eye(3, dtype=torch.float64))


def test_fewer_rows_than_columns():
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(3, F)))
    found = components_of(x)
    close(found.first(2).reconstruct(x), x)
    assert found.rank_for(1.0) == 2


@pytest.mark.parametrize("rank", [1, 5, 11, 12])
def test_leading_eigenvectors_are_those_of_all(rank):
    root = torch.randn(30, 12, dtype=torch.float64, generator=Generator().manual_seed(0))
    symmetric = root.T @ root
    variances, components = leading_eigenvectors(symmetric.clone(), rank)
    torch.testing.assert_close(symmetric @ components, components * variances)
    torch.testing.assert_close(components.T @ components, torch.eye(rank, dtype=torch.float64))
    torch.testing.assert_close(variances, torch.linalg.eigvalsh(symmetric).flip(0)[:rank])


# -- noise and holes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rank", [2, F])
def test_denoised_is_the_regression_on_noisy_rows(x, rank):
    found, noise = components_of(x).first(rank), 0.7
    covariance = found.components @ torch.diag(found.variances) @ found.components.T
    centred = x - found.mean
    eye = torch.eye(F, dtype=torch.float64)
    close(
        found.denoised(x, noise), centred @ torch.linalg.solve(covariance + noise * eye, covariance) + found.mean, 1e-8
    )


def test_without_noise_denoised_is_the_reconstruction(x):
    found = components_of(x).first(3)
    close(found.denoised(x, 0.0), found.reconstruct(x))


def test_filled_is_the_conditional_expectation(x):
    found = components_of(x).first(3)
    own = found.residual_variances().mean()
    directions = found.components
    covariance = directions @ torch.diag(found.variances - own) @ directions.T + own * torch.eye(F, dtype=torch.float64)
    hidden = torch.from_numpy(np.random.default_rng(0).random((N, F)) < 0.4).double()
    filled = found.filled(x, hidden)
    for row, mask, expected in zip(x, hidden.bool(), filled, strict=True):
        seen = ~mask
        regression = torch.linalg.solve(covariance[seen][:, seen], covariance[seen][:, mask])
        close(expected[mask], (row - found.mean)[seen] @ regression + found.mean[mask], 1e-8)


def test_what_is_hidden_does_not_matter(x):
    found = components_of(x).first(3)
    hidden = torch.zeros_like(x)
    hidden[:, 2:4] = 1
    close(found.filled(x + 100 * hidden, hidden), found.filled(x, hidden))
