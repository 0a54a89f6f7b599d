"""`latent="auto"`: how many numbers a code needs, by held-out log-densities of factor analyses of every size.

The held-out error of principal components falls with every number and names no size. A density pays for its numbers,
and noise of each column's own, unlike that of probabilistic PCA, is not taken for a factor where columns are not
equally noisy.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from isthmus.core.factor_analysis import STEPS, FactorModel, factor_analysis
from isthmus.core.likelihood import LikelihoodModule
from isthmus.core.resolution import resolution_variances
from isthmus.data.rows import Rows
from isthmus.data.table import Index
from isthmus.estimators.latent_curve import LatentCurve

LEAST_ROWS = 10
FEW, MANY = 200, 2000
"""Rows below which ten parts are held out by turns, and from which one is, once."""
MOST_HELD_OUT = 2000
MOST_COLUMNS = 400
"""Columns that are looked at; of more, evenly spaced ones."""
REACH = 5.0
"""Standard deviations from the mean at which cells are cut off: a few far cells would be all that a density sees."""
FLOOR = 1e-4
"""Least noise of a column, as a share of its variance."""
PRIOR_ROWS = 2.0
"""How many rows the columns' mean noise is worth in the noise of each."""
WIDE, WIDE_STEPS = 100, 8
"""Columns from which fewer sizes are tried, with that many steps each."""
EVERY, GROWTH = 16, 1.125
"""Size up to which every size is tried, and the factor between sizes beyond."""
WIDE_EVERY, WIDE_GROWTH = 4, 1.5
"""The same for wide tables."""
PATIENCE, CLEARLY = 4, 3.0
"""The search ends when that many sizes in a row are behind by more than that many standard errors."""


class Part(NamedTuple):
    """A part of the rows that is held out, and the moments of the others."""

    held_out: np.ndarray
    """(m, F) rows."""
    weight: np.ndarray
    """(m,) their weights."""
    rows: float
    """How many others there are."""
    mean: np.ndarray
    """(F,) mean of the others."""
    covariance: np.ndarray
    """(F, F) covariance of the others."""


def latent_curve(rows: Rows, index: Index, likelihood: LikelihoodModule) -> LatentCurve:
    """Return the held-out scores by the size of the code, for the rows at these positions.

    Parameters
    ----------
    rows
        All rows.
    index
        Positions of training rows in random order.
    likelihood
        What brings rows to the encoder, after it looked at them.

    Raises
    ------
    ValueError
        If there are fewer than 10 rows.
    """
    if len(index) < LEAST_ROWS:
        raise ValueError(
            f"latent='auto' compares sizes on held-out rows and needs at least {LEAST_ROWS} rows to train on; got "
            f"{len(index)}: take a whole number, or a share of the variance such as latent=0.9"
        )
    x, weight, groups = standardised(rows, index[:], likelihood)
    if x.shape[1] < 2:
        return LatentCurve([1], [0.0], [0.0], [0.0], rows=len(x), parts=1)
    floor = np.maximum(resolution_variances(torch.from_numpy(x)).numpy(), FLOOR)
    parts = list(parts_of(x, weight))
    return Search(parts, groups, floor).curve()


