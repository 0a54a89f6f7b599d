"""`Floor`: what a closed form of the same size reaches on held-out rows, beside the trained autoencoder."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Generator, Tensor

from isthmus.core.json_type import Json
from isthmus.core.network import Network
from isthmus.core.principal import PrincipalComponents
from isthmus.data.components import components_of
from isthmus.data.rows import Rows

NORMAL_95 = 1.96
"""Standard errors to either side in which 95 % of normal deviations lie."""
ROUNDING, NOTHING = 1e-6, 1e-8
"""Parts of the closed form's error and of the variance by which a model may be above it."""
BLOCK = 512
"""Rows that are compared at a time."""
MOST_FILLED, MOST_COMPONENTS = 256, 64
"""Rows, and components, with which filled holes are compared: each row has a system of equations of its own."""
MOST_PAIRS = 2**23
"""Products of pairs of components, over all columns, that make up these systems."""
LEAST_COUNT = 1e-12
"""Least weight of the cells by which a row's error is divided."""


@dataclass(frozen=True)
class Floor:
    """The error of a closed form on held-out rows, and that of the model on the same rows.

    Attributes
    ----------
    method : str
        The closed form, such as "PCA with 8", "Wiener filter with 8" where noise is to be undone, or "Gaussian of 8",
        given the cells that are seen, where hidden cells are to be filled.
    error, model_error : float
        Mean squared error per cell, hidden cells alone where these are to be filled, of the closed form and of the
        model, in scaled units.
    change, standard_error : float
        Mean over the rows of the model's error minus that of the closed form, and its standard error.
    rows : int
        Held-out rows.
    variance : float
        Mean squared deviation of held-out cells from the means of the training rows: the error without any code.
    returned : bool
        Whether the closed form was returned in place of the model, which had more error.

    Examples
    --------
    >>> print(Floor("PCA with 8", 0.02, 0.015, -0.005, 0.0005, 100, 1.0))
    held-out error 0.0150; PCA with 8 0.0200: 25 % less (95 %: 20 to 30), on 100 rows
    """

    method: str
    error: float
    model_error: float
    change: float
    standard_error: float
    rows: int
    variance: float
    returned: bool = False

    @property
    def gain(self) -> float:
        """Part of the closed form's error that the model does without; negative if it has more."""
        return -self.change / self.error if self.error > 0 else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of `gain`, paired over rows."""
        half = NORMAL_95 * self.standard_error / self.error if self.error > 0 else 0.0
        return self.gain - half, self.gain + half

    @property
    def reached(self) -> bool:
        """Whether the model's error is no larger than that of the closed form, but for rounding."""
        return self.change <= ROUNDING * self.error + NOTHING * self.variance

    @property
    def kept(self) -> bool:
        """Whether the model is no worse than the closed form beyond one standard error."""
        return self.reached or self.change <= self.standard_error

    def __str__(self) -> str:
        low, high = (100 * end for end in self.interval)
        word, ends = ("less", (low, high)) if self.gain >= 0 else ("more", (-high, -low))
        errors = f"held-out error {self.model_error:#.3g}; {self.method} {self.error:#.3g}"
        comparison = f"{100 * abs(self.gain):.0f} % {word} (95 %: {ends[0]:.0f} to {ends[1]:.0f})"
        returned = f"; {self.method} returned" if self.returned else ""
        return f"{errors}: {comparison}, on {self.rows:,} rows{returned}"

    def to_dict(self) -> dict[str, Json]:
        """Return plain numbers and strings by field, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Return the floor of which `to_dict` returned `plain`."""
        return cls(**plain)


