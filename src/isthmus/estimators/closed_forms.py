"""Closed forms of a network's size: principal components, their like for tables of several kinds, and for counts."""

import dataclasses
import warnings
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from torch import Generator, Tensor

from isthmus.core.contract import CodeModule
from isthmus.core.initialisation import initialise
from isthmus.core.network import Network
from isthmus.core.principal import WIDEST_EXACT, PrincipalComponents
from isthmus.data.components import components_of
from isthmus.data.rows import Rows
from isthmus.data.schema import TableSchema
from isthmus.data.table import Index
from isthmus.estimators.fitted_model import Composition
from isthmus.parts.backbones import Linear
from isthmus.parts.codes import Deterministic

LOOKED_AT = 512
"""Rows to which a linear network's outputs are fitted."""
FACTORISED, FACTORISED_CELLS = 1000, 2**18
"""Rows at most, and cells about, that counts are factorised from."""
ROWS_PER_FACTOR = 10
"""Rows per factor from which a factorisation says something."""
ITERATIONS = 100
LEAST_SHARE = 1e-3
"""Least expected count, as a part of a column's mean."""


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


@dataclass(frozen=True, eq=False)
class LinearNetwork:
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


@dataclass(frozen=True, eq=False)
class Factorisation:
    """Factors of counts, W H, compared by the half deviance of a Poisson, per cell.

    Minimising that is the maximum likelihood of Poisson counts, and of a multinomial given the totals (Lee and Seung
    2001; Gaussier and Goutte 2005).

    Parameters
    ----------
    model : NMF
        Fitted to training rows.
    mean : Tensor of shape (F,)
        Mean counts of the training rows.
    totals : bool
        Whether the total of a row is given, and expected counts are scaled to it.
    """

    model: NMF
    mean: Tensor
    totals: bool

    @property
    def method(self) -> str:
        """The factorisation and its number of factors."""
        return f"NMF with {self.model.n_components}"

    def errors(self, x: Tensor) -> Tensor:
        """Return the half deviance of the factors, whose weights are fitted to each row."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            weights = self.model.transform(x.cpu().double().numpy())
        return poisson_errors(
            x, torch.from_numpy(weights @ self.model.components_).to(x.device), self.mean, self.totals
        )

    def errors_without(self, x: Tensor) -> Tensor:
        """Return the half deviance of the mean counts."""
        return poisson_errors(x, self.mean.to(x.device).expand(x.shape), self.mean, self.totals)

    def errors_of(self, network: Network, x: Tensor) -> Tensor:
        """Return the half deviance of a network's expected counts."""
        return poisson_errors(x, network.reconstruct(x).double(), self.mean, False)


@dataclass(frozen=True, eq=False)
class RootComponents:
    """Principal components of the square roots of counts, which make Poisson noise alike in all cells.

    Parameters
    ----------
    principal
        Of the square roots.
    mean : Tensor of shape (F,)
        Mean counts of the training rows.
    totals : bool
        As in `Factorisation`.
    """

    principal: PrincipalComponents
    mean: Tensor
    totals: bool

    @property
    def method(self) -> str:
        """The components, their number and the transform."""
        return f"PCA of square roots with {self.principal.components.shape[1]}"

    def errors(self, x: Tensor) -> Tensor:
        """Return the half deviance of the squares of the roots' projections."""
        roots = x.double().sqrt()
        principal = PrincipalComponents(*(part.to(roots) for part in self.principal))
        return poisson_errors(x, principal.reconstruct(roots).clamp_min(0).square(), self.mean, self.totals)

    def errors_without(self, x: Tensor) -> Tensor:
        """Return the half deviance of the mean counts."""
        return poisson_errors(x, self.mean.to(x.device).expand(x.shape), self.mean, self.totals)

    def errors_of(self, network: Network, x: Tensor) -> Tensor:
        """Return the half deviance of a network's expected counts."""
        return poisson_errors(x, network.reconstruct(x).double(), self.mean, False)


ClosedForm: TypeAlias = Components | LinearNetwork | RootComponents | Factorisation
"""What a network may be compared with."""