def standardised(rows: Rows, index: Tensor, likelihood: LikelihoodModule) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what an encoder sees of rows, each column with variance 1 and without far cells, weights and groups.

    Columns that do not vary are left out.
    """
    cells = len(likelihood.column_of_cell(rows.batch(index[:1])[0].shape[1]))
    some = np.unique(np.linspace(0, cells - 1, min(cells, MOST_COLUMNS)).astype(np.int64))
    seen, weights = [], []
    for chunk in index.split(rows.block):
        x, weight = rows.batch(chunk)
        seen.append(likelihood.encoder_input(x)[:, torch.from_numpy(some).to(x.device)].double().cpu())
        weights.append(torch.ones(len(chunk)).double() if weight is None else weight.double().cpu())
    found, counts = torch.cat(seen).numpy(), torch.cat(weights).numpy()
    found, counts = found[counts > 0], counts[counts > 0]
    mean = np.average(found, axis=0, weights=counts)
    spread = np.sqrt(np.average((found - mean) ** 2, axis=0, weights=counts))
    varies = spread > 1e-9 * np.maximum(np.abs(mean), spread.max(initial=0))
    kept: np.ndarray = np.clip((found - mean)[:, varies] / spread[varies], -REACH, REACH)
    return kept, counts, likelihood.column_of_cell(cells).numpy()[some][varies]


def parts_of(x: np.ndarray, weight: np.ndarray) -> Iterator[Part]:
    """Yield the parts that are held out by turns; of many rows only one."""
    count = len(x)
    if count >= MANY:
        stop = min(count // 5, MOST_HELD_OUT)
        yield part_of(x, weight, np.arange(count) < stop)
        return
    parts = 10 if count < FEW else 5
    for part in range(parts):
        yield part_of(x, weight, np.arange(count) % parts == part)


def part_of(x: np.ndarray, weight: np.ndarray, out: np.ndarray) -> Part:
    """Return a part, given which rows are held out, (n,)."""
    others, counted = x[~out], weight[~out]
    mean = np.average(others, axis=0, weights=counted)
    centred = others - mean
    covariance = (centred * (counted / counted.sum())[:, None]).T @ centred
    return Part(x[out], weight[out], counted.sum() ** 2 / (counted**2).sum(), mean, covariance)


class Search:
    """Tries sizes from 0 upwards, each from the noise of the one before.

    Parameters
    ----------
    parts
        The parts of the rows.
    groups
        (F,) the column of the table that each cell belongs to.
    floor
        (F,) least noise variances.
    """

    def __init__(self, parts: list[Part], groups: np.ndarray, floor: np.ndarray) -> None:
        self.parts, self.groups, self.floor = parts, groups, floor
        self.weight = np.concatenate([part.weight for part in parts])
        self.scores: dict[int, np.ndarray] = {}
        """By size, the log-density of every held-out row."""
        self.noise: dict[int, list[np.ndarray]] = {}
        most_rows = int(min(part.rows for part in parts)) - 2
        self.wide = len(floor) >= WIDE
        self.most = max(1, min(len(np.unique(groups)) - 1, most_rows))

    def curve(self) -> LatentCurve:
        """Return the curve of all sizes that were tried."""
        behind_in_a_row = 0
        for size in sizes(self.most, *((WIDE_EVERY, WIDE_GROWTH) if self.wide else (EVERY, GROWTH))):
            self.try_size(size)
            behind, error = self.behind(size)
            behind_in_a_row = behind_in_a_row + 1 if behind > CLEARLY * error and size > self.best() else 0
            if behind_in_a_row >= PATIENCE:
                break
        # Between the sizes that were tried there are others, one of which may be the least that is good enough.
        while (chosen := self.found().chosen) - (below := self.below(chosen)) > 1:
            self.try_size((below + chosen) // 2)
        return self.found()

    def below(self, size: int) -> int:
        """Return the greatest size below one that was tried; 0 if there is none."""
        return max((other for other in self.scores if other < size), default=0)

    def try_size(self, size: int) -> None:
        """Score a size."""
        before = max((other for other in self.noise if other < size), default=None)
        models = [
            self.fitted(part, size, np.where(self.groups[:, None] == self.groups, part.covariance, 0))
            if before is None
            else self.fitted(part, size, self.noise[before][place])
            for place, part in enumerate(self.parts)
        ]
        self.noise[size] = [model.noise for model in models]
        found = [model.log_densities(part.held_out) for model, part in zip(models, self.parts, strict=True)]
        self.scores[size] = np.concatenate(found)

    def fitted(self, part: Part, size: int, noise: np.ndarray) -> FactorModel:
        """Return the factor analysis of a part's other rows."""
        free = max(part.rows - size - 1, 1.0)
        return factor_analysis(
            part.mean,
            part.covariance,
            size,
            groups=self.groups,
            floor=self.floor,
            share=PRIOR_ROWS / (PRIOR_ROWS + free),
            noise=noise + np.diag(self.floor),
            steps=WIDE_STEPS if self.wide else STEPS,
        )

    def mean(self, size: int) -> float:
        """Return the mean log-density of held-out rows."""
        return float(np.average(self.scores[size], weights=self.weight))

    def best(self) -> int:
        """Return the size with the greatest mean log-density."""
        return max(self.scores, key=self.mean)

    def behind(self, size: int) -> tuple[float, float]:
        """Return by how much the best size is better than this one, and its standard error, paired over rows."""
        less = self.scores[self.best()] - self.scores[size]
        mean = float(np.average(less, weights=self.weight))
        spread = float(np.average((less - mean) ** 2, weights=self.weight))
        effective = self.weight.sum() ** 2 / (self.weight**2).sum()
        return mean, float(np.sqrt(spread / max(effective - 1, 1)))

    def found(self) -> LatentCurve:
        """Return the curve of the sizes so far."""
        known = sorted(self.scores)
        behind = [self.behind(size) for size in known]
        return LatentCurve(
            known,
            [self.mean(size) for size in known],
            [mean for mean, _ in behind],
            [error for _, error in behind],
            rows=len(self.weight),
            parts=len(self.parts),
        )


def sizes(most: int, every: int, growth: float) -> Iterator[int]:
    """Yield 0, 1, ... `every`, then sizes that grow by a factor, at least by 2, up to `most`.

    >>> list(sizes(40, 4, 1.5))
    [0, 1, 2, 3, 4, 6, 9, 13, 19, 28]
    """
    size = 0
    while size <= most:
        yield size
        size = size + 1 if size < every else max(size + 2, int(size * growth))
