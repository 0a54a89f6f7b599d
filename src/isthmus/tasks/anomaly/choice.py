"""Which methods detect, where the user leaves that open, and why."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from isthmus.core.choices import refuse_unknown, unknown
from isthmus.tasks.anomaly.denoiser import denoiser
from isthmus.tasks.anomaly.histogram import marginals
from isthmus.tasks.anomaly.mahalanobis import robust_linear
from isthmus.tasks.anomaly.models import code_distance, likelihood
from isthmus.tasks.anomaly.neighbours import neighbours
from isthmus.tasks.anomaly.scorer import Scorer, Training

METHODS: dict[str, Callable[[Training], Scorer]] = {
    "denoiser": denoiser,
    "mahalanobis": code_distance,
    "likelihood": likelihood,
    "linear": robust_linear,
    "neighbours": neighbours,
    "marginals": marginals,
}
"""What trains each method."""
SETTINGS = ("clean", "contaminated")
TOGETHER = {"clean": ("denoiser", "neighbours"), "contaminated": ("linear", "marginals", "denoiser")}
"""Whose surprises are averaged, by the setting, where all columns are numbers without gaps."""
TOGETHER_MIXED = {
    "clean": ("denoiser", "neighbours", "likelihood"),
    "contaminated": ("linear", "denoiser", "likelihood"),
}
"""The same where columns are of several kinds, or cells are missing."""


class Choice(NamedTuple):
    """The methods that were taken, and why."""

    names: tuple[str, ...]
    why: str


def choose(method: Any, setting: str, *, mixed: bool, sparse: bool, given: bool) -> Choice:
    """Return the methods to train.

    Parameters
    ----------
    method
        "auto", "ensemble", the name of a method, or several names.
    setting
        "clean" or "contaminated".
    mixed
        Whether columns are of several kinds, or cells are missing.
    sparse
        Whether the rows are sparse.
    given
        Whether the user gave an estimator.

    Raises
    ------
    ValueError
        For a method that is not known, or that these rows or the estimator do not go with.
    """
    refuse_unknown("setting", setting, SETTINGS)
    names = named(method)
    if names is None and given:
        return Choice(("likelihood",), "an estimator was given: its own likelihood scores rows")
    if names is None and sparse:
        return Choice(
            ("likelihood",), "rows are sparse: an autoencoder reads them as they are, and its likelihood scores"
        )
    if sparse and names != ("likelihood",):
        raise ValueError(f"X is sparse, and of the methods only 'likelihood' takes sparse rows; got method={method!r}")
    if names is None or names == ("ensemble",):
        return Choice((TOGETHER_MIXED if mixed else TOGETHER)[setting], reason(setting, mixed))
    if given and not set(names) & {"likelihood", "mahalanobis"}:
        raise ValueError(
            f"method={method!r} has no use for the estimator; leave method='auto', or take 'likelihood' or "
            "'mahalanobis'"
        )
    return Choice(names, "asked for")


def named(method: Any) -> tuple[str, ...] | None:
    """Return the methods that are asked for by name; None where the choice is left open."""
    if isinstance(method, str):
        refuse_unknown("method", method, ["auto", "ensemble", *METHODS])
        return None if method == "auto" else (method,)
    if isinstance(method, Sequence) and method and all(name in METHODS for name in method):
        return tuple(method)
    raise ValueError(unknown("method", method, ["auto", "ensemble", *METHODS, "or several of them in a tuple"]))


def reason(setting: str, mixed: bool) -> str:
    """Say why the methods of a setting are taken together."""
    own = "; the likelihood of an autoencoder that knows kinds of columns and missing cells" if mixed else ""
    if setting == "clean":
        return (
            "rows are known to be normal: a denoising autoencoder at many noise levels learns how columns go together, "
            f"and the distance to the nearest rows sees what it is too smooth for{own}"
        )
    rare = "" if mixed else " rare values column by column,"
    return (
        f"some rows may be anomalies: a linear autoencoder fitted to the more normal rows,{rare} and a denoising "
        f"autoencoder trained with much noise on rows that are not suspected learn no odd row by heart{own}"
    )
