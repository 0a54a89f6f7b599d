import io
import re

import numpy as np
import pytest
from rich.console import Console

from isthmus import AutoEncoder, Callback
from isthmus.engine.progress import ProgressReport

X = np.random.default_rng(0).normal(size=(120, 4))


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch):
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def model(**settings):
    return AutoEncoder(**{"latent": 2, "hidden": (8,), "epochs": 3, "random_state": 0} | settings)


def test_silent_by_default(capfd):
    model().fit(X)
    assert capfd.readouterr() == ("", "")


def test_one_plain_line_per_epoch(capsys):
    ae = model(verbose=1).fit(X)
    printed = capsys.readouterr()
    assert printed.err == ""
    start, *epochs, end, floor = printed.out.splitlines()
    assert start.startswith(
        "start: pca (exact); 108 training rows, 12 validation rows, up to 3 epochs of 1 batch of 108 rows"
    )
    assert len(epochs) == 3
    for number, line in enumerate(epochs, start=1):
        loss, val_loss = ae.history_["loss"][number], ae.history_["val_loss"][number]
        losses = re.escape(f"loss {loss:.5g}  val_loss {val_loss:.5g}")
        assert re.fullmatch(rf"epoch {number}/3  {losses}  \d+\.\d s", line)
    assert floor == str(ae.floor_)
    assert end == f"end: all 3 epochs done; weights of epoch {ae.history_.best_epoch}"
    assert "\x1b" not in printed.out


def test_without_validation_there_is_one_loss(capsys):
    model(verbose=1, validation=0.0).fit(X)
    printed = capsys.readouterr().out
    assert "val_loss" not in printed
    assert printed.count("  loss ") == 3


def test_a_narrow_window_does_not_break_the_lines(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    model(verbose=1).fit(X)
    assert len(capsys.readouterr().out.splitlines()) == 6


def test_a_reason_is_printed_as_it_is(capsys):
    class Stop(Callback):
        def on_epoch_end(self, trainer):
            trainer.stop("in [/0, 1] and [red]")

    model(verbose=1, callbacks=[Stop()]).fit(X)
    assert "end: in [/0, 1] and [red]; weights" in capsys.readouterr().out


def test_it_comes_before_the_callbacks_of_the_user(capsys):
    class Speak(Callback):
        def on_fit_start(self, trainer):
            print("mine")

    model(verbose=1, callbacks=[Speak()]).fit(X)
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("start:")
    assert second == "mine"


def test_result_does_not_depend_on_it(capsys):
    np.testing.assert_array_equal(model(verbose=1).fit(X).transform(X), model().fit(X).transform(X))


def test_a_bar_on_a_terminal():
    report, screen = ProgressReport(), io.StringIO()
    report.console = Console(file=screen, force_terminal=True, width=100, color_system=None)
    ae = model(callbacks=[report]).fit(X)
    printed = screen.getvalue()
    assert report.bar is None
    assert "3/3" in printed
    assert f"loss {ae.history_['loss'][-1]:.5g}" in printed
    assert "end: all 3 epochs done" in printed
    assert printed.count("\x1b[?25l") == printed.count("\x1b[?25h"), "the cursor is shown again"


def test_the_bar_goes_after_an_interruption():
    class Interrupt(Callback):
        def on_epoch_end(self, trainer):
            raise KeyboardInterrupt

    report, screen = ProgressReport(), io.StringIO()
    report.console = Console(file=screen, force_terminal=True, width=100, color_system=None)
    with pytest.warns(UserWarning, match="interrupted"):
        model(callbacks=[report, Interrupt()]).fit(X)
    assert report.bar is None
    assert "end: interrupted in epoch" in screen.getvalue()
