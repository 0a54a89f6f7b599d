import pytest

from isthmus import AnomalyDetector, AutoEncoder, Imputer, zoo
from isthmus.estimators.kinds import estimator_named, preset_named


@pytest.mark.parametrize("name", ["anomaly_detector", "AnomalyDetector", "anomaly-detector", "anomalydetector"])
def test_names_are_read_however_they_are_written(name):
    assert estimator_named(name) is AnomalyDetector


def test_others():
    assert (estimator_named("autoencoder"), estimator_named("imputer")) == (AutoEncoder, Imputer)
    assert preset_named("k-sparse") is zoo.k_sparse
    with pytest.raises(ValueError, match="unknown model 'detector'; did you mean 'AnomalyDetector'"):
        estimator_named("detector")
    with pytest.raises(ValueError, match="unknown preset 'variatonal'; did you mean 'variational'"):
        preset_named("variatonal")
