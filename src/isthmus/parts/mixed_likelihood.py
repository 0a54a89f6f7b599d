"""`MixedLikelihood`: the module of `Mixed`, for columns of several families with missing cells."""

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from itertools import accumulate
from typing import cast

import numpy as np
import torch
from torch import Generator, Tensor, nn

from isthmus.core.contract import batch_mean
from isthmus.core.likelihood import LikelihoodModule
from isthmus.core.weighted_deviance import weighted_deviance
from isthmus.parts.likelihoods import LOG_2_PI

FOLLOWING = 0.01
"""Weight of the batch's loss ratio in the running mean, per training step."""
FLOOR = 1e-6
"""Least loss ratio."""
LEAST_VARIANCE = 0.01
"""A column of less variance is not scaled up to 1 for the encoder, and one without variance not at all."""
LEAST_COLUMNS = 1e-12
"""Least mean number of columns by which a sum of loss ratios is divided."""
LEAST_BASELINE = 1e-3
"""Nats: a column that its mean explains better than this gets no larger weight in the loss."""


class MixedLikelihood(LikelihoodModule):
    """p(x|z) = Π over columns, each from its own family; see `Mixed`."""

    density = True
    starts_linear = True

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
        self.stretches = stretches(self.sizes), stretches(self.theta_sizes)
        self.feature_group = feature_group
        features, self.slots = len(feature_group), sorted(set(feature_group))
        self.inputs = features + len(self.slots)
        slot = torch.tensor([self.slots.index(column) for column in feature_group], dtype=torch.long)
        self.slot: Tensor = nn.Buffer(slot, persistent=False)
        # One cell of a column is enough to see whether the column is missing.
        first = torch.tensor([feature_group.index(column) for column in self.slots], dtype=torch.long)
        self.first: Tensor = nn.Buffer(first, persistent=False)
        self.in_block: Tensor = nn.Buffer(per_cell([family.blocked for family in families], cells), persistent=False)
        self.has_blocks = bool(self.in_block.any())
        self.scored: Tensor = nn.Buffer(per_cell(scored, cells), persistent=False)
        self.centre: Tensor = nn.Buffer(torch.zeros(features, dtype=torch.float64))
        self.gain: Tensor = nn.Buffer(torch.ones(features, dtype=torch.float64))
        self.middle: Tensor = nn.Buffer(torch.zeros(features, dtype=torch.float64))
        self.column_weight: Tensor = nn.Buffer(torch.ones(features, dtype=torch.float64))
        self.deviance_weight: Tensor = nn.Buffer(torch.ones(features, dtype=torch.float64))
        self.loss_ratio: Tensor = nn.Buffer(torch.ones((), dtype=torch.float64))

    def train(self, mode: bool = True) -> "MixedLikelihood":
        """Keep the families in evaluation mode: their spreads are found for all of them together."""
        super().train(mode)
        for family in self.families:
            family.train(False)
        return self

    # -- family by family ----------------------------------------------------------------------------------------------

    def members(self) -> Iterable[LikelihoodModule]:
        """Return the families."""
        # A ModuleList does not say what kind of module it holds.
        return cast(Iterable[LikelihoodModule], self.families)

    def with_outputs(self, theta: Tensor) -> Iterator[tuple[LikelihoodModule, Tensor]]:
        """Yield each family with its outputs of theta (B, P)."""
        yield from zip(self.members(), theta.split(self.theta_sizes, 1), strict=True)

    def with_cells(self, x: Tensor, theta: Tensor) -> Iterator[tuple[LikelihoodModule, Tensor, Tensor]]:
        """Yield each family with its cells of x (B, F) and its outputs of theta (B, P)."""
        yield from zip(self.members(), x.split(self.sizes, 1), theta.split(self.theta_sizes, 1), strict=True)

    def mean(self, theta: Tensor) -> Tensor:
        """Return the mean (B, F) from the outputs (B, P)."""
        return torch.cat([family.mean(outputs) for family, outputs in self.with_outputs(theta)], dim=1)

    def reconstruct(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return the reconstruction of rows x, (B, F), family by family."""
        pieces = self.with_cells(self.filled(x), theta)
        return torch.cat([family.reconstruct(cells, outputs) for family, cells, outputs in pieces], dim=1)

    def variances(self, theta: Tensor) -> Tensor:
        """Return the variance of each cell, (B, F)."""
        return torch.cat([family.variances(outputs) for family, outputs in self.with_outputs(theta)], dim=1)

    def sample(self, theta: Tensor, generator: Generator | None) -> Tensor:
        """Draw rows (B, F)."""
        return torch.cat([family.sample(outputs, generator) for family, outputs in self.with_outputs(theta)], dim=1)

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return -log p(x|z) of each cell, (B, F), in nats; 0 for missing cells and for columns that are not scored."""
        pieces = self.with_cells(self.filled(x), theta)
        scores = torch.cat([family.columns(cells, outputs) for family, cells, outputs in pieces], 1)
        return scores * self.there(x) * self.scored

    def cell_losses(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return the deviance loss of each cell in units of its column's, (B, F); 0 for missing cells."""
        return self.deviance_loss(x, theta) * self.column_weight.to(theta)

    def half_deviance(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return half the unit deviance of each cell, (B, F); 0 for missing cells."""
        return self.half_deviances(self.filled(x), theta) * self.there(x)

    def deviance_loss(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return the deviance loss of each cell, (B, F); 0 for missing cells."""
        return self.deviance_losses(self.filled(x), theta) * self.there(x)

    def deviance_loss_and_gradient(
        self, x: np.ndarray, theta: np.ndarray, weight: np.ndarray, losses: np.ndarray, gradient: np.ndarray
    ) -> None:
        """Write the deviance loss of each cell, 0 for missing ones, and the gradient of its weighted sum."""
        filled, there = self.filled_columns(x)
        self.family_losses(filled, theta, weight * there, losses, gradient)
        losses *= there

    def filled_columns(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return columns (F, B) with missing cells replaced as `filled` does, and which cells are there, (F, B)."""
        missing = np.isnan(x)
        filled = x.copy()
        np.copyto(filled, self.middle.numpy()[:, None], where=missing, casting="same_kind")
        return filled, np.logical_not(missing, out=missing)

    def family_losses(
        self, filled: np.ndarray, theta: np.ndarray, weight: np.ndarray, losses: np.ndarray, gradient: np.ndarray
    ) -> None:
        """Do what `deviance_loss_and_gradient` does, for columns (F, B) without missing cells."""
        # Outputs that are not finite are for the training loop to find.
        with np.errstate(all="ignore"):
            for family, cells, outputs in zip(self.members(), *self.stretches, strict=True):
                family.deviance_loss_and_gradient(
                    filled[cells], theta[outputs], weight[cells], losses[cells], gradient[outputs]
                )

    def half_deviances(self, filled: Tensor, theta: Tensor) -> Tensor:
        """Return the half deviance of each cell, (B, F), of rows without missing cells."""
        pieces = self.with_cells(filled, theta)
        return torch.cat([family.half_deviance(cells, outputs) for family, cells, outputs in pieces], 1)

    def deviance_losses(self, filled: Tensor, theta: Tensor) -> Tensor:
        """Return the deviance loss of each cell, (B, F), of rows without missing cells."""
        pieces = self.with_cells(filled, theta)
        return torch.cat([family.deviance_loss(cells, outputs) for family, cells, outputs in pieces], 1)

    def start_bias(self, mean: Tensor, variance: Tensor) -> Tensor:
        """Return the (P,) outputs at which every column has the given mean (F,) and, roughly, variance (F,)."""
        pieces = zip(self.members(), mean.split(self.sizes), variance.split(self.sizes), strict=True)
        return torch.cat([family.start_bias(*piece) for family, *piece in pieces])

    def set_spread(self, errors: Tensor) -> None:
        """Fix the spread of every real column at its mean squared error (F,)."""
        for family, piece in zip(self.members(), errors.split(self.sizes), strict=True):
            family.set_spread(piece)

    def with_column_spreads(self) -> "MixedLikelihood":
        """Return a copy: every real column has its own spread."""
        return deepcopy(self).eval()

    def groups(self, features: int) -> tuple[int, ...]:
        """Return the number of cells of each column."""
        return tuple(self.feature_group.count(column) for column in self.slots) if self.feature_group else ()

    def column_of_cell(self, features: int) -> Tensor:
        """Return the number of the column of each cell, (F,) int64."""
        return self.slot.cpu()

    def cell_of_output(self, features: int) -> Tensor | None:
        """Return which cell each output belongs to, (P,) int64; None if a family cannot say so."""
        found, begin = [], 0
        for family, size in zip(self.members(), self.sizes, strict=True):
            own = family.cell_of_output(size)
            if own is None:
                return None
            found.append(own + begin)
            begin += size
        return torch.cat(found)

    # -- missing cells and the encoder ---------------------------------------------------------------------------------

    def filled(self, x: Tensor) -> Tensor:
        """Replace missing cells by the column's mean, or its shares, (B, F)."""
        return torch.where(torch.isnan(x), self.middle.to(x), x)

    def there(self, x: Tensor) -> Tensor:
        """Return 1 for each cell that is not missing, else 0, (B, F)."""
        return (~torch.isnan(x)).to(x)

    def transformed(self, filled: Tensor) -> Tensor:
        """Return cells as their families show them to an encoder, (B, F): counts as log(1 + x)."""
        pieces = zip(self.members(), filled.split(self.sizes, 1), strict=True)
        return torch.cat([family.encoder_input(cells) for family, cells in pieces], dim=1)

    def encoder_input(self, x: Tensor) -> Tensor:
        """Return centred cells, each column of variance 1, and 1 for every missing column: (B, F + columns).

        A category without training rows is shown as missing, since the weights of its cell were never trained.
        """
        missing = torch.isnan(x)
        if self.has_blocks:
            missing = missing | self.unseen(x)
        filled = torch.where(missing, self.middle.to(x), x)
        scaled = ((self.transformed(filled) - self.centre.to(x)) * self.gain.to(x)).masked_fill(missing, 0)
        return torch.cat([scaled, missing.index_select(1, self.first).to(x)], dim=1)

    def unseen(self, x: Tensor) -> Tensor:
        """Return which cells (B, F) belong to a category that had no training row: all of its column's."""
        # Before `look` every share is 0, and no category is known to have no rows.
        never = self.in_block & (self.middle == 0) & (self.by_slot(self.middle) > 0)
        found = ((x > 0) & never).to(x.dtype)
        return x.new_zeros(len(x), len(self.slots)).index_add(1, self.slot, found)[:, self.slot] > 0

    def look(self, x: Tensor, weight: Tensor | None = None) -> None:
        """Learn the columns' means, and how well these alone explain them, from training rows (n, F)."""
        rows = x.double()
        there = self.there(rows) * (1.0 if weight is None else weight.double()[:, None])
        count = there.sum(0).clamp_min(1e-300)
        self.middle.copy_((there * rows.nan_to_num(0)).sum(0) / count)
        filled = self.filled(rows)
        seen = self.transformed(filled)
        centre = (there * seen).sum(0) / count
        variance = (there * (filled - self.middle).square()).sum(0) / count
        spread = (there * (seen - centre).square()).sum(0) / count
        scores = (score * there for score in self.scores_of_mean(filled, variance))
        self.scale_by(centre, spread, *(score.sum(0) / count for score in scores))

    def scores_of_mean(self, filled: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """Return deviance losses and half deviances, (n, F) each, of rows under the columns' means alone."""
        theta = self.start_bias(self.middle, variance).expand(len(filled), -1)
        return self.deviance_losses(filled, theta), self.half_deviances(filled, theta)

    def scale_by(self, centre: Tensor, spread: Tensor, loss: Tensor, deviance: Tensor) -> None:
        """Set what the encoder sees, and the weights of the columns, by statistics of the cells.

        Parameters
        ----------
        centre, spread
            (F,) mean and variance of the cells as their families show them to an encoder.
        loss, deviance
            (F,) mean deviance loss and half deviance of the cells under the columns' means.
        """
        self.centre.copy_(centre)
        # A column's cells have variance 1 together, however many they are; cells of rare categories no less.
        own = torch.where(self.in_block, 1 / self.middle.clamp(0.01, 1).sqrt(), 1.0)
        scaled = self.by_slot(spread * own.square())
        # A column that hardly varies in these rows must not be the loudest where it does.
        self.gain.copy_(own / torch.where(scaled > 0, scaled.clamp_min(LEAST_VARIANCE), 1.0).sqrt())
        # Weights with which every column's mean score is ½.
        self.column_weight.copy_(0.5 / self.by_slot(loss).clamp_min(LEAST_BASELINE))
        self.deviance_weight.copy_(0.5 / self.by_slot(deviance).clamp_min(LEAST_BASELINE))

    def by_slot(self, values: Tensor) -> Tensor:
        """Sum values of cells (F,) over the cells of each column, and return the sum for each cell, (F,)."""
        return torch.zeros(len(self.slots)).to(values).index_add(0, self.slot, values)[self.slot]

    # -- the objective -------------------------------------------------------------------------------------------------

    def loss(self, x: Tensor, theta: Tensor, weight: Tensor | None = None, cells: Tensor | None = None) -> Tensor:
        """Return ½ Σ (u/s + log 2πs) over the columns that are there, (B,).

        u is a column's loss ratio: its deviance loss over the loss of its mean alone. s is the batch's mean of u, held
        fixed like the optimal variance of a Gaussian.
        """
        total, columns = self.sum_of_ratios(x, theta, cells)
        ratio = self.loss_ratio.to(theta)
        if self.training:
            ratio = loss_ratio(batch_mean(total.detach(), weight), batch_mean(columns, weight))
            self.loss_ratio.lerp_(ratio.to(self.loss_ratio), FOLLOWING)
        return 0.5 * (total / ratio + columns * (torch.log(ratio) + LOG_2_PI))

    def sum_of_ratios(self, x: Tensor, theta: Tensor, cells: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the sum of the columns' loss ratios, (B,), and the number of columns that are there, (B,)."""
        there = self.there(x.index_select(1, self.first))
        weight = (2 * self.column_weight).to(x).expand_as(x)
        if cells is not None:
            there, weight = there * cells.index_select(1, self.first), weight * cells
        return weighted_deviance(self, x, theta.to(x), weight), there.sum(1)

    def loss_ratios(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return the mean over a row's columns of the deviance loss over its value at the column's mean, (B,)."""
        total, columns = self.sum_of_ratios(x, theta)
        return total / columns.clamp_min(1)

    def deviance_ratios(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return the mean over a row's columns of the deviance over its value at the column's mean, (B,).

        0 is a perfect reconstruction, 1 is as good as the columns' means alone.
        """
        there = self.there(x)
        weighted = self.half_deviances(self.filled(x), theta) * there * self.deviance_weight.to(theta)
        return 2 * weighted.sum(1) / there[:, self.first].sum(1).clamp_min(1)

    def set_loss_ratio(self, ratio: float) -> None:
        """Fix the scale s of the loss at the mean of `loss_ratios` over the data."""
        self.loss_ratio.fill_(max(ratio, FLOOR))


def loss_ratio(total: Tensor, columns: Tensor) -> Tensor:
    """Return the mean loss ratio of a column from the mean sum over a row's columns and their mean number."""
    return (total / columns.clamp_min(LEAST_COLUMNS)).clamp_min(FLOOR)


def stretches(sizes: Sequence[int]) -> list[slice]:
    """Return the places of neighbouring stretches of these sizes."""
    return [slice(end - size, end) for size, end in zip(sizes, accumulate(sizes), strict=True)]


def per_cell(values: Sequence[bool], cells: tuple[int, ...]) -> Tensor:
    """Repeat one value per family for each of its cells, (F,)."""
    return torch.tensor(values, dtype=torch.bool).repeat_interleave(torch.tensor(cells, dtype=torch.long))
