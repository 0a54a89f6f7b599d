"""`Inference`: rows through a fitted model, in blocks of constant size."""

from collections.abc import Callable
from copy import deepcopy
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from isthmus.core.likelihood import LikelihoodModule
from isthmus.core.torch_threads import threads
from isthmus.data.rows import Rows
from isthmus.data.scaling import NARROW
from isthmus.data.table import Table
from isthmus.engine import devices
from isthmus.engine.compute import Compute
from isthmus.engine.inference import BLOCK, map_rows
from isthmus.estimators.fitted_model import FittedModel
from isthmus.estimators.network_input import NetworkInput, SeenRows, is_bounded

GREATEST_CODE = 1e12
"""Greatest distance from 0 at which a decoder follows a number of a code."""
WORST = 1e300
"""No cell has a log-density below minus this, so that the sum over a row is finite."""


class Inference:
    """Applies a fitted model to tables: codes, reconstructions, likelihoods.

    Rows pass the network in blocks of constant size, so that memory is bounded and a row gets the same bits wherever it
    stands. The number of threads is restored afterwards. Every result is finite: `NetworkInput` says what becomes of
    missing cells and of values that are too large for a network.

    Parameters
    ----------
    model : FittedModel
        The model; its network is moved to the device.
    machine : Compute
        Where and with how many threads to compute.
    gaps : bool
        Whether numbers may be missing where none were in `fit`.
    """

    def __init__(self, model: FittedModel, machine: Compute, *, gaps: bool = True) -> None:
        self.model = model
        self.machine = machine
        self.device = machine.on
        self.input = NetworkInput(model, self.device, gaps=gaps)
        model.network.to(self.device)

    def rows(self, table: Table | np.ndarray) -> Rows:
        """Return the rows of a table, scaled a batch at a time and within the network's limits; gaps stay gaps."""
        model = self.model
        return Rows(table, None, model.scaling, model.dtype, self.device, resident=False, limits=self.input.limits)

    def codes(self, Z: np.ndarray) -> Rows:
        """Return codes (n, K) as rows that are not scaled."""
        limits = torch.full((Z.shape[1],), GREATEST_CODE, dtype=self.model.dtype)
        return Rows(Z, dtype=self.model.dtype, device=self.device, resident=False, limits=limits)

    def map(self, function: Callable[[Tensor], Tensor], rows: Rows, columns: int | None) -> np.ndarray:
        """Apply a function to blocks of rows (B, F); it returns (B, columns), or (B,) if columns is None."""
        count = devices.thread_count(self.machine.threads, self.model.operations(BLOCK))
        with threads(count):
            return map_rows(function, rows, columns)

    def map_seen(self, function: Callable[[SeenRows], Tensor], table: Table, columns: int | None) -> np.ndarray:
        """Apply a function to what the network sees of blocks of a table's rows; the result is as in `map`."""
        as_they_are = Rows(table, dtype=table.dtype, resident=False)
        return self.map(lambda raw: function(self.input.look(raw)), as_they_are, columns)

    def map_scored(self, function: Callable[[SeenRows], Tensor], table: Table, columns: int | None) -> np.ndarray:
        """Do what `map_seen` does, for rows that are scored.

        Raises
        ------
        ValueError
            If values are outside the support of the likelihood.
        """
        if not is_bounded(self.model.network.likelihood):
            return self.map_seen(function, table, columns)

        def checked(raw: Tensor) -> Tensor:
            self.input.refuse_outside(raw)
            return function(self.input.look(raw))

        return self.map(checked, Rows(table, dtype=table.dtype, resident=False), columns)

    def encode(self, table: Table) -> np.ndarray:
        """Return the noise-free codes, (n, K)."""
        network = self.model.network
        return in_its_type(self.map_seen(lambda seen: network.encode(seen.x).mean, table, self.model.latent), table)

    def decode(self, Z: np.ndarray) -> np.ndarray:
        """Return the means of p(x|z) for codes (n, K), as numbers (n, R) in the data's units."""
        rows, scaling, network = self.codes(Z), self.model.scaling, self.model.network
        found = self.map(lambda z: scaling.inverse(network.decode(z).cpu()), rows, scaling.numbers)
        return in_its_type(found, rows.table)

    def reconstruct(self, table: Table) -> np.ndarray:
        """Return the reconstructions, as numbers (n, R) in the data's units."""
        return in_its_type(self.map_seen(self.rebuilt, table, self.model.scaling.numbers), table)

    def rebuilt(self, seen: SeenRows) -> Tensor:
        """Return the reconstructions of rows, as numbers (B, R)."""
        return self.model.scaling.inverse(self.model.network.reconstruct(seen.x).cpu())

    def log_likelihood(self, table: Table) -> np.ndarray:
        """Return log p(x|z) of each row given its own code, in the data's units, (n,) float64."""
        network = self.model.network
        return self.map_scored(lambda seen: self.log_density(seen, network(seen.x).theta), table, None)

    def column_log_likelihood(self, table: Table) -> np.ndarray:
        """Return what each column contributes to it, (n, columns) float64."""
        network, scaling, columns = self.model.network, self.model.scaling, self.model.schema.n_features

        def by_column(seen: SeenRows) -> Tensor:
            theta = network(seen.x).theta
            cells = -network.likelihood.columns(seen.x, theta).double().cpu()
            if network.likelihood.density:
                cells = cells + scaling.log_derivatives(seen.x.cpu())
            if seen.apart is not None:
                cells = torch.where(seen.apart[:, None], self.cell_log_densities(seen, theta), cells)
            return scaling.by_column(cells)

        return self.map_scored(by_column, table, columns)

    def log_density(self, seen: SeenRows, theta: Tensor) -> Tensor:
        """Return log p(x|z) of rows at the decoder's outputs theta (B, P), in the data's units, (B,) float64."""
        likelihood = self.model.network.likelihood
        found = -likelihood.nll(seen.x, theta).double()
        if likelihood.density:
            found = found - self.model.scaling.log_volume(seen.x)
        if seen.apart is None:
            return found
        return torch.where(seen.apart.to(found.device), self.cell_log_densities(seen, theta).sum(1).to(found), found)

    def cell_log_densities(self, seen: SeenRows, theta: Tensor) -> Tensor:
        """Return log p of every cell as it is, in the data's units, (B, F) float64 on the processor; 0 if missing."""
        assert seen.cells is not None, "rows that are all as the network sees them need no other score"
        missing = seen.cells.isnan()
        # Likelihoods outside tables have no place for gaps: these get the guess, and do not count.
        cells = torch.where(missing, seen.x.double().cpu(), seen.cells)
        found = -self.exact.columns(cells, theta.double().cpu())
        if self.exact.density:
            found = found + self.model.scaling.log_derivatives(cells)
        return torch.where(missing, 0.0, found.clamp(-WORST, WORST))

    @cached_property
    def exact(self) -> LikelihoodModule:
        """The likelihood in float64, on the processor."""
        return deepcopy(self.model.network.likelihood).cpu().double()

    def error(self, table: Table) -> np.ndarray:
        """Return the reconstruction error of each row, (n,) float64.

        The mean squared error over the columns that are there, in the data's units; for columns of several kinds, which
        have no common unit, the mean deviance ratio: 0 for a perfect reconstruction, 1 for one as good as the columns'
        means.
        """
        mixed = self.model.schema.columns is not None
        return self.map_seen(self.deviance_ratios if mixed else self.squared_errors, table, None).astype(np.float64)

    def deviance_ratios(self, seen: SeenRows) -> Tensor:
        """Return the mean deviance ratio of each row, (B,)."""
        network = self.model.network
        theta = network(seen.x).theta
        found = network.likelihood.deviance_ratios(seen.x, theta)
        assert found is not None, "the likelihood of several kinds of columns has them"
        if seen.apart is None or seen.cells is None:
            return found
        exact = self.exact.deviance_ratios(seen.cells, theta.double().cpu())
        assert exact is not None, "the likelihood of several kinds of columns has them"
        return torch.where(seen.apart, exact.clamp_max(WORST), found.double().cpu())

    def squared_errors(self, seen: SeenRows) -> Tensor:
        """Return the mean squared error of each row in the data's units, (B,)."""
        scaling, rebuilt = self.model.scaling, self.rebuilt(seen)
        found = (scaling.inverse(seen.x.cpu()) - rebuilt).square().mean(1)
        if seen.apart is None or seen.cells is None:
            return found
        squares = (scaling.inverse(seen.cells) - rebuilt).clamp(-(WORST**0.5), WORST**0.5).square()
        there = ~squares.isnan()
        exact = squares.nan_to_num(0).sum(1) / there.sum(1).clamp_min(1)
        return torch.where(seen.apart, exact, found)


def in_its_type(result: np.ndarray, table: Table) -> np.ndarray:
    """Return a result in float32 if that holds the table's own values, else in float64."""
    if table.dtype not in NARROW:
        return result.astype(np.float64, copy=False)
    greatest = np.finfo(np.float32).max
    return result.clip(-greatest, greatest).astype(np.float32, copy=False)


def uninitialised(model: FittedModel) -> Tensor:
    """Return an empty tensor of a model's number type on the processor."""
    return torch.empty(0, dtype=model.dtype)
