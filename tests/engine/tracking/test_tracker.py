"""What every tracker promises: it never costs a training, and it is closed at the end."""

import numpy as np
import pytest
from sklearn.base import clone

from isthmus import AutoEncoder, Callback, TrainingWarning, load
from isthmus.engine.tracking.tracker import Tracker

X = np.random.default_rng(0).normal(size=(60, 4))


class Written(Tracker):
    """Writes down what it is asked to write down; some of it goes wrong."""

    def __init__(self, broken=()):
        self.broken, self.calls = broken, []

    def note(self, name, *what):
        self.calls.append((name, *what))
        if name in self.broken:
            raise ConnectionError("no\n answer")

    def begin(self, run):
        self.note("begin", run.earlier)

    def log(self, run, rows):
        self.note("log", [row["epoch"] for row in rows])

    def finish(self, run, outcome):
        self.note("finish", str(outcome))

    def keep(self, run, model):
        self.note("keep", len(model.history))


class Raise(Callback):
    def __init__(self, error):
        self.error = error

    def on_epoch_start(self, run):
        if run.epoch == 1:
            raise self.error


def model(*callbacks, **settings):
    plain = {"latent": 2, "hidden": (8,), "epochs": 2, "validation": 0.0, "random_state": 0}
    return AutoEncoder(**plain | settings, callbacks=callbacks)


def test_the_course_of_a_training():
    tracker = Written()
    model(tracker, validation=0.25).fit(X)
    assert tracker.calls == [("begin", 0), ("log", [0, 1]), ("log", [2]), ("finish", "finished"), ("keep", 3)]


def test_partial_fit_goes_on_counting():
    tracker = Written()
    model(tracker).partial_fit(X).partial_fit(X)
    assert tracker.calls == [
        ("begin", 0), ("log", [1]), ("finish", "finished"), ("keep", 1),
        ("begin", 1), ("log", [2]), ("finish", "finished"), ("keep", 2),
    ]  # fmt: skip


@pytest.mark.parametrize("broken", ["begin", "log", "finish", "keep"])
def test_what_goes_wrong_is_told_once_and_costs_nothing(broken):
    tracker = Written([broken])
    ae = model(tracker)
    with pytest.warns(
        TrainingWarning, match=r"Written writes nothing more .*ConnectionError: no answer.*goes on"
    ) as told:
        ae.fit(X)
    assert len([one for one in told if "Written" in str(one.message)]) == 1
    np.testing.assert_array_equal(ae.transform(X), model().fit(X).transform(X))
    assert [name for name, *_ in tracker.calls].count("finish") == 1
    assert [name for name, *_ in tracker.calls].count("log") == {"begin": 0, "log": 1}.get(broken, 2)


def test_what_went_wrong_in_one_training_does_not_end_the_next():
    tracker = Written(["log"])
    ae = model(tracker)
    with pytest.warns(TrainingWarning, match="Written"):
        ae.fit(X)
    tracker.broken, tracker.calls = (), []
    ae.fit(X)
    assert len(tracker.calls) == 5


def test_an_interruption_and_an_error_close_it():
    tracker = Written()
    with pytest.warns(TrainingWarning, match="interrupted in epoch 2"):
        model(tracker, Raise(KeyboardInterrupt())).fit(X)
    assert tracker.calls[-2:] == [("finish", "interrupted"), ("keep", 1)]
    with pytest.raises(RuntimeError, match="mine"):
        model(tracker, Raise(RuntimeError("mine"))).fit(X)
    assert tracker.calls[-1] == ("finish", "failed")


def test_the_error_that_reaches_the_caller_is_that_of_the_training():
    with pytest.raises(RuntimeError, match="mine"):
        model(Written(["finish"]), Raise(RuntimeError("mine"))).fit(X)


def test_a_model_that_is_ready_can_be_saved(tmp_path):
    class Save(Callback):
        def on_model_ready(self, run, model):
            model.save(tmp_path / "model.isthmus")

    ae = clone(model(Save())).fit(X)
    np.testing.assert_array_equal(load(tmp_path / "model.isthmus").transform(X), ae.transform(X))
