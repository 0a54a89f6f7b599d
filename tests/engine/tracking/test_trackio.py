"""What trackio itself reads of a run; its folder is chosen when it is imported."""

import os
import tempfile

import numpy as np
import pytest

from isthmus import AutoEncoder, Callback, Trackio, TrainingWarning, zoo

os.environ.setdefault("TRACKIO_DIR", tempfile.mkdtemp(prefix="trackio-"))
trackio = pytest.importorskip("trackio")
X = np.random.default_rng(0).normal(size=(60, 4))
PLAIN = {"latent": 2, "hidden": (8,), "epochs": 2, "validation": 0.25, "floor": "tell", "random_state": 0}


def logs(project, name):
    from trackio.sqlite_storage import SQLiteStorage

    return sorted(SQLiteStorage.get_logs(project, name), key=lambda row: row["step"])


def test_metrics_and_configuration(capsys):
    tracker = Trackio("zoo", name="beta 4", group="first")
    ae = zoo.variational(**PLAIN, beta=4, callbacks=[tracker]).fit(X)
    rows = logs("zoo", "beta 4")
    assert [row["step"] for row in rows] == [0, 1, 2]
    assert [row["val_loss"] for row in rows] == ae.history_["val_loss"].tolist()
    assert [row["kl"] for row in rows[1:]] == ae.history_["kl"][1:].tolist()
    run = next(iter(trackio.Api().runs("zoo")))
    assert run.config["penalty.beta"] == 4
    assert run.config["start"] == ae.history_.init
    assert capsys.readouterr().out == ""  # a pipe gets results alone
    assert trackio.context_vars.current_run.get() is None


def test_a_current_run_is_used_and_not_finished():
    current = trackio.init(project="mine", name="whole", embed=False, auto_log_cpu=False, auto_log_gpu=False)
    try:
        AutoEncoder(**PLAIN, callbacks=[Trackio("other")]).fit(X)
        assert trackio.context_vars.current_run.get() is current
    finally:
        trackio.finish()
    assert [row["step"] for row in logs("mine", "whole")] == [0, 1, 2]


def test_partial_fit_goes_on_with_its_run():
    tracker = Trackio("stream")
    ae = AutoEncoder(**PLAIN, callbacks=[tracker]).partial_fit(X).partial_fit(X)
    assert [row["loss"] for row in logs("stream", tracker.run_name)] == ae.history_["loss"].tolist()
    assert len(list(trackio.Api().runs("stream"))) == 1


def test_an_interruption_finishes_the_run():
    class End(Callback):
        def on_epoch_start(self, run):
            if run.epoch == 1:
                raise KeyboardInterrupt

    tracker = Trackio("interrupted")
    with pytest.warns(TrainingWarning, match="interrupted in epoch 2"):
        AutoEncoder(**PLAIN, callbacks=[tracker, End()]).fit(X)
    assert [row["step"] for row in logs("interrupted", tracker.run_name)] == [0, 1]
    assert trackio.context_vars.current_run.get() is None