def closed_form_of(
    network: Network,
    composition: Composition,
    schema: TableSchema,
    rows: Rows,
    some: Index,
    held_out: Tensor,
    principal: PrincipalComponents | None,
) -> ClosedForm | None:
    """Return the closed form of a network's size, fitted to some training rows; None if there is none.

    A code as wide as the table has none, and neither have codebooks, nor networks whose objective asks for something
    else than the likelihood. Of a sparse code as many components count as it has numbers at most.
    """
    code, likelihood, cells = network.code, network.likelihood, composition.cells
    if code.codewords or network.objective is not None:
        return None
    if likelihood.whole:
        return of_counts(network, rows, some, held_out) if code.latent < cells and is_dense(code) else None
    if is_dense(code) and code.latent >= cells:
        return None
    if schema.columns is None:
        return Components(components_for_floor(network, rows, some, principal))
    if principal is None:
        rank, features = min(code.latent, cells), composition.cells
        generator = Generator().manual_seed(0)
        principal = components_of(
            rows, some, features, rank, generator, lambda x: likelihood.encoder_input(x)[:, :features]
        )
    return LinearNetwork.of(composition, rows, some, principal.first(code.latent)) if is_dense(code) else None


def is_dense(code: CodeModule) -> bool:
    """Return whether all numbers of a code are in use for every row."""
    return code.activation is not None or code.has_posterior


def components_for_floor(
    network: Network, rows: Rows, some: Index, principal: PrincipalComponents | None
) -> PrincipalComponents:
    """Return as many principal components of training rows as codes have numbers, those of the start if there are."""
    latent = network.code.latent
    if principal is None:
        rank = min(latent, rows.table.shape[1])
        principal = components_of(rows, some, rows.table.shape[1], rank, Generator().manual_seed(0), lambda x: x)
    return principal.first(latent)


def poisson_errors(x: Tensor, expected: Tensor, mean: Tensor, totals: bool) -> Tensor:
    """Return the mean of μ - x + x log(x/μ) over the cells of each row of counts x (B, F), (B,)."""
    counts = x.double()
    # A count that is expected never to occur would have no likelihood at all where it does.
    expected = expected.clamp_min((LEAST_SHARE * mean).clamp_min(1e-12).to(expected))
    if totals:
        expected = expected * (counts.sum(1) / expected.sum(1))[:, None]
    return (expected - counts + torch.xlogy(counts, counts) - torch.xlogy(counts, expected)).mean(1)


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


def of_counts(network: Network, rows: Rows, some: Index, held_out: Tensor) -> RootComponents | Factorisation | None:
    """Return the best closed form of counts on rows that are held out; None where columns are too many to look."""
    cells, latent = rows.features, network.code.latent
    if cells > WIDEST_EXACT:
        return None
    x = torch.cat([rows.batch(block)[0] for block in some[: count_factorised(cells)].split(rows.block)]).cpu().double()
    mean, totals = x.mean(0), network.likelihood.cell_of_output(cells) is None
    rank = min(latent, cells)
    roots = components_of(rows, some, cells, rank, Generator().manual_seed(0), lambda counts: counts.sqrt())
    found: list[RootComponents | Factorisation] = [RootComponents(roots, mean, totals)]
    if len(x) >= ROWS_PER_FACTOR * latent:
        found.append(Factorisation(factorised(x.numpy(), rank), mean, totals))
    if len(found) == 1 or not len(held_out):
        return found[-1]
    y, _ = rows.batch(held_out[:LOOKED_AT])
    return min(found, key=lambda form: float(form.errors(y).mean()))


def count_factorised(cells: int) -> int:
    """Return how many rows of that many cells are factorised."""
    return max(1, min(FACTORISED, FACTORISED_CELLS // cells))


def factorised(counts: np.ndarray, rank: int) -> NMF:
    """Factorise counts (n, F) by multiplicative updates for the Kullback-Leibler divergence."""
    start = "nndsvda" if rank <= min(counts.shape) else "random"
    model = NMF(
        rank, solver="mu", beta_loss="kullback-leibler", init=start, max_iter=ITERATIONS, tol=1e-4, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(counts)
    return model
