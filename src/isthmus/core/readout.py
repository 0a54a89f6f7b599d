"""The best linear map from principal coordinates to a likelihood's outputs: a generalised linear model per column."""

from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Generator, Tensor

from isthmus.core.contract import batch_mean
from isthmus.core.likelihood import LikelihoodModule
from isthmus.core.network import Network
from isthmus.core.output_columns import OutputColumns

RIDGES = (1.0, 0.1, 0.01, 0.001)
"""Weights of the squared coefficients of standardised coordinates, relative to a mean over rows, that are tried. The
last still keeps categories that a line separates without error from making it infinitely steep."""
LEAST_SPREAD = 0.01
"""Least spread of a coordinate relative to the greatest to which it is standardised: a smaller one is mostly noise."""
ITERATIONS = 30
"""Most iterations of L-BFGS."""
LEAST_GAIN = 1e-4
"""Least relative gain of an iteration: training goes on from here, and to stop early is a ridge of its own."""
ROWS = 2048
"""Fewer rows than this are corrupted several times."""
MOST_TIMES = 16
HELD_OUT = 4
"""One row in so many chooses the ridges."""


class TrainedRows(NamedTuple):
    """Rows as training shows them to a network, and what it scores."""

    seen: Tensor
    """(n, F) what the encoder sees."""
    target: Tensor
    """(n, F)"""
    weight: Tensor | None
    """(n,) weights of the rows, or None for equal weights."""
    cells: Tensor | None
    """(n, F) weight of each cell, or None for equal weights."""
    held_out: Tensor
    """(n,) whether a row, in all of its copies, is kept out of a first fit."""

    def where(self, chosen: Tensor) -> "TrainedRows":
        """Return the chosen rows (n,)."""
        weight = None if self.weight is None else self.weight[chosen]
        cells = None if self.cells is None else self.cells[chosen]
        return TrainedRows(self.seen[chosen], self.target[chosen], weight, cells, self.held_out[chosen])


def rows_as_trained(network: Network, sample: Tensor, weight: Tensor | None = None) -> TrainedRows:
    """Corrupt a sample (n, F) as the network's training does, several times if there are few rows."""
    held_out = torch.arange(len(sample), device=sample.device) % HELD_OUT == HELD_OUT - 1
    corruption = network.corruption
    if corruption is None:
        return TrainedRows(sample, sample, weight, None, held_out)
    times = min(-(-ROWS // len(sample)), MOST_TIMES)
    target = sample.repeat(times, 1)
    corruption.generator = Generator(sample.device).manual_seed(0)
    seen, _, cells = corruption(target)
    corruption.generator = None
    return TrainedRows(seen, target, None if weight is None else weight.repeat(times), cells, held_out.repeat(times))


def best_linear(likelihood: LikelihoodModule, coordinates: Tensor, rows: TrainedRows) -> tuple[Tensor, Tensor]:
    """Fit θ = A c + b so that the loss of a likelihood with outputs θ is least, also for rows that were not seen.

    The ridge of each column is the one with the least loss on the rows that are held out; a column for which none is
    better than the mean gets A = 0.

    Parameters
    ----------
    likelihood
        p(x|z), which is left in evaluation mode.
    coordinates
        c of the rows that are seen, (n, R) float64.
    rows
        The n rows.

    Returns
    -------
    A : Tensor of shape (P, R), float64
    b : Tensor of shape (P,), float64
    """
    likelihood.eval()
    spread = spread_of(coordinates)
    standard = coordinates / spread
    line = mean_line(likelihood, rows, standard.shape[1])
    best, ridge = line, torch.full_like(line.bias, torch.inf)
    fitted, held_out = ~rows.held_out, rows.held_out
    if bool(held_out.any()):
        least = output_losses(likelihood, standard[held_out], rows.where(held_out), line)
        tried = line
        for strength in RIDGES:
            tried = fit(likelihood, standard[fitted], rows.where(fitted), torch.full_like(ridge, strength), tried)
            losses = output_losses(likelihood, standard[held_out], rows.where(held_out), tried)
            better = losses < least
            ridge, least = torch.where(better, strength, ridge), torch.where(better, losses, least)
            best = Line(
                torch.where(better[:, None], tried.matrix, best.matrix), torch.where(better, tried.bias, best.bias)
            )
    found = fit(likelihood, standard, rows, ridge, best)
    return found.matrix / spread, found.bias


class Line(NamedTuple):
    """θ = A s + b for standardised coordinates s."""

    matrix: Tensor
    """A, (P, R)"""
    bias: Tensor
    """b, (P,)"""

    def outputs(self, standard: Tensor) -> Tensor:
        """Return θ, (n, P), for s, (n, R)."""
        return standard @ self.matrix.T + self.bias


def spread_of(coordinates: Tensor) -> Tensor:
    """Return what coordinates (n, R) are divided by, (R,): their spread; infinity if there is none."""
    spread = coordinates.square().mean(0).sqrt()
    greatest = spread.max() if spread.numel() else 0.0
    return torch.where(spread > 1e-9 * greatest, spread.clamp_min(LEAST_SPREAD * greatest), torch.inf)


def mean_line(likelihood: LikelihoodModule, rows: TrainedRows, rank: int) -> Line:
    """Return the line that gives the mean of every column whatever the coordinates are."""
    filled = likelihood.filled(rows.target.double())
    middle = batch_mean(filled, rows.weight)
    bias = likelihood.start_bias(middle, batch_mean((filled - middle).square(), rows.weight)).double()
    return Line(bias.new_zeros(len(bias), rank), bias)


def output_losses(likelihood: LikelihoodModule, standard: Tensor, rows: TrainedRows, line: Line) -> Tensor:
    """Return the loss of the column of each output, (P,)."""
    losses = likelihood.cell_losses(rows.target.double(), line.outputs(standard))
    losses = losses if rows.cells is None else losses * rows.cells
    columns = OutputColumns.of(likelihood, rows.target.shape[1], losses.device)
    return columns.sums(batch_mean(losses, rows.weight))[columns.of_output]


def fit(
    likelihood: LikelihoodModule,
    standard: Tensor,
    rows: TrainedRows,
    ridge: Tensor,
    first: Line,
    least_gain: float = LEAST_GAIN,
) -> Line:
    """Minimise the mean loss plus ridge·A², with a ridge for each output (P,), from a first line.

    Where the ridge is infinite, A stays 0 and b as it is. The last iteration gains less than `least_gain` of the loss.
    """
    outputs, rank = first.matrix.shape
    target = rows.target.double()
    cells = None if rows.cells is None else rows.cells.double()
    weight = None if rows.weight is None else rows.weight.double()
    free = torch.isfinite(ridge)

    def loss(numbers: np.ndarray) -> tuple[float, np.ndarray]:
        with torch.enable_grad():
            packed = torch.tensor(numbers, device=target.device, requires_grad=True)
            line = unpacked(packed)
            value = batch_mean(likelihood.loss(target, line.outputs(standard), cells=cells), weight)
            value = value + (ridge.where(free, 0.0)[:, None] * line.matrix.square()).sum()
            (gradient,) = torch.autograd.grad(value, packed)
        return float(value.detach()), gradient.cpu().numpy()

    def unpacked(numbers: Tensor) -> Line:
        matrix, bias = numbers[: rank * outputs].view(outputs, rank), numbers[rank * outputs :]
        return Line(matrix * free[:, None], bias.where(free, first.bias))

    start = torch.cat([first.matrix.flatten(), first.bias]).cpu().numpy()
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS, "ftol": least_gain}).x
    return unpacked(torch.tensor(found, device=target.device))
