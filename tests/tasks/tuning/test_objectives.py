"""Objectives: what they measure agrees with independent computations."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import mean_poisson_deviance, roc_auc_score

from isthmus import AnomalyDetector, AutoEncoder, Gaussian, Imputer, TopK, tune
from isthmus.tasks.tuning.objective import OBJECTIVES, Data, Objective, objective, objective_for
from isthmus.tasks.tuning.objectives.error import deviances
from isthmus.tasks.tuning.pruning import Watch
from isthmus.tasks.tuning.splitting import split

rng = np.random.default_rng(0)
X = rng.normal(size=(700, 2)) @ rng.normal(size=(2, 5)) * [1, 10, 1, 1, 1] + 0.1 * rng.normal(size=(700, 5))
MODEL = AutoEncoder(2, epochs=2, random_state=0)


def ready(name, X=X, y=None, model=MODEL):
    kind = OBJECTIVES[name]
    data = Data(X, y, split(len(X), 0, classes=kind.classes(y)), 0)
    found = kind(model, data)
    found.prepare(set())
    return found, data.split.parts[0]


def losses(found, part, model=MODEL):
    fitted = found.fit(model, part.training)
    return fitted, found.losses(fitted, part.held_out, part.training)


def test_the_error_is_in_parts_of_that_of_the_means():
    found, part = ready("error")
    fitted, lost = losses(found, part)
    truth, training = X[part.held_out], X[part.training]
    own = ((truth - fitted.reconstruct(truth)) ** 2 / training.var(0)).mean(1)
    assert lost == pytest.approx(own, rel=1e-5)
    assert found.fixed(set()) == {"latent": 2}


@pytest.mark.parametrize("settings", [{"scale": "minmax"}, {"likelihood": "laplace"}, {"likelihood": Gaussian()}])
def test_the_error_can_be_compared_between_likelihoods_and_scalings(settings):
    found, part = ready("error")
    fitted, lost = losses(found, part, AutoEncoder(2, epochs=2, random_state=0, **settings))
    truth = X[part.held_out]
    assert lost == pytest.approx(((truth - fitted.reconstruct(truth)) ** 2 / X[part.training].var(0)).mean(1), rel=1e-4)


def test_columns_of_one_unit_count_by_their_variance():
    pixels = np.clip(np.round(8 + 3 * X / X.std(0)), 0, 16)
    pixels[:, 0] = np.minimum(pixels[:, 0], 2)
    found, part = ready("error", pixels)
    fitted, lost = losses(found, part)
    truth = pixels[part.held_out]
    own = ((truth - fitted.reconstruct(truth)) ** 2).sum(1)
    assert lost / own == pytest.approx((lost / own)[0] * np.ones(len(own)), rel=1e-4)


def test_counts_are_measured_by_their_deviance():
    counts = rng.poisson(np.exp(0.3 * X / X.std(0))).astype(float)
    model = AutoEncoder(2, epochs=2, likelihood="poisson", random_state=0)
    found, part = ready("error", counts, model=model)
    fitted, lost = losses(found, part, model)
    truth, training = counts[part.held_out], counts[part.training]
    own = mean_poisson_deviance(truth.ravel(), fitted.reconstruct(truth).ravel())
    without = mean_poisson_deviance(training.ravel(), np.broadcast_to(training.mean(0), training.shape).ravel())
    assert lost.mean() == pytest.approx(own / without, rel=0.05)


def test_a_deviance_is_zero_for_what_was_expected():
    counts = np.array([[0.0, 2.0], [5.0, 1.0]])
    assert deviances(counts, counts, counts.mean(0)) == pytest.approx(0, abs=1e-5)
    assert (deviances(counts, counts + 1, counts.mean(0)) > 0).all()


def test_the_score_is_that_of_the_estimator():
    found, part = ready("score")
    fitted, lost = losses(found, part)
    assert found.value(lost.mean()) == pytest.approx(fitted.score(X[part.held_out]))


def test_the_score_refuses_probabilities_beside_densities_and_codes_without_any():
    zeros = (X > 0).astype(float)
    found, part = ready("score", zeros)
    with pytest.raises(ValueError, match="a density and that of the defaults a probability"):
        losses(found, part, AutoEncoder(2, epochs=2, likelihood="gaussian", random_state=0))
    with pytest.raises(ValueError, match="codes have no density"):
        losses(found, part, AutoEncoder(4, epochs=2, code=TopK(2), random_state=0))


@pytest.mark.parametrize("labels", [np.where(X[:, 0] > 0, "up", "down"), X[:, 0] > 0, 3 * X[:, 0] + 1])
def test_a_probe_reads_what_is_there_and_nothing_else(labels):
    found, part = ready("probe", y=labels)
    good = found.value(losses(found, part)[1].mean())
    found, part = ready("probe", y=rng.permutation(labels))
    bad = found.value(losses(found, part)[1].mean())
    assert good > 0.9
    assert bad < 0.65


def test_the_area_under_the_curve_is_that_of_scikit_learn():
    y = np.arange(700) % 10 == 0
    odd = X + 3 * y[:, None] * rng.normal(size=X.shape) * X.std(0)
    for model in (AnomalyDetector(method="mahalanobis", random_state=0), MODEL):
        found, part = ready("auroc", odd, y.astype(int), model)
        fitted, lost = losses(found, part, model)
        area = roc_auc_score(y[part.held_out], -fitted.score_samples(odd[part.held_out]))
        strata = found.strata(part.held_out)
        assert found.value(lost[strata].mean()) == pytest.approx(area)


def test_clean_detectors_are_trained_on_normal_rows():
    y = (np.arange(700) % 10 == 0).astype(int)
    model = AnomalyDetector("clean", "mahalanobis", random_state=0)
    found, part = ready("auroc", X, y, model)
    fitted, _ = losses(found, part, model)
    assert len(fitted.decision_scores_) == (y[part.training] == 0).sum()
    assert len(found.refitted(model, X).decision_scores_) == (y == 0).sum()


def test_hidden_cells_are_the_same_for_every_trial_and_their_error_is_of_them_alone():
    model = Imputer(AutoEncoder(2, hidden=(8,), epochs=2), members=1, methods=("gaussian",), random_state=0)
    found, part = ready("impute", model=model)
    fitted, lost = losses(found, part, model)
    assert np.array_equal(found.losses(fitted, part.held_out, part.training), lost)
    assert 0 < lost.mean() < 0.6


@pytest.mark.parametrize(
    ("model", "labels", "name"),
    [
        (AutoEncoder(), False, "error"),
        (AutoEncoder(), True, "probe"),
        (AnomalyDetector(), True, "auroc"),
        (Imputer(), False, "impute"),
    ],
)
def test_the_task_decides_the_objective(model, labels, name):
    assert objective_for("auto", model, labels).name == name


def test_a_searched_size_is_scored_by_the_density():
    found = tune(X, model=MODEL, space={"latent": (1, 4)}, trials=5, random_state=0)
    assert found.objective == "score"
    sizes = {row["latent"]: row["value"] for row in found.table}
    assert sizes[2] > sizes.get(1, -np.inf)


def test_networks_are_looked_at_with_the_measure_of_the_trial():
    told = []

    class Told(type(ready("error")[0])):
        def watched(self, run, part):
            told.append(super().watched(run, part))
            return told[-1]

    bent = np.tanh(X / X.std(0))
    data = Data(bent, None, split(len(bent), 0), 0)
    found, part = Told(MODEL, data), data.split.parts[0]
    watch = Watch(None, lambda run: found.watched(run, part), np.inf, False)
    watch.trial = type("Trial", (), {"report": lambda self, loss, step: None})()
    model = AutoEncoder(2, epochs=4, patience=None, floor="tell", random_state=0, callbacks=[watch])
    fitted = found.fit(model, part.training)
    lost = found.losses(fitted, part.held_out, part.training)
    assert len(told) == 4
    assert told[fitted.history_.best_epoch - 1] == pytest.approx(lost.mean(), rel=1e-5)


def test_an_objective_of_your_own_is_found_by_its_name():
    @objective("first column")
    class FirstColumn(Objective):
        measure = "error of the first column"

        @classmethod
        def suits(cls, model, labels):
            return False

        def space(self):
            return {"n_components": [1, 3]}

        def losses(self, fitted, rows, training):
            given = self.data.rows(rows)
            return (given - fitted.inverse_transform(fitted.transform(given)))[:, 0] ** 2

    try:
        found = tune(X, model=PCA(1), objective="first column", trials=4, random_state=0)
        assert found.best_params_ == {"n_components": 3}
        with pytest.raises(ValueError, match="already"):
            objective("first column")(OBJECTIVES["error"])
    finally:
        del OBJECTIVES["first column"]
