"""Factor analysis against the normal distribution, scikit-learn's, and known factors."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.decomposition import FactorAnalysis

from isthmus.core.factor_analysis import FactorModel, factor_analysis

RNG = np.random.default_rng(0)
LOADINGS, SPREAD = RNG.normal(size=(8, 2)), RNG.uniform(0.3, 1.5, 8)
X = RNG.normal(size=(4000, 2)) @ LOADINGS.T + SPREAD * RNG.normal(size=(4000, 8))


def fitted(x, factors, groups=None, share=0.0):
    covariance = np.cov(x.T, bias=True)
    groups = np.arange(len(covariance)) if groups is None else groups
    noise = np.where(groups[:, None] == groups, covariance, 0) + 1e-6 * np.eye(len(covariance))
    floor = np.full(len(covariance), 1e-6)
    for _ in range(30):
        model = factor_analysis(x.mean(0), covariance, factors, groups=groups, floor=floor, share=share, noise=noise)
        noise = model.noise
    return model


def test_log_density_is_that_of_the_normal_distribution():
    model = FactorModel(np.arange(8.0), LOADINGS, np.diag(SPREAD**2))
    other = multivariate_normal(np.arange(8.0), LOADINGS @ LOADINGS.T + np.diag(SPREAD**2))
    np.testing.assert_allclose(model.log_densities(X[:20]), other.logpdf(X[:20]))


def test_without_factors_columns_are_independent():
    model = fitted(X, 0)
    np.testing.assert_allclose(model.noise, np.diag(X.var(0)), rtol=1e-3)
    assert model.loadings.shape == (8, 0)


def test_the_likelihood_is_that_of_scikit_learn():
    own = fitted(X, 2).log_densities(X).mean()
    assert own == pytest.approx(FactorAnalysis(2, tol=1e-8, max_iter=5000).fit(X).score(X), abs=1e-3)


def test_known_noise_is_found():
    np.testing.assert_allclose(np.sqrt(np.diag(fitted(X, 2).noise)), SPREAD, rtol=0.1)


def test_what_a_group_has_in_common_is_no_factor():
    """Two columns with common noise of their own need no factor if they are one group, and one if they are not."""
    common = RNG.normal(size=(4000, 1))
    x = np.column_stack([common + 0.1 * RNG.normal(size=(4000, 2)), RNG.normal(size=(4000, 2))])
    apart, together = (
        [fitted(x, k, groups).log_densities(x).mean() for k in (0, 1)]
        for groups in (np.arange(4), np.array([0, 0, 1, 2]))
    )
    assert apart[1] > apart[0] + 1
    assert together[1] == pytest.approx(together[0], abs=0.01)
    assert together[0] == pytest.approx(apart[1], abs=0.01)


def test_cells_of_a_category_add_up_to_one_without_harm():
    cells = np.eye(3)[RNG.integers(0, 3, 500)]
    assert np.isfinite(fitted(np.column_stack([cells, X[:500]]), 2, np.array([0, 0, 0, *range(1, 9)])).noise).all()


def test_the_share_draws_noise_to_the_mean():
    noise = np.diag(fitted(X, 2, share=1.0).noise)
    np.testing.assert_allclose(noise, noise.mean())
