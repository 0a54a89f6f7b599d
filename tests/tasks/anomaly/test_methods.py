"""What single methods compute, against closed forms."""

import numpy as np
import pytest
import torch
from torch import Generator

from isthmus.data.schema import TableSchema
from isthmus.tasks.anomaly.cell_histograms import SMOOTHING, CellHistograms
from isthmus.tasks.anomaly.denoiser import without_worst
from isthmus.tasks.anomaly.ensemble import Ensemble
from isthmus.tasks.anomaly.methods import METHODS, detection_method, method_named, name_of
from isthmus.tasks.anomaly.noise_conditioned import Denoising, NoiseConditioned
from isthmus.tasks.anomaly.scorer import CellScorer
from isthmus.tasks.anomaly.surprisal import FAR, Surprisal
from isthmus.tasks.anomaly.training import Training
from isthmus.tasks.anomaly.trimming import FINE_RIDGE, RIDGE, trimmed, unsuspected

CPU = torch.device("cpu")


def training(X, contaminated=False, estimator=None):
    return Training(X, contaminated, 0, CPU, TableSchema(X.shape[1]), estimator)


def correlated(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 3)) @ np.array([[1, 0.8, 0], [0, 0.6, 0.5], [0, 0, 0.7]])


def test_mahalanobis_is_the_distance_with_two_ridges():
    X = correlated(400)
    method = METHODS["mahalanobis"].train(training(X))
    Z = (X - X.mean(0)) / X.std(0)
    precisions = [np.linalg.inv(np.cov(Z.T, bias=True) + ridge * np.eye(3)) for ridge in (RIDGE, FINE_RIDGE)]
    logs = [np.log(((Z @ precision) * Z).sum(1)) for precision in precisions]
    np.testing.assert_allclose(method.score(X), np.mean(logs, axis=0), rtol=1e-3, atol=1e-3)


def test_mahalanobis_expects_what_a_ridge_regression_does():
    X = correlated(2000)
    method = METHODS["mahalanobis"].train(training(X))
    Z = torch.from_numpy((X - X.mean(0)) / X.std(0))
    # Regressing column 0 on the others, all with noise of variance RIDGE.
    covariance = torch.cov(Z.T, correction=0) + RIDGE * torch.eye(3)
    weights = torch.linalg.solve(covariance[1:, 1:], covariance[1:, 0])
    torch.testing.assert_close(method.expected(Z.float())[:, 0], Z[:, 1:] @ weights, rtol=1e-3, atol=1e-3)


def test_trimming_leaves_out_what_is_far():
    X = torch.from_numpy(np.concatenate([correlated(900), correlated(100, 1) + np.array([20, -20, 20])]))
    robust = trimmed(X, 5)
    assert robust.mean.abs().max() < 0.3
    kept = unsuspected(X.float(), robust)
    assert kept.sum() == 750
    assert not kept[900:].any()


def test_histograms_are_shares_of_rows():
    x = torch.tensor([[0.0], [0.05], [1.0], [0.5]])
    found = CellHistograms.of(x).surprisals(torch.tensor([[0.01], [0.99], [0.25], [7.0], [-3.0]]))[:, 0]
    empty = np.log((0.5 + SMOOTHING / 10) / (SMOOTHING / 10))
    rare = np.log((0.5 + SMOOTHING / 10) / (0.25 + SMOOTHING / 10))
    np.testing.assert_allclose(found, [0, rare, empty, empty, empty], rtol=1e-5)


def test_an_untrained_denoiser_shrinks_as_is_best_for_independent_cells():
    network = NoiseConditioned(4, Generator().manual_seed(0))
    with torch.no_grad():
        network.stack.weights[-1].zero_()
    noisy, level = torch.randn(5, 4), torch.full((5, 1), 0.7)
    torch.testing.assert_close(network.denoise(noisy, level), noisy / (1 + 0.49))


def test_the_loss_is_that_of_the_denoised_rows():
    network = NoiseConditioned(3, Generator().manual_seed(0))
    x, noise, level = torch.randn(6, 3), torch.randn(6, 3), torch.rand(6, 1) + 0.1
    error = x - network.denoise(x + level * noise, level)
    weight = (1 + level**2) / level**2
    torch.testing.assert_close(network.loss(x, noise, level), (weight * error**2).mean(1))


class Unfinished(CellScorer):
    """A method of which everything is missing."""


def test_what_a_method_lacks_is_named():
    with pytest.raises(NotImplementedError, match=r"method Unfinished lacks `trained_on\(training\)`: .*; define it"):
        Unfinished.trained_on(training(correlated(20)))
    scorer = Unfinished(training(correlated(20)).cells, CPU)
    for method in ("score_cells", "cell_errors"):
        with pytest.raises(NotImplementedError, match=rf"method Unfinished lacks `{method}\(x\)`"):
            getattr(scorer, method)(torch.zeros(1, 3))
    with pytest.raises(NotImplementedError, match=r"lacks `from_weights\(cells, device, weights\)`"):
        Unfinished.from_weights(scorer.cells, CPU, {})


