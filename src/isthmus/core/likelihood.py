"""`LikelihoodModule`: p(x|z), as the network, the initialisation, tables and the estimators ask for it."""

import math

import numpy as np
import torch
from torch import Generator, Tensor, nn

from isthmus.core.modules import inverse


class LikelihoodModule(nn.Module):
    """p(x|z) for rows of F numbers, given P outputs θ of the decoder.

    A likelihood must define `outputs`, `mean` and `columns`; `sample`, `variances` and `start_bias` are needed only by
    those who draw rows, ask for a spread or start training at the mean. All else has a default.

    Examples
    --------
    >>> from torch.nn.functional import softplus
    >>> class Logistic(LikelihoodModule):
    ...     activation = "identity"
    ...
    ...     def __init__(self, features):
    ...         super().__init__()
    ...         self.outputs = features
    ...
    ...     def mean(self, theta):
    ...         return theta
    ...
    ...     def columns(self, x, theta, weight=None):
    ...         return x - theta + 2 * softplus(theta - x)
    >>> x, theta = torch.zeros(1, 2), torch.zeros(1, 2)
    >>> round(float(Logistic(2).nll(x, theta)), 4)  # 2 · log 4
    2.7726
    >>> Logistic(2).half_deviance(x, theta).tolist()
    [[0.0, 0.0]]
    """

    outputs: int
    """P, the outputs that the decoder must have."""
    exhausted: bool = False
    """Whether the errors from which the variance was set are too small for training to lower them."""
    inputs: int | None = None
    """Numbers per row that `encoder_input` returns; None means F."""
    feature_group: tuple[int, ...] | None = None
    """(F,) group of each feature; a corruption takes all features of a group or none. None if each is on its own."""
    blocked = False
    """Whether a column is a block of several cells, of which one is 1 and the others are 0."""
    starts_linear = False
    """Whether training can start at the best linear map from principal components of what the encoder sees."""
    activation: str | None = None
    """Name of the function from the first F outputs to the mean; None if there is no such function."""
    made_by = "the likelihood"
    """Name of the part that built this module, for messages."""
    support: tuple[float, float] = (-math.inf, math.inf)
    """Least and greatest legal value."""
    whole = False
    """Whether only whole numbers are legal."""
    density = False
    """Whether p(x|z) is a density, which changes with the units of x, rather than a probability."""

    # -- what a likelihood must define ---------------------------------------------------------------------------------

    def mean(self, theta: Tensor) -> Tensor:
        """Return the mean of p(x|z), (B, F), from the decoder's outputs (B, P)."""
        raise self.lacks("mean(theta)", "the reconstruction of a row")

    def columns(self, x: Tensor, theta: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return -log p(x|z) of each cell, (B, F), in nats.

        Parameters
        ----------
        x
            (B, F) rows.
        theta
            (B, P) decoder outputs.
        weight
            (B,) sample weights for statistics over the batch, or None.
        """
        raise self.lacks("columns(x, theta, weight=None)", "-log p(x|z) of each cell, which training minimises")

    def reconstruct(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return the reconstruction of rows x, (B, F), which outputs (B, P) mean: the mean of p(x|z).

        A likelihood that takes something of the row as given, such as the total of its counts, uses x for that.
        """
        return self.mean(theta)

    # -- what some uses need -------------------------------------------------------------------------------------------

    def sample(self, theta: Tensor, generator: Generator | None) -> Tensor:
        """Draw rows (B, F) from p(x|z)."""
        raise self.lacks("sample(theta, generator)", "draws from p(x|z)")

    def variances(self, theta: Tensor) -> Tensor:
        """Return the variance of p(x|z) in each cell, (B, F)."""
        raise self.lacks("variances(theta)", "the variance of p(x|z) in each cell")

    def start_bias(self, mean: Tensor, variance: Tensor) -> Tensor:
        """Return the (P,) outputs at which every column has the given mean (F,) and, roughly, variance (F,).

        By default the inverse of `activation`, followed by `spread_bias`.
        """
        if self.activation is None:
            raise self.lacks("start_bias(mean, variance)", "the outputs at which columns have a given mean")
        return torch.cat([inverse(self.activation, mean), self.spread_bias(variance)])

    def lacks(self, method: str, what: str) -> NotImplementedError:
        """Return the error that names a method which this likelihood does not define."""
        return NotImplementedError(f"the likelihood {self.made_by} lacks `{method}`: {what}; define it")

    # -- scores --------------------------------------------------------------------------------------------------------

    def nll(self, x: Tensor, theta: Tensor, weight: Tensor | None = None, cells: Tensor | None = None) -> Tensor:
        """Return -log p(x|z) of each row, (B,), in nats.

        Parameters
        ----------
        x
            (B, F) rows.
        theta
            (B, P) decoder outputs.
        weight
            (B,) sample weights for statistics over the batch, or None.
        cells
            (B, F) weight of each cell in the sum, or None.
        """
        columns = self.columns(x, theta, weight)
        return (columns if cells is None else columns * cells).sum(1)

    def loss(self, x: Tensor, theta: Tensor, weight: Tensor | None = None, cells: Tensor | None = None) -> Tensor:
        """Return what training minimises, (B,): `nll`, unless that would favour some columns over others."""
        return self.nll(x, theta, weight, cells)

    def cell_losses(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return what training minimises in each cell, (B, F), up to numbers that the outputs do not change.

        By default -log p(x|z); a start is compared with the columns' means by it.
        """
        return self.columns(x, theta)

    def half_deviance(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return half the unit deviance of each cell, (B, F), in nats at scale 1.

        It is at least 0, and 0 where the mean equals the value, like scikit-learn's losses less their least value
        (`sklearn._loss`). By default -log p(x|z) less its value at outputs whose mean is x, by `start_bias`.
        """
        ones = torch.ones_like(x[0])
        saturated = torch.stack([self.start_bias(row, ones) for row in x])
        return (self.columns(x, theta) - self.columns(x, saturated)).clamp_min(0)

    def deviance_loss(self, x: Tensor, theta: Tensor) -> Tensor:
        """Return what a table's likelihood (`Mixed`) minimises for each cell, (B, F): by default `half_deviance`.

        Only a likelihood whose half deviance cannot teach all of its outputs needs another one.
        """
        return self.half_deviance(x, theta)

    def deviance_loss_and_gradient(
        self, x: np.ndarray, theta: np.ndarray, weight: np.ndarray, losses: np.ndarray, gradient: np.ndarray
    ) -> None:
        """Write `deviance_loss` of each cell, and the gradient in the outputs of its weighted sum.

        Training on a table on the processor calls this, with arrays in which the cells of a column lie together. The
        default differentiates `deviance_loss` by autograd, in which a step spends most of its time. A subclass that
        overrides `deviance_loss`, or what that calls, must override an inherited derivative, too.

        Parameters
        ----------
        x
            (F, B) rows as columns.
        theta
            (P, B) decoder outputs.
        weight
            (F, B) weight of each cell in the sum.
        losses
            (F, B) array to which the deviance losses are written, without their weights.
        gradient
            (P, B) array to which the gradient is written.
        """
        with torch.enable_grad():
            at = torch.from_numpy(theta).requires_grad_()
            found = self.deviance_loss(torch.from_numpy(x).t(), at.t()).t()
            (found_gradient,) = torch.autograd.grad((found * torch.from_numpy(weight)).sum(), at)
        losses[:], gradient[:] = found.detach().numpy(), found_gradient.numpy()

    def deviance_ratios(self, x: Tensor, theta: Tensor) -> Tensor | None:
        """Return the deviance of each row over its deviance at the columns' means, (B,); None outside tables.

        0 is a perfect reconstruction, 1 is as good as the means alone.
        """
        return None

    def loss_ratios(self, x: Tensor, theta: Tensor) -> Tensor | None:
        """Return the deviance loss of each row over its value at the columns' means, (B,); None outside tables."""
        return None

    # -- what the encoder sees -----------------------------------------------------------------------------------------

    def encoder_input(self, x: Tensor) -> Tensor:
        """Transform rows (B, F) for the encoder, (B, inputs): counts to logarithms, for example."""
        return x

    def filled(self, x: Tensor) -> Tensor:
        """Replace missing cells (NaN) by a neutral value, (B, F), if the likelihood allows missing cells."""
        return x

    def groups(self, features: int) -> tuple[int, ...]:
        """Return the number of cells of each column, which together make the `features` cells of a row."""
        return (1,) * features

    def column_of_cell(self, features: int) -> Tensor:
        """Return the number of the column of each cell, (F,) int64: by default, by the sizes of `groups`."""
        sizes = torch.tensor(self.groups(features))
        return torch.arange(len(sizes)).repeat_interleave(sizes)

    def cell_of_output(self, features: int) -> Tensor | None:
        """Return which cell, of a row's F, each output belongs to, (P,) int64.

        None if outputs cannot be told apart by columns. By default the outputs are a number for each cell, as many
        times as they go into P.
        """
        return torch.arange(self.outputs) % features if self.outputs % features == 0 else None

    # -- what it learns from data --------------------------------------------------------------------------------------

    def look(self, x: Tensor, weight: Tensor | None = None) -> None:
        """Look at training rows (n, F), with their weights (n,), before the first weights are written."""

    def set_variance(self, mean_squared_error: float) -> None:
        """Fix an optimal variance at the mean squared error over the data."""

    def set_spread(self, errors: Tensor) -> None:
        """Fix optimal variances at the mean squared error of each column, (F,)."""
        self.set_variance(float(errors.mean()))

    def with_column_spreads(self) -> "LikelihoodModule | None":
        """Return a copy in which `set_spread` gives each column a variance of its own; None if there is no such copy.

        By default None: this likelihood has no variances that errors set.
        """
        return None

    def set_loss_ratio(self, ratio: float) -> None:
        """Fix the scale of the loss at the mean of `loss_ratios` over the data."""

    def spread_bias(self, residual_variances: Tensor) -> Tensor:
        """Return the (P - F,) outputs beyond the mean at which each column has the given variance, (F,)."""
        return residual_variances[:0]
