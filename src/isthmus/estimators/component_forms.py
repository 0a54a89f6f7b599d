"""Principal components as a closed form of a network, for numbers and for tables of several kinds of columns."""

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from isthmus.core.contract import CodeModule
from isthmus.core.initialisation import initialise
from isthmus.core.network import Network
from isthmus.core.principal import PrincipalComponents
from isthmus.data.components import components_of
from isthmus.data.rows import Rows
from isthmus.data.table import Index
from isthmus.estimators.fitted_model import Composition
from isthmus.parts.backbones import Linear
from isthmus.parts.codes import Deterministic

LOOKED_AT = 512
"""Rows to which a linear network's outputs are fitted."""


class OfWholeRows(ABC):
    """A closed form of rows as they are: its errors do not depend on what the network is shown of them."""

    @abstractmethod
    def errors(self, x: Tensor) -> Tensor:
        """Return the error of the closed form on each row of x (B, F), (B,)."""

    @abstractmethod
    def errors_without(self, x: Tensor) -> Tensor:
        """Return the error of the training rows' means on each row of x (B, F), (B,)."""

    @abstractmethod
    def errors_of(self, network: Network, x: Tensor) -> Tensor:
        """Return the error of a network on each row of x (B, F), (B,), in the same measure."""

    def compare(self, network: Network, x: Tensor) -> Tensor:
        """Return the errors of a network, of the closed form and of the means, (3, B) float64."""
        return torch.stack([self.errors_of(network, x), self.errors(x), self.errors_without(x)])


@dataclass(frozen=True, eq=False)
class Components(OfWholeRows):
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
        return (self.principal.like(wide).reconstruct(wide) - wide).square().mean(1)

    def errors_without(self, x: Tensor) -> Tensor:
        """Return the mean squared distance to the mean row."""
        wide = x.double()
        return (wide - self.principal.mean.to(wide)).square().mean(1)

    def errors_of(self, network: Network, x: Tensor) -> Tensor:
        """Return the mean squared error of a network's reconstructions."""
        return (network.reconstruct(x).double() - x).square().mean(1)


@dataclass(frozen=True, eq=False)
class LinearNetwork(OfWholeRows):
    """A linear autoencoder at the principal components of a table's cells, compared by the mean deviance ratio.

    Each column has the likelihood that the model has for it, and the best linear map from the components to its
    outputs.

    Parameters
    ----------
    composition, network
        The parts, and what they build, on the device of the rows.
    """

    composition: Composition
    network: Network

    @property
    def method(self) -> str:
        """Principal components and their number."""
        return f"PCA with {self.network.code.latent}"

    def errors(self, x: Tensor) -> Tensor:
        """Return the mean deviance ratio of the linear network."""
        return self.errors_of(self.network, x)

    def errors_without(self, x: Tensor) -> Tensor:
        """Return 1: deviance ratios are relative to the means."""
        return torch.ones(len(x), dtype=torch.float64, device=x.device)

    def errors_of(self, network: Network, x: Tensor) -> Tensor:
        """Return the mean deviance ratio of a network; 0 is a perfect reconstruction."""
        ratios = network.likelihood.deviance_ratios(x, network.decoder(network.encode(x).mean))
        assert ratios is not None, "tables of several kinds have deviance ratios"
        return ratios.double()

    @classmethod
    def of(cls, like: Composition, rows: Rows, some: Index, principal: PrincipalComponents) -> "LinearNetwork":
        """Build the network, and write the components of training rows at these positions to it."""
        composition = linear(like)
        network = composition.build(rows.dtype)
        write_components(network, principal, rows, some)
        return cls(composition, network.to(rows.device).eval())


def linear(like: Composition) -> Composition:
    """Return the composition of the linear autoencoder with the same cells, code size and likelihood."""
    return dataclasses.replace(
        like, encoder=Linear(), decoder=Linear(), code=Deterministic(), corruption=None, penalty=None, objective=None
    )


def write_components(network: Network, principal: PrincipalComponents, rows: Rows, some: Index) -> None:
    """Write principal components to a linear network on the processor."""
    x, weight = rows.batch(some[:LOOKED_AT])
    x, weight = x.cpu(), None if weight is None else weight.cpu()
    network.likelihood.look(x, weight)
    initialise(network, "pca", Generator().manual_seed(0), principal, x, weight)


def is_dense(code: CodeModule) -> bool:
    """Return whether all numbers of a code are in use for every row."""
    return code.activation is not None or code.has_posterior


def components_for_floor(
    rows: Rows, some: Index, rank: int, principal: PrincipalComponents | None
) -> PrincipalComponents:
    """Return that many principal components of training rows, those of the start if there are enough."""
    columns = rows.table.shape[1]
    if principal is None or principal.components.shape[1] < min(rank, columns):
        generator = Generator().manual_seed(0)
        principal = components_of(rows, some, columns, min(rank, columns), generator, lambda x: x)
    return principal.first(rank)
