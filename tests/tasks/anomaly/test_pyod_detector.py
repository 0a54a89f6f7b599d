import pickle
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from isthmus import AnomalyDetector
from isthmus.core.extras import MissingExtraError
from isthmus.tasks.anomaly.pyod_detector import pyod_class

RANDOM = np.random.default_rng(0)
NORMAL = RANDOM.normal(size=(300, 1)) * [1.0, 2.0, -1.0, 0.5] + 0.1 * RANDOM.normal(size=(300, 4))
ODD = NORMAL[:10] * [1.0, -1.0, 1.0, 1.0] + 3
ROWS = np.r_[NORMAL, ODD]


def detector(**settings):
    return AnomalyDetector(method="mahalanobis", calibration_fraction=None, random_state=0, **settings)


@pytest.fixture
def pyod():
    return pytest.importorskip("pyod")


def test_without_pyod_the_call_is_named(monkeypatch):
    pyod_class.cache_clear()
    monkeypatch.setitem(sys.modules, "pyod.models.base", None)
    with pytest.raises(MissingExtraError, match=r"to_pyod needs pyod: pip install 'isthmus\[pyod\]'"):
        detector().to_pyod()


def test_a_fitted_detector_keeps_its_decision(pyod):
    from pyod.models.base import BaseDetector

    own = detector().fit(ROWS)
    found = own.to_pyod()
    assert isinstance(found, BaseDetector)
    np.testing.assert_array_equal(found.decision_function(ROWS), -own.score_samples(ROWS))
    np.testing.assert_array_equal(found.decision_scores_, own.decision_scores_)
    assert (found.threshold_, found.labels_.tolist()) == (own.threshold_, own.labels_.tolist())
    np.testing.assert_array_equal(found.predict(ROWS), (own.predict(ROWS) == -1).astype(int))
    for method in ("linear", "unify"):
        shares = found.predict_proba(ROWS, method=method)
        assert shares.shape == (len(ROWS), 2)
        np.testing.assert_allclose(shares.sum(1), 1)
        assert shares[-10:, 1].min() > np.median(shares[:, 1])
    labels, confidence = found.predict(ROWS, return_confidence=True)
    assert labels.shape == confidence.shape
    assert ((confidence >= 0) & (confidence <= 1)).all()


def test_fitted_again_the_threshold_follows_the_contamination(pyod):
    found = detector().to_pyod().set_params(contamination=0.05).fit(ROWS)
    assert found.labels_.mean() == pytest.approx(0.05, abs=0.005)
    assert found.labels_[-10:].all()
    again = clone(found)
    assert again.contamination == 0.05
    assert not hasattr(again, "decision_scores_")


def test_it_is_pickled_by_name(pyod):
    found = detector().fit(ROWS).to_pyod()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(found)).predict(ROWS), found.predict(ROWS))


def test_in_a_pipeline(pyod):
    pipeline = make_pipeline(StandardScaler(), detector().to_pyod().set_params(contamination=10 / len(ROWS)))
    assert pipeline.fit(ROWS).predict(ROWS)[-10:].all()
    assert pipeline.predict_proba(ROWS).shape == (len(ROWS), 2)


@pytest.mark.filterwarnings("ignore:An input array is constant")  # scores of LSCP's local regions
def test_in_pyods_own_combinations(pyod):
    from pyod.models.feature_bagging import FeatureBagging
    from pyod.models.hbos import HBOS
    from pyod.utils.utility import standardizer

    bagged = FeatureBagging(base_estimator=detector().to_pyod(), n_estimators=3, random_state=0).fit(ROWS)
    assert np.argsort(-bagged.decision_function(ROWS))[:10].min() >= len(NORMAL) - 5
    pytest.importorskip("combo")
    from pyod.models.combination import aom, average, maximization

    fitted = [detector().fit(ROWS).to_pyod(), HBOS().fit(ROWS)]
    scores = standardizer(np.stack([one.decision_function(ROWS) for one in fitted], axis=1))
    for combined in (average(scores), maximization(scores), aom(scores, 2)):
        assert combined.shape == (len(ROWS),)
        assert np.median(combined[-10:]) > np.quantile(combined[:-10], 0.99)
    from pyod.models.lscp import LSCP

    local = LSCP([detector().to_pyod(), HBOS()], contamination=0.05, n_bins=2, random_state=0).fit(ROWS)
    assert local.predict(ROWS).shape == (len(ROWS),)
