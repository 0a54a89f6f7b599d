"""`NetworkInput`: rows in use as a network sees them, without gaps and within limits, beside the cells to be scored.

A cell far beyond those of the training rows would overflow in a network's layers, and a missing cell has no value. The
network sees the one at a limit and the other at a guess, while scores and errors compare its output with the cells as
they are, in float64.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from isthmus.core.likelihood import LikelihoodModule
from isthmus.data.finite import column_label
from isthmus.data.moments import Ends
from isthmus.data.scaling import AffineScaling
from isthmus.estimators.checks import refuse_outside
from isthmus.estimators.fitted_model import FittedModel

FAR, LIMIT = 1e2, 1e6
"""Distances from 0, in the network's units, beyond which a cell is scored in float64, and no longer followed."""
FAR_REACH, LIMIT_REACH = 10.0, 1e3
"""Both are at least this many times the greatest distance of a training cell."""
GREATEST = 1e145
"""Cells are scored up to this distance: its square, over the least variance, can be summed over any row in float64."""
ROUNDS, SETTLED = 20, 1e-3
"""Rounds in which missing cells are guessed, and the change, as a share of a column's range, that ends them."""


class SeenRows(NamedTuple):
    """A block of B rows in use."""

    x: Tensor
    """(B, F) what the network sees: within limits, and without gaps unless the model has a place for them."""
    apart: Tensor | None = None
    """(B,) rows with cells that are missing or far out, to be scored by `cells`; None if there are none."""
    cells: Tensor | None = None
    """(B, F) float64 on the processor: all cells as they are, NaN where missing; None if no row is apart."""


class NetworkInput:
    """Brings rows of a table to a fitted network.

    Parameters
    ----------
    model : FittedModel
        The model.
    device : torch.device
        Where the network is.
    gaps : bool
        Whether numbers may be missing where none were in `fit`.
    """

    def __init__(self, model: FittedModel, device: torch.device, *, gaps: bool = True) -> None:
        self.model, self.device, self.gaps = model, device, gaps
        scaling, moments = model.scaling, model.record.stream.moments
        self.far = torch.full((scaling.cells,), FAR, dtype=model.dtype)
        self.limits = torch.full((scaling.cells,), LIMIT, dtype=model.dtype)
        if isinstance(scaling, AffineScaling):
            known = torch.stack([moments.all.mean, moments.smallest, moments.largest])
            self.middle, self.smallest, self.largest = ((known - scaling.shift) / scaling.scale).to(model.dtype)
            reach = torch.maximum(self.smallest.abs(), self.largest.abs())
            self.far = self.far.maximum(FAR_REACH * reach)
            self.limits = self.limits.maximum(LIMIT_REACH * reach)

    def look(self, raw: Tensor) -> SeenRows:
        """Return what the network sees of rows (B, R) as they are in their table.

        Raises
        ------
        ValueError
            If the likelihood counts, and a cell is no whole number of at least 0; or if cells must not be missing.
        """
        model = self.model
        if model.network.likelihood.whole:
            self.refuse_outside(raw)
        x = model.scaling(raw, model.dtype)
        least, greatest = x.aminmax()
        if least >= -FAR and greatest <= FAR:
            return SeenRows(x.to(self.device))
        gaps = x.isnan() if model.schema.columns is None else torch.zeros_like(x, dtype=torch.bool)
        if not self.gaps and gaps.any():
            self.refuse_gaps(gaps)
        apart = (gaps | (x.abs() > self.far)).any(1)
        x = x.clamp(-self.limits, self.limits).to(self.device)
        if not apart.any():
            return SeenRows(x)
        cells = model.scaling(raw.double(), torch.float64).clamp(-GREATEST, GREATEST)
        # A network that was trained on hidden entries sees which are missing.
        guesses = gaps.any() and not model.network.shows_gaps
        return SeenRows(self.guessed(x, gaps.to(self.device)) if guesses else x, apart, cells)

    def guessed(self, x: Tensor, gaps: Tensor) -> Tensor:
        """Return rows x (B, F) with what the network expects of the cells in gaps, given the others.

        Missing cells start at the mean of their column and are replaced by their reconstruction until that changes no
        more (Rezende, Mohamed and Wierstra 2014, without the draws). For a linear autoencoder this is the regression
        on the observed cells within the principal subspace. No row affects another.
        """
        network = self.model.network
        middle, least, greatest = (t.to(x.device) for t in (self.middle, self.smallest, self.largest))
        x = torch.where(gaps, middle, x)
        tolerance = SETTLED * (greatest - least)
        moving = gaps.any(1)
        for _ in range(ROUNDS):
            guess = torch.where(gaps, network.reconstruct(x).clamp(least, greatest), x)
            guess = torch.where(moving[:, None], guess, x)
            moving = ((guess - x).abs() > tolerance).any(1)
            x = guess
            if not moving.any():
                break
        return x

    def refuse_gaps(self, gaps: Tensor) -> None:
        """Raise a `ValueError` that names a column with missing cells."""
        first = column_label(int(gaps.any(0).nonzero()[0]), self.model.schema.names)
        raise ValueError(
            f"X contains NaN, missing cells, in {first}, and a model of this likelihood and network takes none: fill "
            "them first, for example with isthmus.Imputer, or leave likelihood='auto' and take dense layers; of images "
            "give arrays (n, height, width), or mask=numpy.isnan(X) to reconstruct and fill"
        )

    def refuse_outside(self, raw: Tensor) -> None:
        """Raise a `ValueError` if rows (B, R) hold values that the likelihood does not allow."""
        refuse_outside_of(self.model, Ends.of(raw))


def refuse_outside_of(model: FittedModel, ends: Ends) -> None:
    """Raise a `ValueError` if columns with these ends hold values that a model's likelihood does not allow."""
    if isinstance(model.scaling, AffineScaling):
        name = type(model.likelihood).__name__
        refuse_outside(model.network.likelihood, name, ends, model.scaling, model.schema.names)


def is_bounded(likelihood: LikelihoodModule) -> bool:
    """Whether there are numbers that a likelihood does not allow."""
    return likelihood.whole or likelihood.support != LikelihoodModule.support
