import builtins
import json
import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from isthmus.core.extras import MissingExtraError
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


def test_html_is_a_plot_a_table_and_the_end(history):
    root = ET.fromstring(history._repr_html_())
    svg, table, end = root
    assert svg.tag.endswith("svg")
    assert [cell.text for cell in table.iter("th")] == history.columns
    assert len(list(table.iter("tr"))) == 1 + 4
    assert end.text == "start: pca (exact); end: all 3 epochs done; weights of epoch 3"


@pytest.mark.parametrize("epochs", [1, 12, 100])
def test_html_of_every_length(epochs):
    table = ET.fromstring(History(rows(epochs))._repr_html_())[1]
    assert len(list(table.iter("tr"))) == 1 + min(epochs + 1, 12)


def test_html_without_epochs_or_losses():
    assert History()._repr_html_() == "<p>no epochs yet</p>"
    table, _ = ET.fromstring(History([{"epoch": 1, "seconds": 0.1}])._repr_html_())
    assert [cell.text for cell in table.iter("td")] == ["1", "0.1"]


def test_html_is_escaped():
    history = History([{"epoch": 1, "<loss>": 1.0, "loss": math.nan}])
    history.stopped = "in <0, 1> & more"
    root = ET.fromstring(history._repr_html_())
    assert "<loss>" in [cell.text for cell in root.iter("th")]
    assert "in <0, 1> & more" in root[-1].text


@pytest.fixture
def figures():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


def test_plot_draws_every_loss(figures, history):
    ax = history.plot()
    loss, val_loss = ax.get_lines()
    assert [line.get_label() for line in (loss, val_loss)] == ["loss", "val_loss"]
    np.testing.assert_array_equal(loss.get_xdata(), [0, 1, 2, 3])
    np.testing.assert_array_equal(loss.get_ydata(), history["loss"])
    np.testing.assert_array_equal(val_loss.get_ydata(), history["val_loss"])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss (nats per row)")


def test_plot_takes_axes(figures, history):
    _, given = figures.subplots()
    assert history.plot(ax=given) is given
    assert len(figures.get_fignums()) == 1


def test_plot_without_epochs(figures):
    assert not History().plot().get_lines()


def test_plot_names_the_command_that_installs_matplotlib(monkeypatch, history):
    real = builtins.__import__

    def without(name, *given, **named):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *given, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"History.plot needs matplotlib: pip install 'isthmus\[report\]'"):
        history.plot()
