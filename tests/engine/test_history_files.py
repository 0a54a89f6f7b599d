"""Histories in files: what was written comes back, and what is no history is refused with its line."""

import json
import math

import numpy as np
import pytest

from isthmus import History
from isthmus.engine import history_files

ROWS = [
    {"epoch": 0, "val_loss": 3.25, "val_kl": 0.1},
    {
        "epoch": 1,
        "loss": math.pi,
        "kl": 1e-300,
        "val_loss": math.nan,
        "val_kl": 0.2,
        "learning_rate": 5e-3,
        "seconds": 0.5,
    },
    {"epoch": 2, "loss": -math.inf, "kl": 0.0, "val_loss": 2.0, "val_kl": 0.3, "learning_rate": 0.0, "seconds": 1.0},
]


@pytest.fixture
def history():
    history = History([dict(row) for row in ROWS])
    history.init, history.stopped, history.best_epoch = "pca (exact), β", "all 2 epochs done", 2
    history.health = {"active_units": 2.0}
    return history


def test_json_lines_hold_everything_but_infinities(history, tmp_path):
    history.to_jsonl(tmp_path / "run.jsonl", {"latent": 2})
    back = History.from_jsonl(tmp_path / "run.jsonl")
    assert back.columns == history.columns
    for name in back.columns:
        expected = np.where(np.isfinite(history[name]), history[name], np.nan)
        np.testing.assert_array_equal(back[name], expected)
    assert back.to_dict() == history.to_dict()
    assert "loss" not in back.rows[0]
    assert math.isnan(back.rows[1]["val_loss"])
    start = json.loads((tmp_path / "run.jsonl").read_text().splitlines()[0])
    assert start["settings"] == {"latent": 2}
    assert set(start["versions"]) == {"isthmus", "python", "torch", "numpy", "scikit-learn"}


def test_csv_holds_the_table_to_the_last_bit(history, tmp_path):
    history.to_csv(tmp_path / "run.csv")
    back = History.from_csv(tmp_path / "run.csv")
    assert back.columns == history.columns
    assert [set(row) for row in back] == [set(row) for row in history]
    for name in back.columns:
        np.testing.assert_array_equal(back[name], history[name])


def test_other_readers_read_both(history, tmp_path):
    pd = pytest.importorskip("pandas")
    history.to_csv(tmp_path / "run.csv")
    history.to_jsonl(tmp_path / "run.jsonl")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "run.csv"), history.to_frame(), check_dtype=False)
    lines = pd.read_json(tmp_path / "run.jsonl", lines=True)
    assert lines[lines.event == "epoch"].epoch.tolist() == [0, 1, 2]


def test_an_empty_history(tmp_path):
    History().to_jsonl(tmp_path / "run.jsonl")
    assert len(History.from_jsonl(tmp_path / "run.jsonl")) == 0


def test_a_torn_last_line_is_left_out(history, tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text(history.jsonl({})[:-20])
    assert len(History.from_jsonl(path)) == 3
    assert History.from_jsonl(path).stopped == ""


def test_several_runs_in_one_file(history, tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text(history.jsonl({}, "first") + History(ROWS[:1]).jsonl({}, "second"))
    assert [run.name for run in history_files.runs_of_jsonl(path)] == ["first", "second"]
    assert len(History.from_jsonl(path, run="first")) == 3
    assert len(History.from_jsonl(path, run="second")) == 1
    with pytest.raises(ValueError, match="holds 2 runs; say which: run='first' or run='second'"):
        History.from_jsonl(path)
    with pytest.raises(ValueError, match="holds no run 'third'; it has 'first', 'second'"):
        History.from_jsonl(path, run="third")
    table = tmp_path / "run.csv"
    table.write_text("run,epoch,loss\nfirst,1,2.5\nsecond,1,\n")
    assert History.from_csv(table, run="second").columns == ["epoch"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "it has no whole line"),
        ('{"event": "start"}\n{broken\n', "line 2, column 2: no JSON"),
        ("[1]\n", "line 1: an object was expected; got .1."),
        ('{"event": "epoch", "epoch": 1}\n', "line 1: a history begins with an event 'start'; this line has 'epoch'"),
        ('{"event": "start"}\n{"event": "epoch", "loss": "x"}\n', "line 2: a number was expected; got 'x'"),
        ('{"event": "start"}\n{"event": "epoch", "loss": true}\n', "line 2: a number was expected; got True"),
    ],
)
def test_what_is_no_history_in_json_lines(content, message, tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        History.from_jsonl(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "its first line lists no column 'epoch'"),
        ("a,b\n1,2\n", "its first line lists no column 'epoch'"),
        ("epoch,loss\n1\n", "line 2: 2 cells were expected, as in the first line; got 1"),
        ("epoch,loss\n1,much\n", "line 2: a number was expected; got 'much'"),
    ],
)
def test_what_is_no_history_in_csv(content, message, tmp_path):
    path = tmp_path / "run.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        History.from_csv(path)


def test_a_file_that_is_not_text(tmp_path):
    (tmp_path / "run.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="is no history: it is not text"):
        History.from_csv(tmp_path / "run.csv")
