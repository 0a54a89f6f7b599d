"""Loss kernels of the likelihoods that fused steps support: there is one for each, and `KERNELS` lists them."""

from collections.abc import Callable

import torch
from torch import Tensor

from isthmus.core.likelihood import LikelihoodModule
from isthmus.engine.fast.activations import DERIVATIVES, FUNCTIONS
from isthmus.engine.fast.buffers import Buffer
from isthmus.engine.fast.loss_kernel import LossKernel, follow
from isthmus.engine.fast.matmul import Operand
from isthmus.engine.fast.mixed_loss import MixedLoss
from isthmus.parts.counts import LARGEST, MultinomialLikelihood, PoissonLikelihood, log_factorial
from isthmus.parts.likelihoods import FOLLOWING, LOG_2_PI, BernoulliLikelihood, GaussianLikelihood
from isthmus.parts.mixed_likelihood import MixedLikelihood

aten = torch.ops.aten


class BernoulliLoss(LossKernel):
    """-log p = Σ log(1 + e^θ) - xθ."""

    def __call__(
        self, x: Tensor, theta: Buffer[Operand], spare: Buffer[Operand], cells: Tensor | None = None
    ) -> tuple[Tensor, Buffer[Operand]]:
        """Return the mean loss and its gradient in θ (B, F)."""
        rows = len(x)
        aten.softplus.out(theta.vector, out=spare.vector)
        loss = (spare.matrix.sum(1) - torch.linalg.vecdot(x, theta.matrix)).sum() / rows
        torch.sigmoid(theta.vector, out=theta.vector)
        theta.matrix.sub_(x).div_(rows)
        return loss, theta


class PoissonLoss(LossKernel):
    """-log p = Σ λ - x log λ + log x!, with log λ = θ within ± `LARGEST`."""

    def __call__(
        self, x: Tensor, theta: Buffer[Operand], spare: Buffer[Operand], cells: Tensor | None = None
    ) -> tuple[Tensor, Buffer[Operand]]:
        """Return the mean loss and its gradient in θ (B, F)."""
        torch.clamp(theta.vector, -LARGEST, LARGEST, out=spare.vector)
        losses = log_factorial(x).sum(1) - torch.linalg.vecdot(x, spare.matrix)
        torch.exp(spare.vector, out=spare.vector)
        losses += spare.matrix.sum(1)
        spare.matrix.sub_(x).div_(len(x))
        return losses.sum() / len(x), spare


class MultinomialLoss(LossKernel):
    """-log p = Σ log x! - x log p - log n!, with p = softmax(θ)."""

    def __call__(
        self, x: Tensor, theta: Buffer[Operand], spare: Buffer[Operand], cells: Tensor | None = None
    ) -> tuple[Tensor, Buffer[Operand]]:
        """Return the mean loss and its gradient in θ (B, F)."""
        aten._log_softmax.out(theta.matrix, 1, False, out=spare.matrix)
        total = x.sum(1, keepdim=True)
        losses = log_factorial(x).sum(1) - torch.linalg.vecdot(x, spare.matrix) - torch.lgamma(total[:, 0] + 1)
        torch.exp(spare.vector, out=spare.vector)
        spare.matrix.mul_(total).sub_(x).div_(len(x))
        return losses.sum() / len(x), spare


class GaussianLoss(LossKernel):
    """-log p = ½ Σ (x - a(θ))²/σ² + log 2πσ², with one σ² for all cells, fixed or optimal.

    Parameters
    ----------
    likelihood
        The likelihood, whose variance is updated if it is optimal.
    """

    def __init__(self, likelihood: GaussianLikelihood) -> None:
        self.likelihood = likelihood
        self.activation = likelihood.activation
        self.floor = likelihood.floor
        self.fixed = None if likelihood.mode == "optimal" else float(likelihood.mode)

    def __call__(
        self, x: Tensor, theta: Buffer[Operand], spare: Buffer[Operand], cells: Tensor | None = None
    ) -> tuple[Tensor, Buffer[Operand]]:
        """Return the mean squared error and the gradient of the mean loss in θ (B, F)."""
        name, rows = self.activation, len(x)
        if name == "identity":
            mean = gradient = theta
        else:
            mean = theta if FUNCTIONS[name](theta.vector, spare.vector) is theta.vector else spare
            gradient = spare if mean is theta else spare.another()
        difference = torch.sub(mean.matrix, x, out=gradient.matrix)
        errors = torch.linalg.vector_norm(difference, dim=1)
        squared = torch.dot(errors, errors) / difference.numel()
        if self.fixed is None:
            difference.div_(squared.clamp_min(self.floor).mul_(rows))
        else:
            difference.mul_(1 / (self.fixed * rows))
        DERIVATIVES[name](difference, theta.matrix, mean.matrix)
        return squared, gradient

    def losses(self, values: Tensor) -> Tensor:
        """Return the mean -log p(x|z) of each batch, (batches,), from the batches' mean squared errors."""
        variance = values.clamp_min(self.floor) if self.fixed is None else self.likelihood.variance
        return 0.5 * self.likelihood.features * (values / variance + torch.log(variance) + LOG_2_PI)

    def update_likelihood(self, values: Tensor) -> None:
        """Move an optimal variance to where `common_variance` would have moved it, batch after batch."""
        if self.fixed is None:
            follow(self.likelihood.variance, values.clamp_min(self.floor), FOLLOWING)


def gaussian_loss(likelihood: GaussianLikelihood) -> GaussianLoss | None:
    """Return the kernel, or None where the variance is learned or each column has its own."""
    return None if likelihood.mode in ("learned", "columns") else GaussianLoss(likelihood)


KERNELS: dict[type[LikelihoodModule], Callable[..., LossKernel | None]] = {
    BernoulliLikelihood: lambda likelihood: BernoulliLoss(),
    GaussianLikelihood: gaussian_loss,
    PoissonLikelihood: lambda likelihood: PoissonLoss(),
    MultinomialLikelihood: lambda likelihood: MultinomialLoss(),
    MixedLikelihood: MixedLoss,
}
"""From the exact class of a likelihood to a function that returns its kernel, or None for what it does not support."""


def kernel(likelihood: LikelihoodModule) -> LossKernel | None:
    """Return the loss kernel of a likelihood, or None if there is none."""
    found = KERNELS.get(type(likelihood))
    return None if found is None else found(likelihood)
