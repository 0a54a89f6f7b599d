"""Whether a gap in the scores is that of values which are rare but recur, as a level that one row in twenty has."""

import numpy as np
from sklearn.metrics import roc_auc_score

MOST_VALUES = 30
"""Greatest number of different values of a column of levels or small counts."""
ROWS_PER_VALUE = 5
"""Least number of rows per different value of such a column, on average."""
TOLD = 0.85
"""AUROC from which on rare values tell which rows are above a gap."""


def are_rare_values(above: np.ndarray, values: np.ndarray) -> bool:
    """Whether rows above a gap are those that have rare values of columns with few values.

    Rows with a rare level score apart from all others, in every table that has such a level; that makes them no
    anomalies.

    Parameters
    ----------
    above
        (n,) bool: the rows above the gap.
    values
        (n, columns), NaN where missing.

    Examples
    --------
    >>> levels = np.repeat([0.0, 1.0], [95, 5])[:, None]
    >>> are_rare_values(levels[:, 0] == 1, levels), are_rare_values(np.arange(100) % 20 == 0, levels)
    (True, False)
    """
    if above.all() or not above.any():
        return False
    return bool(roc_auc_score(above, rarity(values)) >= TOLD)


def rarity(values: np.ndarray) -> np.ndarray:
    """Return minus the log of the share of rows with the same value, summed over columns with few values, (n,)."""
    total = np.zeros(len(values))
    for column in values.T:
        different, of, counts = np.unique(column, return_inverse=True, return_counts=True)
        if len(different) <= min(MOST_VALUES, len(column) / ROWS_PER_VALUE):
            total -= np.log(counts[of] / len(column))
    return total
