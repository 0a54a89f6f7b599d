"""What was trained can be written as facts and tensors, and rebuilt."""

import json

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from safetensors.torch import load, save
from sklearn.base import BaseEstimator
from sklearn.ensemble import IsolationForest

import isthmus
from isthmus import AnomalyDetector
from isthmus.estimators.state import State, member
from isthmus.tasks.anomaly.methods import METHODS
from isthmus.tasks.anomaly.state import numbers_from_state, numbers_state

pytestmark = [
    pytest.mark.filterwarnings("ignore:column 'when'. the place of its times"),
    pytest.mark.usefixtures("few_steps"),
]


def rows(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 1)) * np.ones(4) + 0.3 * rng.normal(size=(n, 4))


def table(n):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=n), "b": rng.choice(["x", "y"], n), "c": rng.normal(size=n)})
    frame["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 10**7, n), unit="s")
    frame.loc[3, "a"] = np.nan
    return frame


def written(state):
    """Return a state after it was written to bytes and read again."""
    tensors = dict(state.tensors)
    return State(json.loads(json.dumps(state.facts, allow_nan=False)), load(save(tensors)))


@pytest.fixture
def rebuilt(tmp_path):
    """A function that returns a detector after it was saved and loaded."""

    def saved_and_loaded(detector, own=()):
        detector.save(tmp_path / "detector.isthmus")
        return isthmus.load(tmp_path / "detector.isthmus", parts=own)

    return saved_and_loaded


def compare(detector, new, X, calibrated=True):
    np.testing.assert_array_equal(new.score_samples(X), detector.score_samples(X))
    np.testing.assert_array_equal(new.decision_scores_, detector.decision_scores_)
    assert (new.threshold_, new.method_, new.reason_) == (detector.threshold_, detector.method_, detector.reason_)
    assert (new.decision_, new.n_anomalies_) == (detector.decision_, detector.n_anomalies_)
    assert repr(new) == repr(detector)
    one, other = detector.explain(X[:3]), new.explain(X[:3])
    np.testing.assert_array_equal(one.contributions, other.contributions)
    np.testing.assert_array_equal(np.asarray(one.expected), np.asarray(other.expected))
    if calibrated:
        np.testing.assert_array_equal(new.pvalues(X), detector.pvalues(X))
        np.testing.assert_array_equal(new.probability(X).anomaly, detector.probability(X).anomaly)


@pytest.mark.parametrize("method", [*METHODS, ("mahalanobis", "histogram", "denoiser")])
def test_every_method(method, rebuilt):
    detector = AnomalyDetector("contaminated", method, random_state=0).fit(rows(1000))
    new = rebuilt(detector)
    compare(detector, new, rows(30, 3))
    one, other = (found.drift(rows(50, 4) + 1) for found in (detector, new))
    assert one.evidence == other.evidence


@pytest.mark.parametrize("setting", ["clean", "contaminated"])
def test_tables_of_several_kinds(setting, rebuilt):
    frame = table(200)
    detector = AnomalyDetector(setting, calibration_fraction=0.2, random_state=0).fit(frame)
    compare(detector, rebuilt(detector), frame)


def test_sparse_rows(rebuilt):
    X = scipy.sparse.random_array((400, 60), density=0.1, rng=0).tocsr()
    detector = AnomalyDetector(calibration_fraction=0.2, random_state=0).fit(X)
    compare(detector, rebuilt(detector), X)


@pytest.mark.parametrize("trained", [True, False])
def test_cross_conformal_calibration(trained, rebuilt):
    detector = AnomalyDetector("contaminated", "mahalanobis", random_state=0).fit(rows(60))
    if trained:
        detector.pvalues(rows(2))
    new = rebuilt(detector)
    assert ("fold0" in new.fitted_state().facts["trained"]["calibration"]) == trained
    compare(detector, new, rows(20, 3))


def test_no_calibration(rebuilt):
    detector = AnomalyDetector("clean", "mahalanobis", calibration_fraction=None, random_state=0).fit(rows(60))
    new = rebuilt(detector)
    compare(detector, new, rows(20, 3), calibrated=False)
    with pytest.raises(ValueError, match="calibration_fraction=None"):
        new.pvalues(rows(2))


class Distance(BaseEstimator):
    """A method that can be saved."""

    def fit(self, X):
        self.mean = X.mean(0)

    def score_samples(self, X):
        return -np.linalg.norm(X - self.mean, axis=1)

    def state(self):
        return {}, {"mean": torch.from_numpy(self.mean)}

    @classmethod
    def from_state(cls, facts, tensors):
        distance = cls()
        distance.mean = tensors["mean"].numpy()
        return distance


@pytest.mark.parametrize("X", [rows(100), table(100)], ids=["numbers", "table"])
def test_an_own_method(X, rebuilt):
    detector = AnomalyDetector("clean", ("neighbours", Distance()), random_state=0).fit(X)
    compare(detector, rebuilt(detector, [Distance]), X[:20])
    with pytest.raises(isthmus.ModelFileError, match=r"needs parts that are not known: Distance; .*parts=\[Distance\]"):
        rebuilt(detector)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (lambda X: lambda rows: rows[:, 0], r"method <lambda> cannot be saved: function has no methods state"),
        (IsolationForest(n_estimators=5), r"IsolationForest has no methods state\(\) -> \(facts, tensors\)"),
    ],
    ids=["function", "no state"],
)
def test_an_own_method_that_cannot_be_saved_leaves_no_file(method, message, tmp_path):
    detector = AnomalyDetector("clean", method, random_state=0).fit(rows(60))
    with pytest.raises(TypeError, match=message):
        detector.save(tmp_path / "detector.isthmus")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int64, bool])
def test_numbers_keep_their_type(dtype):
    dense = np.asfortranarray((np.arange(12).reshape(4, 3) % 5).astype(dtype))
    found = numbers_from_state(*written(numbers_state(dense)))
    assert found.dtype == dense.dtype
    np.testing.assert_array_equal(found, dense)
    sparse = numbers_from_state(*written(numbers_state(scipy.sparse.csr_array(dense))))
    np.testing.assert_array_equal(sparse.toarray(), dense)


def test_a_member_that_is_missing_is_named():
    with pytest.raises(ValueError, match="has no member 'explainer'; it has 'ensemble'"):
        member("explainer", {"ensemble": {}}, {})
