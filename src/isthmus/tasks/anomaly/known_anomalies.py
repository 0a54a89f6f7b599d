"""What a few known anomalies are good for: they weigh the methods, and say how far down the scores anomalies reach."""

import warnings

import numpy as np

KNOWN, UNKNOWN = 1, -1
"""Labels of rows that are known to be anomalies, and of rows of which nothing is known."""
TRUST, HALF_WAY = 2.0, 3.0
"""How sharply many known anomalies tell methods apart, and how many give half of that."""
MOST_SURPRISAL = 6.0
"""Greatest surprisal of a known anomaly that counts for a method: one that all methods find tells nothing."""
ALREADY = 3.0
"""How many known anomalies the decision without them counts for."""
USUAL = 0.15
"""Share of anomalies that is assumed at the least where some are known."""
MOST_CALLED = 0.5
"""Greatest share of the rows that known anomalies can make anomalies."""


def known_anomalies(y: object, rows: int) -> np.ndarray | None:
    """Return which rows are known to be anomalies by the labels y, (rows,) bool; None if none are.

    Parameters
    ----------
    y : array-like of shape (rows,) or None
        1 for known anomalies, -1 for rows of which nothing is known. Other values are ignored, with a warning if they
        look like labels.
    rows : int

    Raises
    ------
    ValueError
        If y has another length, or more than half of the rows are called anomalies, as in labels that mean normal by 1.

    Examples
    --------
    >>> known_anomalies([-1, 1, -1, -1], 4).tolist()
    [False, True, False, False]
    """
    if y is None:
        return None
    labels = np.asarray(y)
    names = np.unique(labels.astype(str))
    if not set(names) <= {"1", "-1", "1.0", "-1.0"} or len(names) != 2:
        _warn_of_labels(names)
        return None
    if labels.shape != (rows,):
        raise ValueError(f"y must have one label for each of the {rows} rows; got shape {labels.shape}")
    known = labels.astype(float) == KNOWN
    if known.sum() > rows / 2:
        raise ValueError(
            f"y calls {int(known.sum())} of {rows} rows known anomalies, more than half: {KNOWN} stands for a known "
            f"anomaly and {UNKNOWN} for a row of which nothing is known; if 1 means normal, as in predict, give -y"
        )
    return known


def _warn_of_labels(names: np.ndarray) -> None:
    """Warn if y looks like labels that are not known here: one class, or two of which one may be anomalies."""
    if len(names) > 2:
        return
    what = f"holds one label ({names[0]})" if len(names) == 1 else f"holds two labels ({', '.join(names)})"
    warnings.warn(
        f"y is ignored: it {what}. Known anomalies are given as {KNOWN} and all other rows as {UNKNOWN}, such as "
        f"y=np.where(labels == 'anomaly', {KNOWN}, {UNKNOWN}); if normal rows are known, fit on them with "
        "setting='clean'",
        UserWarning,
        stacklevel=5,
    )


def method_weights(known: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the weight of each method, (M,), by how odd known anomalies are to it; they add up to 1.

    A method's evidence is the mean surprisal of the known anomalies by their ranks among the other rows. Weights are
    exponential in it (as in a mixture of experts, Littlestone and Warmuth 1994), the more so the more anomalies are
    known: k of them count k/(k + 3).

    Parameters
    ----------
    known
        (k, M) scores of known anomalies by each method, higher is odder.
    others
        (n, M) scores of the other rows.

    Examples
    --------
    >>> others = np.column_stack([np.arange(100.0), np.arange(100.0)])
    >>> method_weights(np.array([[90.0, 10.0]]), others).round(2).tolist()
    [0.74, 0.26]
    """
    rows = len(others)
    evidence = []
    for found, ordered in zip(known.T, np.sort(others, axis=0).T, strict=True):
        as_odd = (1 + rows - np.searchsorted(ordered, found, side="left")) / (rows + 1)
        evidence.append(np.minimum(-np.log(as_odd), MOST_SURPRISAL).mean())
    sharpness = TRUST * len(known) / (len(known) + HALF_WAY)
    weights = np.exp(sharpness * (np.array(evidence) - max(evidence)))
    return np.asarray(weights / weights.sum())


def known_threshold(known: np.ndarray, others: np.ndarray, called: int, estimate: int) -> float:
    """Return the score above which rows are anomalies: where F1 is expected to be greatest.

    The recall at a threshold is estimated by the share of the known anomalies above it, and by that of the rows which
    would be called without them, which count for three known anomalies. The share of anomalies is the estimated one,
    or 15 % if that is less.

    Parameters
    ----------
    known
        (k,) scores of known anomalies.
    others
        (n,) scores of the other rows.
    called
        How many of the others would be called anomalies without known ones.
    estimate
        How many of the others are anomalies by their scores.
    """
    n = len(others)
    ordered = np.sort(others)[::-1]
    above = np.arange(1, n + 1)
    recalled = (len(known) - np.searchsorted(np.sort(known), ordered, side="left")) / len(known)
    before = np.minimum(above / max(called, 1), 1)
    recall = (ALREADY * before + len(known) * recalled) / (ALREADY + len(known))
    anomalies = max(estimate, USUAL * n)
    best = int(np.argmax((2 * recall * anomalies / (above + anomalies))[: max(1, int(MOST_CALLED * n))]))
    return float((ordered[best] + ordered[min(best + 1, n - 1)]) / 2)
