import sys

import pytest

from isthmus.core.extras import MissingExtraError
from isthmus.engine.axes import axes_over_integers


def test_the_axes_given_are_labelled_and_those_of_a_new_figure_else():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot

    _, own = pyplot.subplots()
    assert axes_over_integers(own, "Test.plot", "size", "score") is own
    assert (own.get_xlabel(), own.get_ylabel()) == ("size", "score")
    assert axes_over_integers(None, "Test.plot", "size", "score") is not own
    pyplot.close("all")


def test_a_missing_matplotlib_is_told_with_the_caller(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"Test\.plot"):
        axes_over_integers(None, "Test.plot", "", "")
