"""Axes of matplotlib to draw a curve over whole numbers on."""

from typing import TYPE_CHECKING

from isthmus.core.extras import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def axes_over_integers(ax: "Axes | None", caller: str, xlabel: str, ylabel: str) -> "Axes":
    """Return the axes given, or those of a new figure, labelled and with whole numbers along x.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed; the message names the caller and the command that installs it.
    """
    try:
        from matplotlib import pyplot
        from matplotlib.ticker import MaxNLocator
    except ImportError:
        raise MissingExtraError(caller, "matplotlib", extra="report") from None
    if ax is None:
        _, ax = pyplot.subplots()
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return ax
