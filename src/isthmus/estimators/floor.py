"""`Floor`: what a closed form of the same size reaches on held-out rows, beside the trained autoencoder."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from isthmus.core.json_type import Json
from isthmus.core.network import Network
from isthmus.core.principal import PrincipalComponents
from isthmus.data.rows import Rows

NORMAL_95 = 1.96
"""Standard errors to either side in which 95 % of normal deviations lie."""
ROUNDING, NOTHING = 1e-6, 1e-8
"""Parts of the closed form's error and of the variance by which a model may be above it."""
BLOCK = 512
"""Rows that are compared at a time."""


@dataclass(frozen=True)
class Floor:
    """The error of a closed form on held-out rows, and that of the model on the same rows.

    Attributes
    ----------
    method : str
        The closed form, such as "PCA with 8".
    error, model_error : float
        Mean squared error per cell of the closed form and of the model, in scaled units.
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

    Parameters
    ----------
    network
        In evaluation mode.
    principal
        As many components as the code has numbers.
    rows
        All rows.
    held_out
        Positions of the rows to compare on, at least one.
    """
    model, closed_form, plain, weights = [], [], [], []
    for index in held_out.split(BLOCK):
        x, weight = rows.batch(index)
        full = x.to_dense() if x.layout != torch.strided else x
        wide = full.double()
        components = principal_on(principal, wide)
        near = components.reconstruct(wide)
        plain.append((wide - components.mean).square().mean(1))
        model.append((network.reconstruct(x).double() - wide).square().mean(1))
        closed_form.append((near - wide).square().mean(1))
        weights.append(torch.ones_like(wide[:, 0]) if weight is None else weight.double())
    ours, theirs, without, counts = (torch.cat(part).cpu().numpy() for part in (model, closed_form, plain, weights))
    change = float(np.average(ours - theirs, weights=counts))
    spread = math.sqrt(float(np.average((ours - theirs - change) ** 2, weights=counts)))
    return Floor(
        f"PCA with {principal.components.shape[1]}",
        float(np.average(theirs, weights=counts)),
        float(np.average(ours, weights=counts)),
        change,
        spread / math.sqrt(max(len(held_out) - 1, 1)),
        len(held_out),
        float(np.average(without, weights=counts)),
    )


def principal_on(principal: PrincipalComponents, like: Tensor) -> PrincipalComponents:
    """Return components in the number type and on the device of a tensor."""
    return principal._replace(**{name: part.to(like) for name, part in principal._asdict().items() if part is not None})
