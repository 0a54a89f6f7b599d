"""Errors of a network and of its closed form on the same rows, from which a `Floor` is told."""

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol, Self

import numpy as np
import torch
from torch import Tensor

from isthmus.core.network import Network
from isthmus.core.principal import PrincipalComponents
from isthmus.data.rows import Rows
from isthmus.estimators.floor import Floor

BLOCK = 512
"""Rows that are compared at a time."""


class ClosedForm(Protocol):
    """What a network is compared with: a method of the same size, fitted to the same rows without training."""

    @property
    def method(self) -> str:
        """What it is called, with its size."""

    def errors(self, x: Tensor) -> Tensor:
        """Return its error on each row of x (B, F), (B,)."""

    def errors_without(self, x: Tensor) -> Tensor:
        """Return the error of the training rows' means on each row of x (B, F), (B,)."""

    def errors_of(self, network: Network, x: Tensor) -> Tensor:
        """Return the error of a network on each row of x (B, F), (B,), in the same measure."""


class Components(NamedTuple):
    """Principal components as a closed form, compared by the mean squared error per cell.

    Parameters
    ----------
    principal
        As many components as the network's code has numbers.
    """

    principal: PrincipalComponents

    @property
    def method(self) -> str:
        """Principal components and their number."""
        return f"PCA with {self.principal.components.shape[1]}"

    def errors(self, x: Tensor) -> Tensor:
        """Return the mean squared distance to the subspace."""
        wide = x.double()
        return (self.like(wide).reconstruct(wide) - wide).square().mean(1)

    def errors_without(self, x: Tensor) -> Tensor:
        """Return the mean squared distance to the mean row."""
        wide = x.double()
        return (wide - self.like(wide).mean).square().mean(1)

    def errors_of(self, network: Network, x: Tensor) -> Tensor:
        """Return the mean squared error of a network's reconstructions."""
        return (network.reconstruct(x).double() - x).square().mean(1)

    def like(self, x: Tensor) -> PrincipalComponents:
        """Return the components in the number type and on the device of x."""
        return PrincipalComponents(*(part.to(x) for part in self.principal))


class Comparison(NamedTuple):
    """Errors on the same held-out rows.

    Parameters
    ----------
    model, closed_form, without
        (n,) errors of the network, of the closed form, and of the means alone, in float64.
    weight
        (n,) sample weights.
    """

    model: Tensor
    closed_form: Tensor
    without: Tensor
    weight: Tensor

    @classmethod
    def of(cls, network: Network, closed_form: ClosedForm, rows: Rows, held_out: Tensor) -> Self:
        """Compare a network, in evaluation mode, with a closed form on rows that neither has seen."""
        found: list[tuple[Tensor, ...]] = []
        with torch.no_grad():
            for index in held_out.split(BLOCK):
                x, weight = dense_batch(rows, index)
                counts = torch.ones(len(x), dtype=torch.float64) if weight is None else weight.double()
                errors = closed_form.errors_of(network, x), closed_form.errors(x), closed_form.errors_without(x)
                found.append((*errors, counts))
        return cls(*(torch.cat(part).double().cpu() for part in zip(*found, strict=True)))

    @classmethod
    def joined(cls, comparisons: Sequence[Self]) -> Self:
        """Return comparisons on different rows as one."""
        return cls(*(torch.cat(part) for part in zip(*comparisons, strict=True)))

    def floor(self, method: str, folds: int = 0) -> Floor:
        """Return the means over rows, and the standard error of the difference."""
        ours, theirs, without, weight = (part.numpy() for part in self)
        change = float(np.average(ours - theirs, weights=weight))
        spread = math.sqrt(float(np.average((ours - theirs - change) ** 2, weights=weight)))
        return Floor(
            method,
            float(np.average(theirs, weights=weight)),
            float(np.average(ours, weights=weight)),
            change,
            spread / math.sqrt(max(len(ours) - 1, 1)),
            len(ours),
            float(np.average(without, weights=weight)),
            folds=folds,
        )


def errors_on(network: Network, closed_form: ClosedForm, rows: Rows, held_out: Tensor) -> Tensor:
    """Return the error of a network on each of the rows at these positions, (n,), in the measure of a closed form."""
    with torch.no_grad():
        found = [closed_form.errors_of(network, dense_batch(rows, index)[0]) for index in held_out.split(BLOCK)]
    return torch.cat(found).double().cpu()


def dense_batch(rows: Rows, index: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return the rows at these positions as a dense matrix, and their weights."""
    x, weight = rows.batch(index)
    return (x if x.layout == torch.strided else x.to_dense()), weight
