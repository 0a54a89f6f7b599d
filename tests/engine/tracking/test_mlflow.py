"""What MLflow's own client reads of a run."""

import numpy as np
import pytest

from isthmus import AutoEncoder, Callback, MLflow, TrainingWarning, load, zoo

mlflow = pytest.importorskip("mlflow")
# MLflow still asks SQLAlchemy 2.1 for a loader that this one deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")
X = np.random.default_rng(0).normal(size=(60, 4))
PLAIN = {"latent": 2, "hidden": (8,), "epochs": 3, "validation": 0.25, "floor": "tell", "random_state": 0}


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # MLflow keeps artifacts in the current folder


def run_of(tracker, uri):
    return mlflow.MlflowClient(uri).get_run(tracker.run_id)


def curve(tracker, uri, name):
    found = sorted(mlflow.MlflowClient(uri).get_metric_history(tracker.run_id, name), key=lambda one: one.step)
    return [one.step for one in found], [one.value for one in found]


def test_parameters_metrics_and_the_model(uri, tmp_path):
    tracker = MLflow("zoo", name="beta 4", tracking_uri=uri, save_model=True)
    ae = zoo.variational(**PLAIN, beta=4, callbacks=[tracker]).fit(X)
    run = run_of(tracker, uri)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "beta 4"
    assert mlflow.MlflowClient(uri).get_experiment(run.info.experiment_id).name == "zoo"
    assert {"latent": "2", "penalty": "kl", "penalty.beta": "4", "random_state": "0"}.items() <= run.data.params.items()
    assert run.data.tags["isthmus.stopped"] == ae.history_.stopped
    for name in ae.history_.columns:
        if name != "epoch":
            measured = ~np.isnan(ae.history_[name])
            assert curve(tracker, uri, name)[0] == ae.history_["epoch"][measured].tolist()
            np.testing.assert_array_equal(curve(tracker, uri, name)[1], ae.history_[name][measured])
    assert run.data.metrics["best_epoch"] == ae.history_.best_epoch
    assert run.data.metrics["active_units"] == ae.history_.health["active_units"]
    path = mlflow.MlflowClient(uri).download_artifacts(tracker.run_id, "model.isthmus", str(tmp_path))
    np.testing.assert_array_equal(load(path).transform(X), ae.transform(X))
    assert mlflow.active_run() is None


def test_an_active_run_is_used_and_not_ended(uri):
    before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    mlflow.set_tracking_uri(uri)
    try:
        with mlflow.start_run() as active:
            tracker = MLflow()
            AutoEncoder(**PLAIN, callbacks=[tracker]).fit(X)
            AutoEncoder(**PLAIN | {"latent": 3}, callbacks=[tracker]).fit(X)  # parameters may not change
            assert tracker.run_id == active.info.run_id == mlflow.active_run().info.run_id
            assert run_of(tracker, uri).info.status == "RUNNING"
            assert run_of(tracker, uri).data.params["latent"] == "2"
    finally:
        mlflow.set_tracking_uri(before)


def test_partial_fit_goes_on_with_its_run(uri):
    tracker = MLflow(tracking_uri=uri)
    ae = AutoEncoder(**PLAIN, callbacks=[tracker]).partial_fit(X)
    first = tracker.run_id
    ae.partial_fit(X)
    assert tracker.run_id == first
    assert curve(tracker, uri, "loss") == ([1, 2], ae.history_["loss"].tolist())
    assert run_of(tracker, uri).info.status == "FINISHED"


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [(KeyboardInterrupt(), "KILLED", "interrupted in epoch 2"), (RuntimeError("mine"), "FAILED", "failed")],
)
def test_a_training_that_ends_early_ends_its_run(error, status, told, uri):
    class End(Callback):
        def on_epoch_start(self, run):
            if run.epoch == 1:
                raise error

    tracker = MLflow(tracking_uri=uri)
    with pytest.warns(TrainingWarning) if status == "KILLED" else pytest.raises(RuntimeError, match="mine"):
        AutoEncoder(**PLAIN, callbacks=[tracker, End()]).fit(X)
    run = run_of(tracker, uri)
    assert (run.info.status, run.data.tags["isthmus.stopped"]) == (status, told)
    assert curve(tracker, uri, "loss")[0] == [1]


def test_a_place_that_is_none_costs_no_training():
    with pytest.warns(TrainingWarning, match="MLflow writes nothing more of this training down"):
        ae = AutoEncoder(**PLAIN, callbacks=[MLflow(tracking_uri="nowhere://")]).fit(X)
    assert ae.n_iter_ == 3


def test_where_runs_are_written(monkeypatch, uri):
    from isthmus.engine.tracking.mlflow import uri_of_the_user

    monkeypatch.setattr(mlflow, "is_tracking_uri_set", lambda: False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert uri_of_the_user() == ""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert uri_of_the_user() == uri
