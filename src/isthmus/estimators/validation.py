"""What a user gives, checked: tables, weights, numbers, seeds. Every error says what was expected and what came."""

import math
import warnings
from collections.abc import Callable, Iterator
from itertools import pairwise
from numbers import Integral
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.utils.validation import _check_sample_weight, check_array, validate_data

from isthmus.core.checks import is_number
from isthmus.data.chunks import ChunkedTable
from isthmus.data.scaling import Scaling, Summary
from isthmus.engine.devices import memory
from isthmus.parts.codes import Deterministic

Table = Any
"""A numpy array, scipy's CSR, or a table in chunks, (n, F)."""
LARGEST = 1e150
"""The square of a larger number, summed over a table, overflows float64."""


def table(estimator: Any, X: Any, *, reset: bool, least_rows: int = 1) -> Table:
    """Return X as a two-dimensional array of finite numbers, without a copy where it is one already; sparse as CSR.

    With `reset` the estimator learns the number and names of the columns; otherwise they have to be the known ones.
    """
    try:
        array = validate_data(
            estimator,
            X,
            reset=reset,
            accept_sparse="csr",
            dtype="numeric",
            ensure_all_finite=False,
            ensure_min_samples=least_rows,
        )
        if array.dtype.kind == "O":  # columns of a frame that have no number type in common
            array = array.astype(np.float64)
    except ValueError as error:
        if "could not convert string" in str(error) or "bytes/strings" in str(error):
            raise ValueError(
                f"X holds text ({error}); {type(estimator).__name__} takes numbers: encode such columns first, for "
                "example with sklearn.preprocessing.OneHotEncoder or OrdinalEncoder"
            ) from error
        raise
    if array.dtype.kind not in "biuf":
        raise ValueError(f"X holds {array.dtype} values; {type(estimator).__name__} takes numbers: convert them first")
    refuse_gaps(array, getattr(estimator, "feature_names_in_", None))
    return array


def array_of_anything(X: Any) -> np.ndarray:
    """Return X as an array of two dimensions, of numbers or objects, with whatever is missing left so."""
    array: np.ndarray = check_array(X, dtype=None, ensure_all_finite=False, ensure_min_samples=0)
    return array


def refuse_gaps(X: Table, names: np.ndarray | None) -> None:
    """Raise a `ValueError` if a value is NaN or infinite: in which columns, how many, and what to do."""
    if X.dtype.kind != "f":
        return
    bad = np.zeros(X.shape[1], dtype=np.int64)
    nan = 0
    for values, column_of in entries(X):
        finite = np.isfinite(values)
        if not finite.all():
            nan += int(np.isnan(values).sum())
            bad += np.bincount(column_of(np.flatnonzero(~finite)), minlength=X.shape[1])
        elif values.dtype.itemsize > 4 and np.abs(values).max(initial=0) > LARGEST:
            first = np.flatnonzero(np.abs(values) > LARGEST)[0]
            value = f"{column_name(int(column_of(first)), names)}: {values[first]:g}"
            raise ValueError(f"Input X has values too large to be squared ({value}); divide such columns first")
    if not bad.any():
        return
    columns = np.flatnonzero(bad)
    shown = ", ".join(f"{column_name(j, names)}: {bad[j]}" for j in columns[:5])
    more = f" and {len(columns) - 5} more columns" if len(columns) > 5 else ""
    raise ValueError(
        f"Input X contains NaN or infinity: {nan} NaN and {int(bad.sum()) - nan} infinite values ("
        f"{shown}{more}). Columns may have missing cells where some have in fit, or with columns='auto'; make infinite "
        "values finite or missing"
    )


