import numpy as np
import pytest

from isthmus import AnomalyDetector
from isthmus.tasks.anomaly.mends import as_typed, column_of_number


def test_two_cells_of_columns_that_determine_each_other_are_mended_together():
    """One after the other they are expected to fit what is wrong."""
    random = np.random.default_rng(1)
    X = random.normal(size=(300, 2)) @ random.normal(size=(2, 4))
    detector = AnomalyDetector("clean", "mahalanobis", calibration_fraction=None, random_state=0).fit(X)
    odd = X[:5].copy()
    odd[:, 1] += 30
    odd[:, 2] -= 30
    found = detector.explain(odd).counterfactuals
    assert all(change.normal for change in found)
    assert min(len(change.columns) for change in found) == 2


@pytest.mark.parametrize("kind", ["int16", "uint8", "float32", "float64"])
def test_values_are_of_the_type_of_the_array(kind):
    found = as_typed(np.array([[1.6, 1e9]]), np.zeros((1, 2), dtype=kind))
    assert found.dtype == kind
    if kind == "uint8":
        assert found.tolist() == [[2, 255]]


def test_the_column_of_each_number():
    import pandas as pd

    frame = pd.DataFrame({"a": range(50), "t": pd.date_range("2024", periods=50, freq="5h"), "b": np.arange(50) % 7.0})
    with pytest.warns(UserWarning, match="column"):
        detector = AnomalyDetector(method="mahalanobis", calibration_fraction=None, random_state=0).fit(frame)
    assert column_of_number(detector._schema).tolist() == [0, 1, 1, 2]