@torch.no_grad()
def measured_floor(network: Network, principal: PrincipalComponents, rows: Rows, held_out: Tensor) -> Floor:
    """Compare a network with principal components on rows that neither has seen.

    Where the network learns to undo noise, both see the same noisy rows, and the components are the Wiener filter of
    their rank; where it learns to fill what is hidden, both see the same holes, only these count, and the components
    are a normal distribution given the other cells.

    Parameters
    ----------
    network
        In evaluation mode.
    principal
        As many components as `components_to_compare` says.
    rows
        All rows.
    held_out
        Positions of the rows to compare on, at least one.
    """
    comparison = Comparison.of(network)
    if network.corruption is not None and comparison.corrupts:
        network.corruption.generator = Generator(rows.device).manual_seed(0)
    errors, weights = [], []
    for index in held_out[: MOST_FILLED if comparison.fills else None].split(BLOCK):
        x, weight = rows.batch(index)
        errors.append(comparison.errors(network, principal, x))
        weights.append(torch.ones(len(x), dtype=torch.float64) if weight is None else weight.double().cpu())
    network.seed(None)
    ours, theirs, without = torch.cat(errors, 1).cpu().numpy()
    counts = torch.cat(weights).numpy()
    change = float(np.average(ours - theirs, weights=counts))
    spread = math.sqrt(float(np.average((ours - theirs - change) ** 2, weights=counts)))
    return Floor(
        f"{comparison.method} {principal.components.shape[1]}",
        float(np.average(theirs, weights=counts)),
        float(np.average(ours, weights=counts)),
        change,
        spread / math.sqrt(max(len(ours) - 1, 1)),
        len(ours),
        float(np.average(without, weights=counts)),
    )


@dataclass(frozen=True)
class Comparison:
    """What a network is compared at: to reconstruct rows, to undo noise of a variance, or to fill what is hidden."""

    fills: bool
    noise: float

    @classmethod
    def of(cls, network: Network) -> Self:
        """Return what a network is there for."""
        corruption = network.corruption
        return cls(False, 0.0) if corruption is None else cls(corruption.weighs, corruption.noise_variance)

    @property
    def corrupts(self) -> bool:
        """Whether both see corrupted rows."""
        return self.fills or self.noise > 0

    @property
    def method(self) -> str:
        """The name of the closed form, before the number of components."""
        return "Gaussian of" if self.fills else "Wiener filter with" if self.noise > 0 else "PCA with"

    def errors(self, network: Network, principal: PrincipalComponents, x: Tensor) -> Tensor:
        """Return the mean squared errors of rows x (B, F) by network, components and mean, (3, B) float64."""
        seen, mask, cells = x, None, None
        if network.corruption is not None and self.corrupts:
            seen, mask, cells = network.corruption(x)
        target = (x.to_dense() if x.layout != torch.strided else x).double()
        components = principal_on(principal, target)
        if cells is not None and self.fills:
            near = components.filled(target, (cells > 0).double())
        else:
            near = components.denoised(seen.double() if self.noise > 0 else target, self.noise)
        found = network.likelihood.reconstruct(x, network.decoder(network.encode(seen, mask).mean)).double()
        weight = torch.ones_like(target) if cells is None else cells.double()
        squares = [(guess - target).square() * weight for guess in (found, near, components.mean)]
        return torch.stack([each.sum(1) / weight.sum(1).clamp_min(LEAST_COUNT) for each in squares])


def principal_on(principal: PrincipalComponents, like: Tensor) -> PrincipalComponents:
    """Return components in the number type and on the device of a tensor."""
    return PrincipalComponents(*(part.to(like) for part in principal))


def has_floor(network: Network, cells: int) -> bool:
    """Return whether principal components are a closed form of what the network does, with the same kind of output.

    A code as wide as the table has none, unless noise is to be undone or hidden cells to be filled; neither have
    counts, codes of which few numbers are used at a time, and networks whose objective asks for something else than
    the likelihood.
    """
    code, likelihood = network.code, network.likelihood
    narrow = code.latent < cells or Comparison.of(network).corrupts
    dense = code.activation is not None or code.has_posterior
    return narrow and dense and not likelihood.whole and network.objective is None


def components_for_floor(
    network: Network, rows: Rows, some: Tensor, principal: PrincipalComponents | None
) -> PrincipalComponents:
    """Return the principal components of training rows to compare with, those of the start if there are enough."""
    columns = rows.table.shape[1]
    rank = components_to_compare(network, columns)
    if principal is None or principal.components.shape[1] < rank:
        principal = components_of(rows, some, columns, rank, Generator().manual_seed(0), lambda x: x)
    return principal.first(rank)


def components_to_compare(network: Network, columns: int) -> int:
    """Return the number of components: that of the code's numbers, and at most 64 to fill holes."""
    most = columns
    if Comparison.of(network).fills:
        most = min(MOST_COMPONENTS, columns - 1, math.isqrt(MOST_PAIRS // columns))
    return max(min(network.code.latent, most), 1)