def entries(X: Table, size: int = 2**20) -> Iterator[tuple[np.ndarray, Callable[[Any], Any]]]:
    """Pass over the cells of a table, of a sparse one those that are kept: values, and what tells their columns."""
    if scipy.sparse.issparse(X):
        for start in range(0, len(X.data), size):
            yield X.data[start : start + size], X.indices[start : start + size].__getitem__
        return
    rows = max(1, size // X.shape[1])
    for start in range(0, len(X), rows):
        yield X[start : start + rows].ravel(), lambda cell: cell % X.shape[1]


def column_name(index: int, names: np.ndarray | None) -> str:
    """Return how to call a column in a message."""
    return f"column {index}" if names is None else f"column {names[index]!r}"


def weights(sample_weight: Any, X: Table, least: int) -> tuple[Table, np.ndarray | None]:
    """Return X without the rows of weight zero, and the weights of the others (None if they are equal).

    Raises
    ------
    ValueError
        For another number of weights than rows, a negative or infinite weight, or fewer than `least` positive ones.
    """
    if sample_weight is None:
        return X, None
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    used = weight > 0
    if isinstance(X, ChunkedTable) and not used.all():
        raise ValueError(
            f"{(~used).sum()} sample weights are 0, and rows that are read in chunks cannot be left out one by one; "
            "give them positive weights, or take them out of the data"
        )
    if used.sum() < least:
        raise ValueError(f"{used.sum()} sample weights are positive, but at least {least} have to be")
    # Around 1, so that their sums neither overflow nor vanish in float32; only their ratios count.
    weight = weight / weight[used].max()
    weight /= weight[used].mean()
    return (X, weight) if used.all() else (X[used], weight[used])


def refuse_outside(likelihood: Any, name: str, summary: Summary, scaling: Scaling, names: np.ndarray | None) -> None:
    """Raise a `ValueError` if the scaled columns leave the values for which the likelihood is defined."""
    least, greatest = likelihood.support
    low = (summary.smallest - scaling.shift) / scaling.scale
    high = (summary.largest - scaling.shift) / scaling.scale
    tolerance = 1e-6
    outside = ((low < least - tolerance) | (high > greatest + tolerance)).nonzero().flatten()
    if len(outside):
        j = int(outside[0])
        mend = "scale='minmax', or " if greatest == 1 else ""
        raise ValueError(
            f"likelihood {name} needs values {interval(least, greatest)}, but {column_name(j, names)} goes from "
            f"{low[j]:g} to {high[j]:g} after scaling ({len(outside)} of {len(low)} columns are outside); take "
            f"{mend}likelihood='gaussian'"
        )
    broken = (~summary.whole | (scaling.shift != 0) | (scaling.scale != 1)).nonzero().flatten()
    if likelihood.whole and len(broken):
        j = int(broken[0])
        why = "is scaled: take scale='none'" if summary.whole[j] else "has fractions: round it"
        raise ValueError(
            f"likelihood {name} counts, so it needs whole numbers, but {column_name(j, names)} {why}, or take "
            f"likelihood='gaussian' ({len(broken)} of {len(low)} columns)"
        )


def interval(least: float, greatest: float) -> str:
    """Say between which values numbers have to be."""
    return f"of at least {least:g}" if greatest == math.inf else f"in [{least:g}, {greatest:g}]"


def seed(random_state: Any) -> int:
    """Return a seed; None takes a fresh one from the system, and no global random state is read or written."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if is_number(random_state) and isinstance(random_state, Integral) and 0 <= int(random_state) < 2**64:
        return int(random_state)
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    raise ValueError(
        f"random_state has to be None, a whole number in [0, 2**64), or numpy's RandomState or Generator; "
        f"got {random_state!r}"
    )


def warn_if_it_can_copy(latent: int, features: int, estimator: Any) -> None:
    """Warn of an overcomplete autoencoder without corruption that nothing keeps from learning the identity."""
    free = estimator.penalty is None and estimator.objective is None
    plain = estimator.code == "deterministic" or isinstance(estimator.code, Deterministic)
    if latent >= features and free and plain:
        warnings.warn(
            f"latent={latent} is not smaller than the {features} columns, and neither a penalty nor a corruption keeps "
            "the network from copying its input: a smaller latent, penalty='l1' or corruption='gaussian_noise' would",
            UserWarning,
            stacklevel=4,
        )


def codes(Z: Any, latent: int) -> np.ndarray:
    """Return codes (n, K) as an array of finite numbers, or say what is wrong with them."""
    array = check_array(Z, dtype="numeric")
    if array.shape[1] != latent:
        raise ValueError(f"codes of this model have {latent} numbers, but Z has {array.shape[1]} columns")
    return array


def refuse_too_large(features: int, hidden: Any, latent: int) -> None:
    """Raise a `ValueError` if the weights of such a network could not be trained in the memory of the machine."""
    available = memory()
    widths = [features, *(int(width) for width in np.atleast_1d(hidden) if isinstance(width, Integral)), latent]
    # Encoder and decoder; a weight in float32, its gradient and two moments of Adam.
    needed = 2 * 16 * sum(before * after for before, after in pairwise(widths))
    if available is not None and needed > available:
        raise ValueError(
            f"layers of {'-'.join(map(str, widths))} units are too large: they would take {needed / 2**30:.0f} GiB to "
            f"train, and this machine has {available / 2**30:.0f} GiB; take a smaller latent or hidden"
        )
