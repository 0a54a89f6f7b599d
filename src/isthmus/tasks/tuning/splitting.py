"""Which rows train the models of a search, which compare them, and which nobody sees before the end."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from isthmus.core.choices import refuse_unknown
from isthmus.estimators.validation import group_numbers

LEAST_ROWS = 30
"""Fewer rows say nothing."""
TEST, MOST_TEST = 0.2, 5000
"""Share of the rows that no trial sees, and how many at most."""
COMPARED, MOST_COMPARED = 0.25, 2000
"""Share of the other rows by which trials are compared, and how many at most."""
FEW, PARTS = 500, 5
"""With fewer rows besides the test rows, each of that many parts of them is held out in turn."""
ORDERS = ("random", "last")
"""How rows are held out."""


@dataclass(frozen=True, eq=False)
class Part:
    """Positions of the rows that train a model, and of those on which it is measured."""

    training: np.ndarray
    held_out: np.ndarray


@dataclass(frozen=True, eq=False)
class Split:
    """The rows of a search.

    Parameters
    ----------
    parts : sequence of Part
        Every trial trains a model on each of them, and is measured on all rows held out.
    test : ndarray
        The rows that no trial sees.
    rows : int
        All rows.
    """

    parts: Sequence[Part]
    test: np.ndarray
    rows: int

    @property
    def compared(self) -> np.ndarray:
        """Positions of the rows on which trials are compared, part after part."""
        return np.concatenate([part.held_out for part in self.parts])

    @property
    def others(self) -> np.ndarray:
        """Positions of all rows but the test rows."""
        return np.setdiff1d(np.arange(self.rows), self.test)

    def __str__(self) -> str:
        held = len(self.compared)
        how = f"{held:,} rows held out in {len(self.parts)} parts" if len(self.parts) > 1 else f"{held:,} rows held out"
        return f"trials are compared on {how}; {len(self.test):,} rows were seen by none"


def split(
    rows: int,
    seed: int,
    holdout: str = "random",
    groups: ArrayLike | None = None,
    classes: np.ndarray | None = None,
) -> Split:
    """Return which rows train, which compare and which test.

    Parameters
    ----------
    rows
        Their number.
    seed
        The same seed draws the same rows.
    holdout
        "random", or "last" for rows in the order of time: the last fifth tests, and those before it compare.
    groups
        (n,) labels; rows of one label are on one side.
    classes
        (n,) numbers of classes, which are spread evenly over the sides; None if there are none.

    Raises
    ------
    ValueError
        If there are too few rows or groups, or ``holdout="last"`` came with groups.
    """
    refuse_unknown("holdout", holdout, ORDERS)
    if rows < LEAST_ROWS:
        raise ValueError(
            f"X has {rows} rows, and a search needs at least {LEAST_ROWS}: some to train on, some to compare trials, "
            "and some that no trial has seen. Fit with the defaults instead"
        )
    if holdout == "last":
        if groups is not None:
            raise ValueError("holdout='last' holds out the last rows, and groups draws groups at random: give one")
        return last_rows(rows)
    units = np.arange(rows) if groups is None else group_numbers(groups, rows)
    assert units is not None, "there are groups"
    order = shuffled(units, np.random.default_rng(seed), classes)
    test, others = cut(order, units, min(round(TEST * rows), MOST_TEST))
    if len(others) >= FEW:
        held_out, training = cut(others, units, min(round(COMPARED * len(others)), MOST_COMPARED))
        parts = [Part(np.sort(training), np.sort(held_out))]
    else:
        # Units lie together, and pieces of the order have every class, as the whole order has.
        rank = np.concatenate([[0], np.cumsum(np.diff(units[others]) != 0)])
        count = min(PARTS, int(rank[-1]) + 1)
        side = rank * count // (int(rank[-1]) + 1)
        parts = [Part(np.sort(others[side != own]), np.sort(others[side == own])) for own in range(count)]
    if not len(others) or any(not len(part.training) or not len(part.held_out) for part in parts):
        raise ValueError(f"groups are too few for three sides of a search: there are {len(np.unique(units))}")
    return Split(parts, np.sort(test), rows)


def last_rows(rows: int) -> Split:
    """Return that the last rows test, and those before them compare."""
    test = min(round(TEST * rows), MOST_TEST)
    others = rows - test
    held_out = min(round(COMPARED * others), MOST_COMPARED)
    part = Part(np.arange(others - held_out), np.arange(others - held_out, others))
    return Split([part], np.arange(others, rows), rows)


def shuffled(units: np.ndarray, generator: np.random.Generator, classes: np.ndarray | None) -> np.ndarray:
    """Return all positions in random order, units together, classes spread evenly if each row is a unit."""
    count = int(units.max()) + 1
    if classes is None or count < len(units):
        return np.argsort(generator.permutation(count)[units], kind="stable")
    place = np.empty(len(units))
    for one in np.unique(classes):
        own = np.flatnonzero(classes == one)
        place[own] = (generator.permutation(len(own)) + generator.random()) / len(own)
    return np.argsort(place, kind="stable")


def cut(order: np.ndarray, units: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first `count` of positions in an order, about, and the others; no unit is on both sides."""
    ends = np.flatnonzero(np.diff(units[order])) + 1
    nearest = int(ends[np.argmin(np.abs(ends - count))]) if len(ends) else 0
    return order[:nearest], order[nearest:]
