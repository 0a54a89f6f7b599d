import subprocess
import sys

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


def test_estimators_are_imported_when_they_are_named():
    code = (
        "import sys\nfrom isthmus import estimator_from\n"
        "assert 'isthmus.tasks' not in sys.modules and 'isthmus.zoo' not in sys.modules\n"
        "estimator_from({'model': 'imputer'})\nassert 'isthmus.tasks' in sys.modules"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
