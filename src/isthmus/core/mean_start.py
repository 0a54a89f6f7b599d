"""A start at the mean of every column, and one that is never worse than it.

What is compared is what training minimises, in each column, over some training rows as validation sees them: with the
network's own noise, drawn once. Outputs that make a column worse than its mean are drawn back towards the mean. The
last layer is affine, so this is exact: θ = mean + share·(θ - mean) has the weights share·W and the bias
mean + share·(b - mean).
"""

import torch
from torch import Generator, Tensor

from isthmus.core.contract import Backbone, batch_mean
from isthmus.core.likelihood import LikelihoodModule
from isthmus.core.network import Network
from isthmus.core.output_columns import OutputColumns

SHARES = (1.0, 0.5, 0.25, 0.125, 0.0625, 0.0)
"""Shares of the way from the mean to the outputs that are tried."""
TOLERANCE = 1e-9
"""Difference of losses, relative to the loss of the mean, that is taken for rounding."""
BLOCK = 256
"""Rows that are compared together."""


@torch.no_grad()
def mean_outputs(likelihood: LikelihoodModule, sample: Tensor, weight: Tensor | None) -> Tensor:
    """Return the outputs (P,), float64, at which every column has the mean of the sample (n, F)."""
    rows = likelihood.filled(sample).double()
    mean = batch_mean(rows, weight)
    return likelihood.start_bias(mean, batch_mean((rows - mean).square(), weight)).double()


class Comparison:
    """The losses of a network's columns over some rows, beside those of the columns' means.

    Parameters
    ----------
    network
        The network; its own noise is drawn once, as in validation.
    sample
        (n, F) rows.
    weight
        (n,) weights of these rows, or None for equal weights.
    """

    @torch.no_grad()
    def __init__(self, network: Network, sample: Tensor, weight: Tensor | None) -> None:
        self.likelihood = network.likelihood
        self.columns = OutputColumns.of(self.likelihood, sample.shape[1], sample.device)
        self.mean = mean_outputs(self.likelihood, sample, weight)
        network.eval().seed(Generator(sample.device).manual_seed(0))
        self.steps = [network(x) for x in sample.split(BLOCK)]
        network.seed(None)
        self.weights = [None] * len(self.steps) if weight is None else weight.split(BLOCK)
        self.at_mean, self.at_start = self.losses(0.0), self.losses(1.0)

    @torch.no_grad()
    def losses(self, share: float) -> Tensor:
        """Return the loss of each column with a share of the way from the mean to the outputs, (columns,)."""
        total = torch.zeros(self.columns.size, dtype=torch.float64, device=self.mean.device)
        for step, weight in zip(self.steps, self.weights, strict=True):
            theta = self.mean.lerp(step.theta.double(), share)
            found = self.likelihood.cell_losses(step.x.double(), theta)
            if step.cells is not None:
                found = found * step.cells
            if weight is not None:
                found = found * weight[:, None]
            total += self.columns.sums(found.sum(0))
        return total.nan_to_num(nan=torch.inf)

    def total_is_no_worse(self) -> bool:
        """Whether the sum over the columns is not above that of the means."""
        return bool(no_worse(self.at_start.sum(), self.at_mean.sum()))

    def best_shares(self) -> Tensor:
        """Return 1 for each column that is no worse than its mean, else the share with the least loss, (columns,)."""
        good = no_worse(self.at_start, self.at_mean)
        if bool(good.all()):
            return torch.ones_like(self.at_start)
        tried = torch.stack([*map(self.losses, SHARES[1:-1]), self.at_mean])
        return torch.where(good, 1.0, tried.new_tensor(SHARES[1:])[tried.argmin(0)])


def no_worse(losses: Tensor, of_mean: Tensor) -> Tensor:
    """Whether losses are not above those of the mean, elementwise."""
    return losses <= of_mean + TOLERANCE * of_mean.abs()


@torch.no_grad()
def hold_to_mean(network: Network, sample: Tensor, weight: Tensor | None) -> str:
    """Draw back columns that start worse than their mean, in an untied dense decoder; return in words how many.

    Where all columns share a line, a few may be worse so that all together are better.
    """
    comparison = Comparison(network, sample, weight)
    if not network.likelihood.starts_linear and comparison.total_is_no_worse():
        return ""
    shares = comparison.best_shares()
    held = int((shares < 1).sum())
    if not held:
        return ""
    draw_back(network.decoder, comparison.mean, shares[comparison.columns.of_output])
    if not Comparison(network, sample, weight).total_is_no_worse():
        # The outputs of one column count in others: a user's likelihood in another order, or rounding.
        held = comparison.columns.size
        draw_back(network.decoder, comparison.mean, torch.zeros_like(comparison.mean))
    size = comparison.columns.size
    return f"; {held} of {size} columns drawn back to their mean" if size > 1 else "; drawn back to the mean"


def draw_back(decoder: Backbone, mean: Tensor, shares: Tensor) -> None:
    """Leave a share (P,) of the way from the mean (P,) to the outputs."""
    weight, bias = decoder.weights[-1], decoder.biases[-1]
    weight *= shares[:, None].to(weight)
    bias.copy_(mean + shares * (bias.double() - mean))


@torch.no_grad()
def start_at_mean(network: Network, sample: Tensor, weight: Tensor | None = None) -> str:
    """Let the encoder see centred rows and the decoder start by giving the mean row, where they can.

    Random weights pass through a likelihood without an output activation as through an exponential; there the start is
    no worse than the mean. Returns in words what was drawn back for this.
    """
    likelihood, decoder = network.likelihood, network.decoder
    network.encoder.centre_inputs(batch_mean(likelihood.encoder_input(sample).double(), weight))
    try:
        bias = mean_outputs(likelihood, sample, weight)
    except NotImplementedError:  # A user's likelihood that cannot say so starts where the decoder does.
        return ""
    decoder.set_output_bias(bias)
    steep = likelihood.activation is None and bool(decoder.weights) and not decoder.tied
    return hold_to_mean(network, sample, weight) if steep else ""
