"""`Inference`: rows through a fitted model, in blocks of constant size."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from isthmus.data.rows import Rows
from isthmus.data.table import Table
from isthmus.engine import devices
from isthmus.engine.compute import Compute
from isthmus.engine.inference import BLOCK, map_rows
from isthmus.estimators.fitted_model import FittedModel
from isthmus.estimators.training import refuse_outside


class Inference:
    """Applies a fitted model to tables: codes, reconstructions, likelihoods.

    Rows pass the network in blocks of constant size, so that memory is bounded and a row gets the same bits wherever it
    stands. The number of threads is restored afterwards.

    Parameters
    ----------
    model : FittedModel
        The model; its network is moved to the device.
    machine : Compute
        Where and with how many threads to compute.
    """

    def __init__(self, model: FittedModel, machine: Compute) -> None:
        self.model = model
        self.machine = machine
        self.device = machine.on
        model.network.to(self.device)

    def rows(self, table: Table | np.ndarray) -> Rows:
        """Return the rows of a table, scaled a batch at a time."""
        return Rows(table, None, self.model.scaling, self.model.dtype, self.device, resident=False)

    def codes(self, Z: np.ndarray) -> Rows:
        """Return codes (n, K) as rows that are not scaled."""
        return Rows(Z, dtype=self.model.dtype, device=self.device, resident=False)

    def map(self, function: Callable[[Tensor], Tensor], rows: Rows, columns: int | None) -> np.ndarray:
        """Apply a function to blocks of rows (B, F); it returns (B, columns), or (B,) if columns is None."""
        threads = devices.thread_count(self.machine.threads, self.model.operations(BLOCK))
        with devices.threads(threads):
            return map_rows(function, rows, columns)

    def encode(self, table: Table) -> np.ndarray:
        """Return the noise-free codes, (n, K)."""
        rows, network = self.rows(table), self.model.network
        return in_its_type(self.map(lambda x: network.encode(x).mean, rows, self.model.latent), rows)

    def decode(self, Z: np.ndarray) -> np.ndarray:
        """Return the means of p(x|z) for codes (n, K), as numbers (n, R) in the data's units."""
        rows, scaling, network = self.codes(Z), self.model.scaling, self.model.network
        found = self.map(lambda z: scaling.inverse(network.decode(z).cpu()), rows, scaling.numbers)
        return in_its_type(found, rows)

    def reconstruct(self, table: Table) -> np.ndarray:
        """Return the reconstructions, as numbers (n, R) in the data's units."""
        rows = self.rows(table)
        return in_its_type(self.map(self.rebuilt, rows, self.model.scaling.numbers), rows)

    def rebuilt(self, x: Tensor) -> Tensor:
        """Return the reconstructions of scaled rows x (B, F), as numbers (B, R)."""
        network = self.model.network
        return self.model.scaling.inverse(network.decode(network.encode(x).mean).cpu())

    def scored(self, table: Table) -> Rows:
        """Return the rows of a table that are to be scored.

        Raises
        ------
        ValueError
            If values are outside the support of the likelihood.
        """
        if not self.model.network.likelihood.density:
            refuse_outside(self.model, table)
        return self.rows(table)

    def volume(self, x: Tensor) -> Tensor | float:
        """Return what log-densities of scaled rows x (B, F) exceed those in the data's units by, (B,)."""
        return self.model.scaling.log_volume(x) if self.model.network.likelihood.density else 0.0

    def log_likelihood(self, table: Table) -> np.ndarray:
        """Return log p(x|z) of each row given its own code, in the data's units, (n,) float64."""
        network = self.model.network

        def scored(x: Tensor) -> Tensor:
            return -network.likelihood.nll(x, network(x).theta).double() - self.volume(x)

        return self.map(scored, self.scored(table), None)

    def column_log_likelihood(self, table: Table) -> np.ndarray:
        """Return what each column contributes to it, (n, columns) float64."""
        network, scaling, columns = self.model.network, self.model.scaling, self.model.schema.n_features

        def by_column(x: Tensor) -> Tensor:
            cells = -network.likelihood.columns(x, network(x).theta).double()
            if network.likelihood.density:
                cells = cells + scaling.log_derivatives(x)
            return scaling.by_column(cells)

        return self.map(by_column, self.scored(table), columns)

    def error(self, table: Table) -> np.ndarray:
        """Return the reconstruction error of each row, (n,) float64.

        The mean squared error over the columns in the data's units; for columns of several kinds, which have no common
        unit, the mean deviance ratio: 0 for a perfect reconstruction, 1 for one as good as the columns' means.
        """
        rows, network, scaling = self.rows(table), self.model.network, self.model.scaling
        if self.model.schema.columns is not None:

            def ratios(x: Tensor) -> Tensor:
                found = network.likelihood.deviance_ratios(x, network(x).theta)
                assert found is not None, "the likelihood of several kinds of columns has them"
                return found

            return self.map(ratios, rows, None).astype(np.float64)

        def error(x: Tensor) -> Tensor:
            return (scaling.inverse(x.cpu()) - self.rebuilt(x)).square().mean(1)

        return self.map(error, rows, None).astype(np.float64)


def in_its_type(result: np.ndarray, rows: Rows) -> np.ndarray:
    """Return a result in float32 if that holds the rows' own values, else in float64."""
    return result.astype(np.float32 if rows.narrow else np.float64, copy=False)


def uninitialised(model: FittedModel) -> Tensor:
    """Return an empty tensor of a model's number type on the processor."""
    return torch.empty(0, dtype=model.dtype)
