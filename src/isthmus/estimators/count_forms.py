"""Closed forms of networks for counts: a factorisation, and principal components of square roots."""

import warnings
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from torch import Generator, Tensor

from isthmus.core.network import Network
from isthmus.core.principal import WIDEST_EXACT, PrincipalComponents
from isthmus.data.components import components_of
from isthmus.data.rows import Rows
from isthmus.data.table import Index
from isthmus.estimators.component_forms import OfWholeRows

LOOKED_AT = 512
"""Rows on which the two are compared."""
FACTORISED, FACTORISED_CELLS = 1000, 2**18
"""Rows at most, and cells about, that counts are factorised from."""
ROWS_PER_FACTOR = 10
"""Rows per factor from which a factorisation says something."""
ITERATIONS = 100
LEAST_SHARE = 1e-3
"""Least expected count, as a part of a column's mean."""


@dataclass(frozen=True, eq=False)
class CountForm(OfWholeRows):
    """A closed form of counts, compared by the half deviance of a Poisson, per cell.

    Parameters
    ----------
    mean : Tensor of shape (F,)
        Mean counts of the training rows.
    totals : bool
        Whether the total of a row is given, and expected counts are scaled to it.
    """

    mean: Tensor
    totals: bool

    @abstractmethod
    def expected(self, x: Tensor) -> Tensor:
        """Return the counts (B, F) that the closed form expects of rows x (B, F)."""

    def errors(self, x: Tensor) -> Tensor:
        """Return the half deviance of the expected counts."""
        return poisson_errors(x, self.expected(x), self.mean, self.totals)

    def errors_without(self, x: Tensor) -> Tensor:
        """Return the half deviance of the mean counts."""
        return poisson_errors(x, self.mean.to(x.device).expand(x.shape), self.mean, self.totals)

    def errors_of(self, network: Network, x: Tensor) -> Tensor:
        """Return the half deviance of a network's expected counts."""
        return poisson_errors(x, network.reconstruct(x).double(), self.mean, False)


@dataclass(frozen=True, eq=False)
class Factorisation(CountForm):
    """Factors of counts, W H, whose weights W are fitted to each row.

    Minimising the half deviance is the maximum likelihood of Poisson counts, and of a multinomial given the totals (Lee
    and Seung 2001; Gaussier and Goutte 2005).

    Parameters
    ----------
    model : NMF
        Fitted to training rows.
    """

    model: NMF

    @property
    def method(self) -> str:
        """The factorisation and its number of factors."""
        return f"NMF with {self.model.n_components}"

    def expected(self, x: Tensor) -> Tensor:
        """Return the products of weights and factors."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            weights = self.model.transform(x.cpu().double().numpy())
        return torch.from_numpy(weights @ self.model.components_).to(x.device)


@dataclass(frozen=True, eq=False)
class RootComponents(CountForm):
    """Principal components of the square roots of counts, which make Poisson noise alike in all cells.

    Parameters
    ----------
    principal
        Of the square roots.
    """

    principal: PrincipalComponents

    @property
    def method(self) -> str:
        """The components, their number and the transform."""
        return f"PCA of square roots with {self.principal.components.shape[1]}"

    def expected(self, x: Tensor) -> Tensor:
        """Return the squares of the roots' projections."""
        roots = x.double().sqrt()
        return self.principal.like(roots).reconstruct(roots).clamp_min(0).square()


def poisson_errors(x: Tensor, expected: Tensor, mean: Tensor, totals: bool) -> Tensor:
    """Return the mean of μ - x + x log(x/μ) over the cells of each row of counts x (B, F), (B,)."""
    counts = x.double()
    # A count that is expected never to occur would have no likelihood at all where it does.
    expected = expected.clamp_min((LEAST_SHARE * mean).clamp_min(1e-12).to(expected))
    if totals:
        expected = expected * (counts.sum(1) / expected.sum(1))[:, None]
    return (expected - counts + torch.xlogy(counts, counts) - torch.xlogy(counts, expected)).mean(1)


def of_counts(network: Network, rows: Rows, some: Index, held_out: Tensor) -> RootComponents | Factorisation | None:
    """Return the best closed form of counts on rows that are held out; None where columns are too many to look."""
    cells, latent = rows.features, network.code.latent
    if cells > WIDEST_EXACT:
        return None
    x = torch.cat([rows.batch(block)[0] for block in some[: count_factorised(cells)].split(rows.block)]).cpu().double()
    mean, totals = x.mean(0), network.likelihood.cell_of_output(cells) is None
    rank = min(latent, cells)
    roots = components_of(rows, some, cells, rank, Generator().manual_seed(0), lambda counts: counts.sqrt())
    found: list[RootComponents | Factorisation] = [RootComponents(mean, totals, roots)]
    if len(x) >= ROWS_PER_FACTOR * latent:
        found.append(Factorisation(mean, totals, factorised(x.numpy(), rank)))
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
