"""The course of training beside a model file, for every estimator."""

import json

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from isthmus import AnomalyDetector, AutoEncoder, History, Imputer, load, records_beside, write_records
from isthmus.engine.history_files import runs_of_jsonl

rng = np.random.default_rng(0)
X = rng.normal(size=(80, 1)) @ np.ones((1, 4)) + 0.3 * rng.normal(size=(80, 4))
SMALL = AutoEncoder(latent=2, hidden=(8,), epochs=2, floor="tell", random_state=0)


def test_where_they_are():
    assert [str(path) for path in records_beside("a/b.c.isthmus")] == ["a/b.c.history.jsonl", "a/b.c.history.csv"]
    assert records_beside("model").csv.name == "model.history.csv"


def test_of_an_autoencoder(tmp_path):
    ae = AutoEncoder(latent=2, hidden=(8,), epochs=2, validation=0.2, floor="tell", random_state=0).fit(X)
    records = write_records(ae, tmp_path / "model.isthmus")
    assert sorted(tmp_path.iterdir()) == sorted(records)
    assert History.from_jsonl(records.jsonl).to_dict() == ae.history_.to_dict()
    np.testing.assert_array_equal(History.from_csv(records.csv)["val_loss"], ae.history_["val_loss"])
    assert json.loads(records.jsonl.read_text().splitlines()[0])["settings"]["random_state"] == 0
    # A loaded model has the same records.
    ae.save(tmp_path / "model.isthmus")
    assert (
        write_records(load(tmp_path / "model.isthmus"), tmp_path / "again").csv.read_text() == records.csv.read_text()
    )


def test_of_an_imputer(tmp_path):
    holes = X.copy()
    holes[::5, 1] = np.nan
    imputer = Imputer(SMALL, members=2, methods=("autoencoder",), random_state=0).fit(holes)
    records = write_records(imputer, tmp_path / "model.isthmus")
    for place, name in enumerate(("member 1", "member 2")):
        own = imputer.models_[place].record.history
        assert History.from_jsonl(records.jsonl, run=name).to_dict() == own.to_dict()
        np.testing.assert_array_equal(History.from_csv(records.csv, run=name)["loss"], own["loss"])
    with pytest.raises(ValueError, match="holds 2 runs; say which: run='member 1' or run='member 2'"):
        History.from_csv(records.csv)


def test_of_a_detector(tmp_path):
    detector = AnomalyDetector(
        "clean", ("residual", "likelihood", "neighbours"), estimator=SMALL, calibration_fraction=None, random_state=0
    ).fit(X)
    records = write_records(detector, tmp_path / "model.isthmus")
    assert [run.name for run in runs_of_jsonl(records.jsonl)] == ["residual", "likelihood"]
    assert History.from_csv(records.csv, run="residual")["epoch"].tolist() == [1, 2]
    detector.save(tmp_path / "model.isthmus")
    assert list(load(tmp_path / "model.isthmus").histories()) == ["residual", "likelihood"]


def test_of_a_detector_without_autoencoders(tmp_path):
    detector = AnomalyDetector("clean", "neighbours", calibration_fraction=None).fit(X)
    records = write_records(detector, tmp_path / "model.isthmus")
    assert records.csv.read_text() == "epoch\n"
    assert len(History.from_csv(records.csv)) == len(History.from_jsonl(records.jsonl)) == 0
    denoiser = AnomalyDetector("clean", "denoiser", calibration_fraction=None, random_state=0).fit(X)
    assert list(denoiser.histories()) == ["denoiser"]


def test_before_fit(tmp_path):
    for estimator in (AutoEncoder(), Imputer(), AnomalyDetector()):
        with pytest.raises(NotFittedError):
            write_records(estimator, tmp_path / "model.isthmus")
