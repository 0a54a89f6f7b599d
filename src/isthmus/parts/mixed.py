"""`Mixed`: tables of real values, counts, booleans and categories, with cells that are missing."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn

from isthmus.core.contract import LikelihoodModule, Part, batch_mean
from isthmus.parts.counts import CountLikelihood
from isthmus.parts.likelihoods import LOG_2_PI

FOLLOWING = 0.01
"""How far the share that stays unexplained goes towards that of the batch in a step of training."""
FLOOR = 1e-6
LEAST_BASELINE = 1e-3
"""Nats: a column that its own mean explains better than this is not blown up to the standing of the others."""


class MixedLikelihood(LikelihoodModule):
    """p(x|z) = Π over columns, each of its own family; see `Mixed`."""

    density = True
    activation = None
    starts_linear = True

    slot: Tensor
    first: Tensor
    counted: Tensor
    scored: Tensor
    middle: Tensor
    centre: Tensor
    gain: Tensor
    column_weight: Tensor
    deviance_ratio: Tensor

    def __init__(
        self,
        families: list[LikelihoodModule],
        cells: tuple[int, ...],
        feature_group: tuple[int, ...],
        scored: tuple[bool, ...],
    ) -> None:
        super().__init__()
        self.families = nn.ModuleList(families)
        self.sizes = cells
        self.theta_sizes = [family.outputs for family in families]
        self.outputs = sum(self.theta_sizes)
        self.feature_group = feature_group
        features, self.slots = len(feature_group), sorted(set(feature_group))
        self.inputs = features + len(self.slots)
        slot = torch.tensor([self.slots.index(column) for column in feature_group], dtype=torch.long)
        self.register_buffer("slot", slot, persistent=False)
        # Of a column's cells one is enough to see whether it is missing.
        first = torch.tensor([feature_group.index(column) for column in self.slots], dtype=torch.long)
        self.register_buffer("first", first, persistent=False)
        counted = [isinstance(family, CountLikelihood) for family in families]
        self.register_buffer("counted", spread_over(counted, cells), persistent=False)
        self.register_buffer("scored", spread_over(scored, cells), persistent=False)
        self.register_buffer("centre", torch.zeros(features, dtype=torch.float64))
        self.register_buffer("gain", torch.ones(features, dtype=torch.float64))
        self.register_buffer("middle", torch.zeros(features, dtype=torch.float64))
        self.register_buffer("column_weight", torch.ones(features, dtype=torch.float64))
        self.register_buffer("deviance_ratio", torch.ones((), dtype=torch.float64))

    def train(self, mode: bool = True) -> "MixedLikelihood":
        """Keep the families as they are in use: their spreads are found for all of them together."""
        super().train(mode)
        for family in self.families:
            family.train(False)
        return self

    def pieces(self, x: Tensor, theta: Tensor) -> Iterator[tuple[Any, Tensor, Tensor]]:
        """Pass over the families, each with its cells of x (B, F) and its outputs of theta (B, P)."""
        yield from zip(self.families, x.split(self.sizes, 1), theta.split(self.theta_sizes, 1), strict=True)

    def filled(self, x: Tensor) -> Tensor:
        """Put the column's mean, or its shares, in the place of what is missing, (B, F)."""
        return torch.where(torch.isnan(x), self.middle.to(x), x)

    def bent(self, filled: Tensor) -> Tensor:
        """Bring counts to their logarithms, (B, F)."""
        return torch.where(self.counted, torch.log1p(filled.clamp_min(0)), filled)

    def there(self, x: Tensor) -> Tensor:
        """1 where a cell is not missing, (B, F)."""
        return (~torch.isnan(x)).to(x)

    def look(self, x: Tensor, weight: Tensor | None = None) -> None:
        """Find the columns' means, and how well these alone explain them, from training rows (n, F)."""
        rows = x.double()
        there = self.there(rows) * (1.0 if weight is None else weight.double()[:, None])
        count = there.sum(0).clamp_min(1e-300)
        self.middle.copy_((there * rows.nan_to_num(0)).sum(0) / count)
        filled = self.filled(rows)
        seen = self.bent(filled)
        self.centre.copy_((there * seen).sum(0) / count)
        variance = (there * (filled - self.middle).square()).sum(0) / count
        spread = (there * (seen - self.centre).square()).sum(0) / count
        # Each column has variance 1 together, whatever the number of its cells; those of rare categories no less.
        own = torch.where(self.blocked, 1 / self.middle.clamp(0.01, 1).sqrt(), 1.0)
        scaled = torch.zeros_like(count[self.first]).index_add(0, self.slot, spread * own.square())
        self.gain.copy_(own / scaled.clamp_min(1e-6).sqrt()[self.slot])
        theta = self.start_bias(self.middle, variance).expand(len(x), -1)
        half_deviance = self.each("half_deviance", filled, theta) * there
        baseline = torch.zeros(len(self.slots), dtype=torch.float64).index_add(0, self.slot, half_deviance.sum(0))
        baseline = baseline / count[self.first]
        self.column_weight.copy_(0.5 / baseline.clamp_min(LEAST_BASELINE)[self.slot])

    @property
    def blocked(self) -> Tensor:
        """Whether a cell is one of a block of zeros and a one, (F,)."""
        return spread_over([hasattr(family, "sizes") for family in self.families], self.sizes).to(self.counted.device)

    def each(self, method: str, x: Tensor, theta: Tensor) -> Tensor:
        """Call the families' method on their cells, (B, F)."""
        return torch.cat(
            [getattr(family, method)(cells, outputs) for family, cells, outputs in self.pieces(x, theta)], 1
        )

    def encoder_input(self, x: Tensor) -> Tensor:
        """Return centred cells, each column of variance 1, and 1 for every column that is missing: (B, F + columns)."""
        missing = torch.isnan(x)
        scaled = torch.where(missing, 0, (self.bent(self.filled(x)) - self.centre.to(x)) * self.gain.to(x))
        return torch.cat([scaled, missing[:, self.first].to(x)], dim=1)

    def mean(self, theta: Tensor) -> Tensor:
        """(B, P) to the mean (B, F)."""
        outputs = zip(self.families, theta.split(self.theta_sizes, 1), strict=True)
        return torch.cat([family.mean(piece) for family, piece in outputs], dim=1)  # type: ignore[operator]

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Minus log p(x|z) of each cell, (B, F), in nats; 0 where a cell is missing or only helps to learn."""
        return self.each("columns", self.filled(x), theta) * self.there(x) * self.scored

    def loss(self, x: Tensor, theta: Tensor, weight: Tensor | None = None, cells: Tensor | None = None) -> Tensor:
        """Return ½ Σ over columns that are there of (u/s + log 2πs), (B,).

        u is the share of a column that stays unexplained: what its cells lack over what they lack where only the mean
        is known; s the batch's mean of u, held fixed, as a Gaussian's optimal variance is.
        """
        lacking, columns = self.lacking(x, theta, cells)
        share = self.deviance_ratio.to(theta)
        if self.training:
            mean = batch_mean(lacking.detach(), weight) / batch_mean(columns, weight).clamp_min(1e-12)
            share = mean.clamp_min(FLOOR)
            self.deviance_ratio.lerp_(share.to(self.deviance_ratio), FOLLOWING)
        return 0.5 * (lacking / share + columns * (torch.log(share) + LOG_2_PI))

    def deviance_ratios(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return which share of each row stays unexplained, (B,): 0 for nothing, 1 for as much as by means alone."""
        lacking, columns = self.lacking(x, theta)
        return lacking / columns.clamp_min(1)

    def lacking(self, x: Tensor, theta: Tensor, cells: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the sum of the shares that columns lack, (B,), and how many columns are there, (B,)."""
        there = self.there(x) if cells is None else self.there(x) * cells
        lacking = self.each("half_deviance", self.filled(x), theta) * there * self.column_weight.to(theta)
        return 2 * lacking.sum(1), there[:, self.first].sum(1)

    def set_deviance_ratio(self, share: float) -> None:
        """Take note of the share that stays unexplained over the data."""
        self.deviance_ratio.fill_(max(share, FLOOR))

    def sample(self, theta: Tensor, generator: Generator | None) -> Tensor:
        """Draw rows (B, F)."""
        outputs = zip(self.families, theta.split(self.theta_sizes, 1), strict=True)
        return torch.cat([family.sample(piece, generator) for family, piece in outputs], dim=1)  # type: ignore[operator]

    def set_spread(self, errors: Tensor) -> None:
        """Fix the spread of every real column at its mean squared error (F,)."""
        for family, piece in zip(self.families, errors.split(self.sizes), strict=True):
            known: Any = family
            if getattr(known, "mode", None) == "optimal" and hasattr(known, "scale"):
                known.scale.fill_(max(math.sqrt(float(piece.mean())) / known.deviation(), FLOOR))
            else:
                known.set_spread(piece)

    def start_bias(self, mean: Tensor, variance: Tensor) -> Tensor:
        """Return the (P,) outputs at which every column has the given mean (F,) and, about, variance (F,)."""
        pieces = zip(self.families, mean.split(self.sizes), variance.split(self.sizes), strict=True)
        return torch.cat([family.start_bias(*piece) for family, *piece in pieces])  # type: ignore[operator]


def spread_over(values: Any, cells: tuple[int, ...]) -> Tensor:
    """Return one value of bool for every cell of each family, (F,)."""
    return torch.tensor(list(values), dtype=torch.bool).repeat_interleave(torch.tensor(cells, dtype=torch.long))


@dataclass
class Mixed(Part):
    """Columns of several families, each with the same standing in the objective: what a table has as its likelihood.

    Cells that are missing are NaN: they count for nothing in the score, and the encoder sees their column's mean and,
    beside it, that they are missing. `score_samples` is the sum of the columns' log-likelihoods; training makes small
    the mean over the columns of the share that stays unexplained, so that a category of many values, whose
    log-likelihood is a large number, weighs no more than a real value.

    Parameters
    ----------
    families : tuple of parts
        `Gaussian`, `StudentT`, `Bernoulli`, `Categorical`, `Poisson`, `NegativeBinomial`, in the order of the cells.
    cells : tuple of int
        How many cells of a row each family has.
    feature_group : tuple of int, optional
        Which column each cell belongs to; () where each cell of a family is a column (and each block of a
        `Categorical`).
    scored : tuple of bool, optional
        Which families count in the score; () for all.

    Examples
    --------
    >>> import torch
    >>> from isthmus.parts import Bernoulli, Gaussian
    >>> module = Mixed((Gaussian(1.0), Bernoulli()), (1, 1)).build(features=2)
    >>> x = torch.tensor([[0.0, torch.nan]])
    >>> round(float(module.nll(x, torch.zeros(1, 2))), 4)  # ½ log 2π, and nothing for what is missing
    0.9189
    """

    families: tuple[Any, ...] = ()
    cells: tuple[int, ...] = ()
    feature_group: tuple[int, ...] = ()
    scored: tuple[bool, ...] = ()

    def build(self, features: int) -> MixedLikelihood:
        """Return the module for rows of that many cells."""
        if sum(self.cells) != features or len(self.cells) != len(self.families):
            raise ValueError(
                f"cells of Mixed have to be one number for each of the {len(self.families)} families, together the "
                f"{features} cells of a row; got {self.cells!r}"
            )
        families = [family.build(cells) for family, cells in zip(self.families, self.cells, strict=True)]
        scored = self.scored or (True,) * len(self.families)
        groups = self.feature_group or one_a_column(families, self.cells)
        return MixedLikelihood(families, tuple(self.cells), groups, scored)


def one_a_column(families: list[LikelihoodModule], cells: tuple[int, ...]) -> tuple[int, ...]:
    """Return an feature_group for each cell, where nobody says which belong together."""
    feature_group: list[int] = []
    for family, count in zip(families, cells, strict=True):
        for size in getattr(family, "sizes", (1,) * count):
            feature_group += [feature_group[-1] + 1 if feature_group else 0] * size
    return tuple(feature_group)
