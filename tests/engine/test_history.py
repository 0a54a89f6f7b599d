import json
import math

import numpy as np
import pytest

from isthmus.engine import History


def rows(epochs=3):
    start = {"epoch": 0, "val_loss": 5.0, "val_nll": 4.0, "val_l1": 1.0, "learning_rate": 0.0, "seconds": 0.0}
    later = [
        {
            "epoch": epoch,
            "loss": 3.0 / epoch,
            "nll": 2.0 / epoch,
            "l1": 1.0 / epoch,
            "val_loss": 4.0 / epoch,
            "val_nll": 3.0 / epoch,
            "val_l1": 1.0 / epoch,
            "learning_rate": 0.1,
            "seconds": 0.5 * epoch,
        }
        for epoch in range(1, epochs + 1)
    ]
    return [start, *later]


@pytest.fixture
def history():
    made = History(rows())
    made.init, made.stopped, made.best_epoch = "pca (exact)", "all 3 epochs done", 3
    return made


def assert_same(one, other):
    assert one.columns == other.columns
    for column in one.columns:
        np.testing.assert_array_equal(one[column], other[column])
    assert (one.init, one.stopped, one.best_epoch) == (other.init, other.stopped, other.best_epoch)


def test_columns_in_their_order(history):
    training, validation = ["loss", "nll", "l1"], ["val_loss", "val_nll", "val_l1"]
    assert history.columns == ["epoch", *training, *validation, "learning_rate", "seconds"]


def test_what_was_not_measured_is_nan(history):
    assert math.isnan(history["loss"][0])
    np.testing.assert_array_equal(history["loss"][1:], [3, 1.5, 1])
    np.testing.assert_array_equal(history["epoch"], [0, 1, 2, 3])


def test_length_and_rows(history):
    assert len(history) == 4
    assert list(history) == rows()
    history.append({"epoch": 4})
    assert len(history) == 5
    assert history["epoch"][-1] == 4


def test_append_takes_a_copy():
    history, row = History(), {"epoch": 1}
    history.append(row)
    row["epoch"] = 2
    assert history["epoch"].tolist() == [1]


def test_unknown_column(history):
    with pytest.raises(KeyError, match=r"no column 'lost' in the history; there are \['epoch', 'loss'"):
        history["lost"]


def test_empty():
    history = History()
    assert (len(history), history.columns, list(history)) == (0, [], [])
    assert_same(History.from_dict(history.to_dict()), history)
    assert History().rows is not History().rows
    assert "weights of epoch 0" in repr(history)


def test_round_trip_by_json(history):
    text = json.dumps(history.to_dict(), allow_nan=False)
    assert_same(History.from_dict(json.loads(text)), history)


def test_what_is_not_finite_becomes_null():
    history = History([{"epoch": 1, "loss": math.inf, "val_loss": -math.inf}, {"epoch": 2, "loss": math.nan}])
    plain = history.to_dict()
    assert plain["columns"] == {"epoch": [1, 2], "loss": [None, None], "val_loss": [None, None]}
    json.dumps(plain, allow_nan=False)


def test_to_frame(history):
    pytest.importorskip("pandas")
    frame = history.to_frame()
    assert list(frame.columns) == history.columns
    for column in history.columns:
        np.testing.assert_array_equal(frame[column], history[column])


def test_repr_is_a_table(history):
    head, *lines, end = repr(history).splitlines()
    assert head.split() == history.columns
    assert len(lines) == 4
    assert lines[0].split() == ["0", "5", "4", "1", "0", "0"]
    assert lines[3].split()[:3] == ["3", "1", "0.66667"]
    assert end == "start: pca (exact); end: all 3 epochs done; weights of epoch 3"


def test_long_repr_leaves_out_the_middle():
    lines = repr(History(rows(100))).splitlines()
    assert len(lines) == 1 + 6 + 1 + 5 + 1
    assert set(lines[7].split()) == {"..."}
    assert lines[-2].split()[0] == "100"
    assert len({len(line) for line in lines[:-1]}) == 1
