"""The cells of categories: common ones have a cell each, rare ones share one, and unknown ones share another."""

from collections.abc import Sequence

import numpy as np

MOST_LEVELS = 64
"""Categories with a cell of their own; rarer ones share a cell."""


def pooled(counts: Sequence[int], dropped: bool = False) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Assign cells to categories that occur this often.

    The `MOST_LEVELS` most common categories that occur have cells of their own, and rarer ones share one. The last cell
    is for categories that did not occur, which a network has not learned; rare ones share it if some of them were
    `dropped` from the counts.

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
    cells = {code: cell for cell, code in enumerate(sorted(order[:MOST_LEVELS]))}
    cells |= dict.fromkeys(order[MOST_LEVELS:], len(cells))
    unknown = max(cells.values(), default=-1) + (not dropped)
    places = (*(cells.get(code, unknown) for code in range(len(counts))), unknown)
    found = np.zeros(unknown + 1)
    np.add.at(found, list(places[:-1]), counts)
    # Half a row more for what was never seen, so that nothing has probability 0 (Krichevsky and Trofimov 1981).
    found += 0.5 * (found == 0)
    return places, tuple((found / found.sum()).tolist())
