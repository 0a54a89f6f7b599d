"""Detection methods that a user brings."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

from isthmus import AnomalyDetector, AutoEncoder


def rows(n, seed=0, columns=4):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 1)) * np.ones(columns) + 0.3 * rng.normal(size=(n, columns))


def odd_rows(n, seed=1, column=2):
    found = rows(n, seed)
    found[:, column] += 4
    return found


def distance(X):
    """Distance from the mean."""
    mean = X.mean(0)
    return lambda rows: np.linalg.norm(rows - mean, axis=1)


class Distance:
    """The same as an object that is no estimator of scikit-learn."""

    def fit(self, X):
        assert not hasattr(self, "mean"), "fitted before"
        self.mean = X.mean(0)

    def score_samples(self, X):
        return -np.linalg.norm(X - self.mean, axis=1)


FOREST = IsolationForest(n_estimators=20)
OWN = {
    "function": distance,
    "object": Distance(),
    "forest": FOREST,
    "neighbours": LocalOutlierFactor(novelty=True),
    "mixed": ("mahalanobis", FOREST),
}


def detector(method, **settings):
    return AnomalyDetector(**{"setting": "clean", "method": method, "random_state": 0} | settings)


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("setting", ["clean", "contaminated"])
def test_own_methods_score_explain_and_report(name, setting):
    fitted = detector(OWN[name], setting=setting).fit(rows(1200))
    new = np.concatenate([rows(60, 5), odd_rows(20)])
    scores = -fitted.score_samples(new)
    assert scores[60:].mean() > scores[:60].mean() + 0.3
    found = fitted.explain(new[60:])
    np.testing.assert_allclose(found.contributions.sum(1), found.scores)
    assert np.mean(found.top(1)[:, 0] == "x2") > (0.3 if name == "forest" else 0.6)
    assert len(fitted.report(new, n=5)) == 5
    assert fitted.drift(rows(100, 8)).batches == 1
    np.testing.assert_array_equal(clone(fitted).fit(rows(1200)).score_samples(new), -scores)


def test_their_names_are_told():
    assert detector("mahalanobis").fit(rows(50)).method_ == ("mahalanobis",)
    assert detector(distance).fit(rows(50)).method_ == ("distance",)
    assert detector(("histogram", FOREST, Distance())).fit(rows(50)).method_ == (
        "histogram",
        "IsolationForest",
        "Distance",
    )


def test_scores_are_surprisals_in_the_order_of_the_method():
    X, new = rows(300), rows(50, 3)
    order = np.argsort(distance(X)(new))
    scores = -detector(distance, calibration_fraction=None).fit(X).score_samples(new)
    assert (np.diff(scores[order]) >= 0).all()
    same = -detector(Distance(), calibration_fraction=None).fit(X).score_samples(new)
    np.testing.assert_allclose(same, scores)


@pytest.mark.parametrize("name", ["function", "object", "forest"])
def test_p_values_of_few_rows_refit_and_leave_the_users_object_alone(name):
    own = OWN[name]
    p = detector(own, alpha=0.1).fit(rows(100)).pvalues(np.concatenate([rows(200, 3), odd_rows(20)]))
    assert (p[:200] <= 0.1).mean() < 0.2
    assert np.median(p[200:]) < 0.25
    assert not hasattr(own, "mean")
    assert not hasattr(own, "estimators_")


def test_split_p_values_and_weighted_ones():
    fitted = detector(FOREST, fdr=0.2).fit(rows(2000))
    assert (fitted.predict(odd_rows(100)) == -1).mean() > 0.5
    assert fitted.pvalues(rows(100, 4), weighted=True).shape == (100,)


def test_the_seed_of_the_detector_is_that_of_the_forest():
    one, two = (detector(FOREST, random_state=seed).fit(rows(200)).score_samples(rows(20, 3)) for seed in (1, 2))
    assert (one != two).any()


def test_tables_of_several_kinds_come_as_finite_cells():
    seen = []

    def remembered(X):
        seen.append(X)
        return distance(X)

    frame = pd.DataFrame({"a": [1.0, None, 3.0, 2.0] * 20, "city": ["x", "y", None, "x"] * 20})
    fitted = detector(remembered, calibration_fraction=None).fit(frame)
    assert seen[0].dtype == np.float64
    assert np.isfinite(seen[0]).all()
    assert len(seen[0]) == 80
    assert seen[0].shape[1] > 2
    assert np.isfinite(fitted.explain(frame[:3]).contributions).all()


def test_numbers_come_as_they_are():
    seen = []
    detector(lambda X: seen.append(X) or distance(X), calibration_fraction=None).fit(rows(50))
    np.testing.assert_array_equal(np.sort(seen[0], axis=0), np.sort(rows(50), axis=0))


@pytest.mark.parametrize("columns", [140, 2100])
def test_wide_rows_are_explained_without_errors_of_the_method(columns):
    X = np.random.default_rng(0).normal(size=(60, columns))
    odd = X[:2].copy()
    odd[:, 77] += 30
    found = detector(distance, calibration_fraction=None).fit(X).explain(odd)
    np.testing.assert_allclose(found.contributions.sum(1), found.scores)
    assert (found.contributions.argmax(1) == 77).all()


class OnlyFits:
    def fit(self, X):
        return self


@pytest.mark.parametrize(
    ("method", "error", "message"),
    [
        (OnlyFits(), TypeError, "method=OnlyFits lacks score_samples; a method of your own must be an object with"),
        (3, TypeError, "method=int lacks fit and score_samples, and it is not a function either"),
        (LocalOutlierFactor(), TypeError, "method=LocalOutlierFactor lacks score_samples"),
        (IsolationForest, TypeError, r"is a class; give an instance of it: IsolationForest\(...\)"),
        (lambda X: None, TypeError, "must return a function of rows .* it returned None"),
        (lambda X: lambda rows: rows, ValueError, r"scores of shape \(50,\) for rows of shape \(50, 4\); it returned"),
        (lambda X: lambda rows: rows[:-1, 0], ValueError, r"of shape \(50,\) .* it returned shape \(49,\)"),
        (lambda X: lambda rows: rows[:, 0] * np.nan, ValueError, "finite scores; 50 of 50 are NaN or infinite"),
        ((), ValueError, "unknown method"),
        (("mahalanobis", "isolation"), ValueError, "unknown method 'isolation'"),
        ("isolation", ValueError, "unknown method 'isolation'"),
    ],
)
def test_what_is_refused(method, error, message):
    with pytest.raises(error, match=message):
        detector(method).fit(rows(50))


def test_sparse_rows_and_estimators_are_refused():
    sparse = scipy.sparse.random_array((80, 30), density=0.2, rng=0).tocsr()
    with pytest.raises(ValueError, match="only 'likelihood' takes sparse rows"):
        detector(FOREST).fit(sparse)
    with pytest.raises(ValueError, match="has no use for the estimator"):
        detector(FOREST, estimator=AutoEncoder()).fit(rows(50))


def test_no_global_random_state_is_read_or_written():
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    detector(FOREST).fit(rows(60))
    assert torch.equal(before[0], torch.get_rng_state())
    np.testing.assert_array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
