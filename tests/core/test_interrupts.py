import _thread
import signal
import sys
import threading
import time
from importlib import import_module

import pytest

from isthmus.core import interrupts
from isthmus.core.interrupts import heed_lost, interruptible, uninterrupted


def press():
    """Ctrl-C, seen by the main thread at once."""
    signal.raise_signal(signal.SIGINT)


def raises(block):
    """Run a block that Ctrl-C ends."""
    with pytest.raises(KeyboardInterrupt):
        block()


@pytest.fixture(autouse=True)
def handler_is_put_back():
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before
    assert not interrupts.INSTALLED


def test_it_comes_at_the_end_of_the_block():
    done = []

    @raises
    def block():
        with uninterrupted():
            press()
            done.append("all")

    assert done == ["all"]


def test_the_outermost_block_counts():
    done = []

    @raises
    def block():
        with uninterrupted():
            with uninterrupted():
                press()
            done.append("after the inner one")

    assert done


def test_an_interruptible_part_is_interrupted_at_once():
    done = []
    with uninterrupted():
        try:
            with interruptible():
                press()
                pytest.fail("not interrupted")
        except KeyboardInterrupt:
            done.append("caught")
        press()
        done.append("kept")
        assert interrupts.INSTALLED[-1].taken()
    assert done == ["caught", "kept"]


def test_one_that_was_kept_comes_where_the_interruptible_part_begins():
    with uninterrupted() as own:
        press()
        with pytest.raises(KeyboardInterrupt), interruptible():
            pytest.fail("not interrupted")
        own.taken()


def test_one_that_is_taken_is_not_raised():
    with uninterrupted() as own:
        press()
        assert own.taken()
        assert not own.taken()


def test_another_block_may_raise_it():
    done = []

    @raises
    def block():
        with uninterrupted(), interruptible():
            with uninterrupted(later=True):
                press()
            done.append("not here")
            with uninterrupted():
                done.append("but here")
            done.append("not raised")

    assert done == ["not here", "but here"]


def test_an_import_is_completed(tmp_path, monkeypatch):
    (tmp_path / "slowly_imported.py").write_text(
        "import signal, time\nsignal.raise_signal(signal.SIGINT)\ntime.sleep(0.05)\nwhole = True\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    @raises
    def block():
        with uninterrupted(), interruptible():
            import_module("slowly_imported")
            time.sleep(5)

    assert sys.modules.pop("slowly_imported").whole


class Drops:
    def __del__(self):
        press()


def test_one_that_python_dropped_is_raised_at_the_next_look(monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", lambda dropped: None)
    with uninterrupted(), interruptible():
        Drops()
        with pytest.raises(KeyboardInterrupt):
            heed_lost()


def test_other_threads_change_nothing():
    before = signal.getsignal(signal.SIGINT)
    found = []

    def other():
        with uninterrupted(), interruptible():
            found.append(signal.getsignal(signal.SIGINT))
            heed_lost()

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert found == [before]


def test_a_handler_of_the_user_is_called():
    called = []
    before = signal.signal(signal.SIGINT, lambda number, frame: called.append(number))
    try:
        with uninterrupted():
            _thread.interrupt_main()
            assert not called
        assert called == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)
