import numpy as np
import pytest
import scipy.sparse

from isthmus import AnomalyDetector, load
from isthmus.tasks.anomaly.floor import CLASSICAL
from isthmus.tasks.anomaly.made_up import KINDS

RNG = np.random.default_rng(0)
MIXING = RNG.normal(size=(2, 5))


def rows(count):
    return RNG.normal(size=(count, 2)) @ MIXING + 0.1 * RNG.normal(size=(count, 5))


@pytest.mark.parametrize("setting", ["clean", "contaminated"])
def test_a_single_classical_method_stands_beside_the_detector(setting, tmp_path):
    detector = AnomalyDetector(setting, random_state=0).fit(rows(1200))
    floor = detector.floor_
    assert floor.method in CLASSICAL
    assert list(floor.kinds) == list(KINDS)
    assert floor.rows == 240
    assert floor.auc == pytest.approx(np.mean([method for method, _ in floor.kinds.values()]))
    assert floor.model_auc == pytest.approx(np.mean([model for _, model in floor.kinds.values()]))
    assert floor.kinds["dependency"][1] > 0.9
    assert f"AUROC {floor.model_auc:.3f} on anomalies made of 240 held-out rows; {floor.method} alone" in str(floor)
    detector.save(tmp_path / "detector.isthmus")
    assert load(tmp_path / "detector.isthmus").floor_ == floor


def test_alone_a_classical_method_is_no_worse_than_the_floor():
    detector = AnomalyDetector("clean", "neighbours", random_state=0).fit(rows(1200))
    assert detector.floor_.auc >= detector.floor_.model_auc - 1e-12


@pytest.mark.parametrize("X", [rows(300), scipy.sparse.random_array((1200, 9), density=0.3, rng=0, format="csr")])
def test_without_dense_rows_held_out_there_is_none(X):
    detector = AnomalyDetector("clean", "likelihood" if scipy.sparse.issparse(X) else "mahalanobis", random_state=0)
    assert detector.fit(X).floor_ is None


def test_tables_of_several_kinds_have_one():
    pandas = pytest.importorskip("pandas")
    X = rows(1200)
    frame = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1], "t": np.where(X[:, 0] > 0, "x", "y")})
    assert list(AnomalyDetector("clean", "mahalanobis", random_state=0).fit(frame).floor_.kinds) == ["dependency"]
