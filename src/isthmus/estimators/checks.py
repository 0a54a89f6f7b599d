"""Checks of what a user gives to an estimator. Every error says what was expected and what came."""

import math
import warnings
from collections.abc import Iterable, Sequence
from itertools import pairwise
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_array

from isthmus.core.checks import is_number, whole_number
from isthmus.core.likelihood import LikelihoodModule
from isthmus.data.finite import column_label
from isthmus.data.moments import Ends
from isthmus.data.scaling import AffineScaling
from isthmus.engine.callbacks import Callback
from isthmus.engine.devices import memory
from isthmus.estimators.parameters import Parameters, RandomState
from isthmus.parts.codes import Deterministic

TOLERANCE = 1e-6
"""By how much a scaled value may lie outside the support of a likelihood, through rounding."""


def refuse_outside(
    likelihood: LikelihoodModule, name: str, ends: Ends, scaling: AffineScaling, names: Sequence[object] | None
) -> None:
    """Raise a `ValueError` if scaled columns leave the values for which the likelihood is defined.

    Parameters
    ----------
    likelihood
        p(x|z).
    name
        What to call it.
    ends
        Of the columns, in the data's units.
    scaling
        To the network's units.
    names
        Of the columns.
    """
    least, greatest = likelihood.support
    low = (ends.smallest - scaling.shift) / scaling.scale
    high = (ends.largest - scaling.shift) / scaling.scale
    outside = ((low < least - TOLERANCE) | (high > greatest + TOLERANCE)).nonzero().flatten()
    if len(outside):
        j = int(outside[0])
        mend = "scale='minmax', or " if greatest == 1 else ""
        raise ValueError(
            f"likelihood {name} needs values {interval(least, greatest)}, but {column_label(j, names)} goes from "
            f"{low[j]:g} to {high[j]:g} after scaling ({len(outside)} of {len(low)} columns are outside); take "
            f"{mend}likelihood='gaussian'"
        )
    broken = (~ends.whole | (scaling.shift != 0) | (scaling.scale != 1)).nonzero().flatten()
    if likelihood.whole and len(broken):
        j = int(broken[0])
        why = "is scaled: take scale='none'" if ends.whole[j] else "has fractions: round it"
        raise ValueError(
            f"likelihood {name} counts, so it needs whole numbers, but {column_label(j, names)} {why}, or take "
            f"likelihood='gaussian' ({len(broken)} of {len(low)} columns)"
        )


def interval(least: float, greatest: float) -> str:
    """Return the range of legal values in words."""
    return f"of at least {least:g}" if greatest == math.inf else f"in [{least:g}, {greatest:g}]"


def seed(random_state: RandomState) -> int:
    """Return a seed; None takes a fresh one from the system. No global random state is read or written."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if is_number(random_state) and isinstance(random_state, Integral) and 0 <= int(random_state) < 2**64:
        return int(random_state)
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    raise ValueError(
        f"random_state must be None, a whole number in [0, 2**64), or numpy's RandomState or Generator; "
        f"got {random_state!r}"
    )


def verbosity(verbose: object) -> int:
    """Return how much is printed: 0 is nothing; True and False count as 1 and 0."""
    return int(verbose) if isinstance(verbose, bool) else whole_number("verbose", verbose, 0)


def callbacks(given: Iterable[object] | None) -> list[Callback]:
    """Return the callbacks, none for None.

    Raises
    ------
    ValueError
        If it is no sequence of `Callback` objects.
    """
    listed = list(given) if isinstance(given, Iterable) else [given]
    if given is None or not listed:
        return []
    found = [callback for callback in listed if isinstance(callback, Callback)]
    if isinstance(given, Callback) or len(found) < len(listed):
        raise ValueError(f"callbacks must be a sequence of isthmus.Callback objects; got {given!r}")
    return found


def warn_if_it_can_copy(latent: int, features: int, parameters: Parameters) -> None:
    """Warn if nothing keeps an overcomplete autoencoder from learning the identity."""
    free = parameters.penalty is None and parameters.objective is None
    plain = parameters.code == "deterministic" or isinstance(parameters.code, Deterministic)
    if latent >= features and free and plain:
        warnings.warn(
            f"latent={latent} is not smaller than the {features} columns, and neither a penalty nor a corruption keeps "
            "the network from copying its input: a smaller latent, penalty='l1' or corruption='gaussian_noise' would",
            UserWarning,
            stacklevel=4,
        )


def codes(Z: ArrayLike, latent: int) -> np.ndarray:
    """Return codes (n, K) as an array of finite numbers."""
    array: np.ndarray = check_array(Z, dtype="numeric")
    if array.shape[1] != latent:
        raise ValueError(f"codes of this model have {latent} numbers, but Z has {array.shape[1]} columns")
    return array


def refuse_too_large(features: int, hidden: ArrayLike, latent: int) -> None:
    """Raise a `ValueError` if a network of these widths cannot be trained in the memory of the machine."""
    available = memory()
    widths = [features, *(int(width) for width in np.atleast_1d(hidden) if isinstance(width, Integral)), latent]
    # Encoder and decoder; a weight in float32, its gradient and two moments of Adam.
    needed = 2 * 16 * sum(before * after for before, after in pairwise(widths))
    if available is not None and needed > available:
        raise ValueError(
            f"layers of {'-'.join(map(str, widths))} units are too large: they would take {needed / 2**30:.0f} GiB to "
            f"train, and this machine has {available / 2**30:.0f} GiB; take a smaller latent or hidden"
        )
