"""`score`: a log-density that costs what the code costs, so that sizes can be compared."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.datasets import load_digits, load_wine
from sklearn.model_selection import GridSearchCV

from isthmus import AutoEncoder, Linear, TopK, load, zoo
from isthmus.estimators import generation

RANK, COLUMNS = 3, 12


def rows(count, seed=0, noise=0.5):
    generator = np.random.default_rng(0)
    loadings, spread = generator.normal(size=(RANK, COLUMNS)), noise * generator.uniform(0.5, 1.5, COLUMNS)
    own = np.random.default_rng(seed)
    return own.normal(size=(count, RANK)) @ loadings + spread * own.normal(size=(count, COLUMNS))


TRAIN, TEST = rows(300, 1), rows(400, 2)


def linear(latent=RANK, **settings):
    settings = {"epochs": 5, "scale": "standard", "random_state": 0} | settings
    return AutoEncoder(latent, encoder=Linear(), decoder=Linear(), **settings)


def test_the_density_of_a_linear_model_is_that_of_its_normal_distribution():
    model = linear().fit(TRAIN)
    marginal, network = model.model_.record.marginal, model.network_
    weight = (network.decoder.weights[0] @ marginal.root).double().detach().numpy()
    mean = network.decoder(marginal.mean[None]).double().detach().numpy()[0]
    covariance = weight @ weight.T + np.diag(marginal.likelihood.variance.double().numpy())
    scaled = (TEST - model.scaling_.shift.numpy()) / model.scaling_.scale.numpy()
    exact = multivariate_normal(mean, covariance).logpdf(scaled) - np.log(model.scaling_.scale.numpy()).sum()
    for samples in (1, 30):
        np.testing.assert_allclose(model.log_likelihood(TEST, samples), exact, rtol=1e-8)


def test_other_coordinates_of_the_code_change_nothing():
    model = linear().fit(TRAIN)
    before = model.score(TEST)
    turn = torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 0.5], [0.0, 0.3, -3.0]]).to(model.network_.decoder.weights[0])
    with torch.no_grad():
        encoder, decoder = model.network_.encoder, model.network_.decoder
        encoder.weights[0].copy_(turn @ encoder.weights[0])
        encoder.biases[0].copy_(turn @ encoder.biases[0])
        decoder.weights[0].copy_(decoder.weights[0] @ torch.linalg.inv(turn))
    marginal = model.model_.record.marginal
    marginal.mean.copy_(turn @ marginal.mean)
    marginal.root.copy_(torch.linalg.cholesky(turn @ marginal.root @ marginal.root.T @ turn.T))
    assert model.score(TEST) == pytest.approx(before, rel=1e-8)


def test_units_change_the_score_by_their_logarithm():
    factors = np.linspace(0.1, 100, COLUMNS)
    plain, scaled = linear().fit(TRAIN), linear().fit(TRAIN * factors)
    assert scaled.score(TEST * factors) == pytest.approx(plain.score(TEST) - np.log(factors).sum(), rel=1e-4)


def test_the_score_names_the_rank():
    scores = {k: AutoEncoder(k, random_state=0, epochs=30).fit(TRAIN).log_likelihood(TEST, 32) for k in range(1, 8)}
    means = {k: found.mean() for k, found in scores.items()}
    assert abs(max(means, key=means.get) - RANK) <= 1
    assert means[RANK] > means[RANK - 1] + 0.5
    for k in range(RANK, 7):
        fall = scores[k] - scores[k + 1]
        assert fall.mean() < 3 * max(fall.std() / len(fall) ** 0.5, 0.1)


def test_grid_search_picks_the_rank():
    found = GridSearchCV(AutoEncoder(random_state=0, epochs=20), {"latent": [1, 2, 3, 4, 6, 9]}, cv=3).fit(TRAIN)
    assert abs(found.best_params_["latent"] - RANK) <= 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:latent=64 is not smaller")
@pytest.mark.filterwarnings("ignore:the code is larger than it must be:isthmus.TrainingWarning")
def test_digits_have_no_cliff():
    X = load_digits().data[:800]
    scores = [AutoEncoder(k, random_state=0, epochs=15).fit(X[:533]).score(X[533:]) for k in (32, 40, 50, 56, 60, 64)]
    assert min(scores) > -200


@pytest.mark.filterwarnings("ignore:latent=26 is not smaller")
@pytest.mark.parametrize("latent", [2, 12, 13, 14, 26])
def test_copies_and_constants_leave_the_score_in_bounds(latent):
    X = load_wine().data[np.random.default_rng(0).permutation(178)]
    X = np.column_stack([X, X[:, :12] * 3 + 1, np.full(178, 7.0)])
    score = AutoEncoder(latent, random_state=0, epochs=20).fit(X[:120]).score(X[120:])
    # A copied column is known to a thousandth of its standard deviation at best: log 1000 nats each.
    assert -60 < score < -20 + 12 * np.log(1000)


def test_few_rows_have_no_cliff():
    small = TRAIN[:25]
    scores = [AutoEncoder(k, random_state=0, epochs=20).fit(small).score(TEST) for k in (2, 3, 6, 11)]
    assert min(scores) > max(scores) - 15


def test_it_is_saved(tmp_path):
    model = AutoEncoder(RANK, random_state=0, epochs=3).fit(TRAIN)
    model.save(tmp_path / "model")
    assert load(tmp_path / "model").score(TEST) == model.score(TEST)


def test_models_without_a_density_compare_by_score_samples():
    sparse = AutoEncoder(8, code=TopK(2), random_state=0, epochs=2).fit(TRAIN)
    chunk = AutoEncoder(RANK, random_state=0).partial_fit(TRAIN)
    for model in (sparse, chunk):
        assert not generation.has_density(model.model_)
        assert model.score(TEST) == model.score_samples(TEST).mean()


def test_a_variational_model_scores_by_its_bound():
    model = zoo.variational(2, random_state=0, epochs=3).fit(TRAIN)
    assert model.score(TEST) == model.log_likelihood(TEST, 32).mean()


@pytest.mark.filterwarnings("ignore")
def test_tables_of_several_kinds_with_gaps():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(TRAIN[:, :4], columns=list("abcd"))
    frame["kind"] = np.where(frame["a"] > 0, "yes", "no")
    frame.loc[::7, "b"] = np.nan
    scores = [AutoEncoder(k, random_state=0, epochs=10).fit(frame[:200]).score(frame[200:]) for k in (1, 2, 4)]
    assert np.isfinite(scores).all()
    assert min(scores) > -30
