"""The file that is written while training goes on."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from isthmus import AutoEncoder, Callback, History, RecordHistory, TrainingWarning

X = np.random.default_rng(0).normal(size=(120, 4)) @ np.ones((4, 4)) + np.random.default_rng(1).normal(size=(120, 4))
PLAIN = {
    "latent": 2,
    "hidden": (8,),
    "epochs": 3,
    "batch_size": 40,
    "validation": 0.25,
    "floor": "tell",
    "random_state": 7,
}


def events(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


class LinesSoFar(Callback):
    def __init__(self, path):
        self.path, self.seen = path, []

    def on_epoch_end(self, run):
        self.seen.append(len(self.path.read_text().splitlines()))


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_it_holds_what_the_history_holds(ending, tmp_path):
    path = tmp_path / f"run.{ending}"
    ae = AutoEncoder(**PLAIN, callbacks=[RecordHistory(path)]).fit(X)
    back = History.from_jsonl(path) if ending == "jsonl" else History.from_csv(path)
    assert back.columns == ae.history_.columns
    for name in back.columns:
        np.testing.assert_array_equal(back[name], ae.history_[name])
    if ending == "jsonl":
        assert back.to_dict() == ae.history_.to_dict()
    assert list(tmp_path.iterdir()) == [path]


def test_the_first_line_says_how_the_run_can_be_repeated_and_the_last_how_it_ended(tmp_path):
    path = tmp_path / "run.jsonl"
    ae = AutoEncoder(**PLAIN, penalty="l1", callbacks=[RecordHistory(path)]).fit(X)
    start, *_, end = events(path)
    assert start["settings"]["random_state"] == 7
    assert start["settings"]["hidden"] == [8]
    assert start["settings"]["penalty"] == "l1"
    assert start["init"] == ae.history_.init
    assert "learning rate 0.005" in start["training"]
    assert end["stopped"] == "all 3 epochs done"
    assert end["health"] == ae.history_.health
    assert end["floor"] == ae.fit_report_.floor != ""


def test_a_line_is_there_as_soon_as_its_epoch_has_ended(tmp_path):
    path = tmp_path / "run.jsonl"
    watch = LinesSoFar(path)
    AutoEncoder(**PLAIN, callbacks=[RecordHistory(path), watch]).fit(X)
    assert watch.seen == [3, 4, 5]  # the start, epoch 0 and epoch 1 first


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_a_new_training_replaces_the_file_and_partial_fit_goes_on(ending, tmp_path):
    path = tmp_path / f"run.{ending}"
    read = History.from_jsonl if ending == "jsonl" else History.from_csv
    path.write_text("something else\n")
    record = RecordHistory(path)
    ae = AutoEncoder(**PLAIN, callbacks=[record])
    ae.fit(X)
    ae.fit(X)
    assert read(path)["epoch"].tolist() == [0, 1, 2, 3]
    stream = AutoEncoder(**PLAIN, callbacks=[record]).partial_fit(X).partial_fit(X)
    stream.set_params(callbacks=[RecordHistory(path)]).partial_fit(X)
    assert read(path)["epoch"].tolist() == [1, 2, 3]
    np.testing.assert_array_equal(read(path)["loss"], stream.history_["loss"])


def test_bits_do_not_depend_on_it(tmp_path):
    with_it = AutoEncoder(**PLAIN, callbacks=[RecordHistory(tmp_path / "run.csv")]).fit(X)
    np.testing.assert_array_equal(with_it.transform(X), AutoEncoder(**PLAIN).fit(X).transform(X))


def test_a_folder_that_is_not_there_is_told_before_training(tmp_path):
    with pytest.raises(FileNotFoundError):
        AutoEncoder(**PLAIN, callbacks=[RecordHistory(tmp_path / "none" / "run.jsonl")]).fit(X)
    with pytest.raises(ValueError, match=r"must end in \.jsonl or \.csv; got 'run\.txt'"):
        RecordHistory("run.txt")


def test_a_disk_that_fills_up_costs_no_training(tmp_path, monkeypatch):
    def full(self, lines):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RecordHistory, "add", full)
    ae = AutoEncoder(**PLAIN, callbacks=[RecordHistory(tmp_path / "run.jsonl")])
    with pytest.warns(
        TrainingWarning, match="RecordHistory writes nothing more .*No space left.*training goes on"
    ) as told:
        ae.fit(X)
    assert len([one for one in told if "RecordHistory" in str(one.message)]) == 1
    assert ae.n_iter_ == 3


def test_after_an_interruption_the_file_is_whole(tmp_path):
    class Interrupt(Callback):
        def on_epoch_start(self, run):
            if run.epoch == 2:
                raise KeyboardInterrupt

    path = tmp_path / "run.jsonl"
    with pytest.warns(TrainingWarning, match="interrupted in epoch 3"):
        AutoEncoder(**PLAIN, callbacks=[RecordHistory(path), Interrupt()]).fit(X)
    assert History.from_jsonl(path).stopped == "interrupted in epoch 3"
    assert History.from_jsonl(path)["epoch"].tolist() == [0, 1, 2]


def test_after_sigkill_there_are_whole_lines(tmp_path):
    path = tmp_path / "run.jsonl"
    code = (
        "import numpy as np\nfrom isthmus import AutoEncoder, RecordHistory\n"
        "X = np.random.default_rng(0).normal(size=(400, 8))\n"
        f"AutoEncoder(2, epochs=100000, patience=None, callbacks=[RecordHistory({str(path)!r})]).fit(X)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        waited = time.monotonic() + 120
        while time.monotonic() < waited and not (path.exists() and path.stat().st_size > 20_000):
            time.sleep(0.02)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert path.read_text().endswith("\n")
    epochs = History.from_jsonl(path)["epoch"]
    assert len(epochs) > 50
    np.testing.assert_array_equal(epochs, np.arange(len(epochs)))
