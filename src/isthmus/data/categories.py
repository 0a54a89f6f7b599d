"""The cells of categories: common ones have a cell each, rare and unknown ones share one."""

from collections.abc import Sequence

import numpy as np

MOST_LEVELS = 64
"""Categories with a cell of their own; rarer ones share a cell."""


def pooled(counts: Sequence[int]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Assign cells to categories that occur this often.

    The `MOST_LEVELS` most common categories that occur have cells of their own; rare ones share the last cell with
    unknown ones.

    Returns
    -------
    places : tuple of int
        The cell of each category, followed by the cell of unknown categories.
    shares : tuple of float
        The share of the rows that each cell has.

    Examples
    --------
    >>> pooled([3, 0, 1])[0]
    (0, 2, 1, 2)
    """
    order = sorted((code for code, count in enumerate(counts) if count), key=lambda code: -counts[code])
    own = {code: cell for cell, code in enumerate(sorted(order[:MOST_LEVELS]))}
    places = (*(own.get(code, len(own)) for code in range(len(counts))), len(own))
    found = np.zeros(len(own) + 1)
    np.add.at(found, list(places[:-1]), counts)
    # Half a row more for what was never seen, so that nothing has probability 0 (Krichevsky and Trofimov 1981).
    found += 0.5 * (found == 0)
    return places, tuple((found / found.sum()).tolist())