def test_a_denoiser_learns_the_best_linear_one_of_normal_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 1)) * np.ones(2) + 0.3 * rng.normal(size=(4000, 2))
    method = METHODS["denoiser"].train(training(X))
    Z = torch.from_numpy((X - X.mean(0)) / X.std(0)).float()[:200]
    covariance = torch.cov(Z.T)
    level = 1.0
    best = Z @ torch.linalg.inv(covariance + level**2 * torch.eye(2)) @ covariance
    found = method.network.denoise(Z, torch.full((200, 1), level)).detach()
    assert (found - best).square().mean() < 0.05 * best.square().mean()


def test_the_worst_rows_are_left_out_half_way():
    x = torch.randn(100, 3, generator=Generator().manual_seed(0))
    x[:10] += 30
    network = NoiseConditioned(3, Generator().manual_seed(0))
    kept = without_worst(network, x, (0.5, 4.0), Generator().manual_seed(0))
    assert torch.equal(kept, torch.arange(10, 100))


def test_training_draws_a_level_per_row_log_uniformly():
    network = NoiseConditioned(3, Generator().manual_seed(0))
    denoising = Denoising(network, (0.1, 2.0))
    levels = []
    network.loss = lambda x, noise, level: levels.append(level) or x[:, 0]
    denoising.seed(Generator().manual_seed(0))
    assert denoising.terms(torch.zeros(4000, 3))["denoising"].shape == (4000,)
    share = ((levels[0].log() - np.log(0.1)) / np.log(20)).flatten().sort().values
    torch.testing.assert_close(share, torch.linspace(0, 1, 4000), atol=0.04, rtol=0)


def test_a_denoiser_is_the_same_for_the_same_seed():
    X = correlated(200)
    both = [METHODS["denoiser"].train(training(X, contaminated=True)).score(X) for _ in range(2)]
    np.testing.assert_array_equal(*both)


def test_surprisal_is_minus_the_log_share_and_does_not_fall():
    scores = np.random.default_rng(0).exponential(size=20_000)
    surprisal = Surprisal.of(scores)
    np.testing.assert_allclose(surprisal(np.array([0.2, 1.0, 4.0])), [0.2, 1.0, 4.0], rtol=0.1)
    at = np.linspace(-5, 100, 1000)
    assert (np.diff(surprisal(at)) >= 0).all()
    assert surprisal(np.array([1e9])) < FAR + 25


def test_surprisal_does_not_depend_on_the_unit():
    scores = np.random.default_rng(0).normal(size=500)
    new = np.linspace(-3, 8, 50)
    np.testing.assert_allclose(Surprisal.of(scores)(new), Surprisal.of(7 * scores + 3)(7 * new + 3))


def test_surprisal_of_scores_that_tie():
    assert np.isfinite(Surprisal.of(np.ones(10))(np.array([0.0, 1.0, 2.0]))).all()


def test_an_ensemble_is_the_root_mean_square_of_surprisals():
    X = correlated(300)
    own = training(X)
    members = [METHODS[name].train(own) for name in ("mahalanobis", "neighbours")]
    weights = np.array([1.0, 3.0])
    both = Ensemble.of(members, X, None, weights)
    alone = [Ensemble.of([member], X, None, np.ones(1)).score(X) for member in members]
    np.testing.assert_allclose(both.score(X) ** 2, np.average(np.square(alone), axis=0, weights=weights))
    np.testing.assert_allclose(both.errors(X).sum(1), 1)


def test_a_method_that_tells_no_rows_apart_counts_nothing():
    X = correlated(300)
    own = training(X)
    members = [METHODS[name].train(own) for name in ("mahalanobis", "rarity")]
    both = Ensemble.of(members, X, None, np.ones(2))
    assert both.weights.tolist() == [1.0, 0.0]
    np.testing.assert_allclose(both.score(X), Ensemble.of(members[:1], X, None, np.ones(1)).score(X))
    nothing = Ensemble.of(members[1:], X, None, np.ones(1))
    assert np.ptp(nothing.score(X)) == 0


@pytest.mark.parametrize("name", METHODS)
def test_errors_point_at_the_odd_column(name):
    X = correlated(500)
    X = X.round() if name == "rarity" else X
    method = METHODS[name].train(training(X))
    odd = X[:1].copy()
    odd[0, 2] += 12
    assert method.errors(odd)[0].argmax() == 2
    assert method.score(odd)[0] > np.quantile(method.score(X), 0.5 if name == "histogram" else 0.95)


def test_a_method_registers_itself_by_name():
    @detection_method("first_column")
    class FirstColumn:
        @classmethod
        def trained_on(cls, training):
            return cls()

    try:
        scorer = method_named("first_column").train(training(correlated(5)))
        assert name_of(scorer) == "first_column"
        with pytest.raises(ValueError, match="there is a detection method called 'first_column' already"):
            detection_method("first_column")(CellHistograms)
    finally:
        del METHODS["first_column"]
    with pytest.raises(ValueError, match="unknown method 'first_column'"):
        method_named("first_column")
