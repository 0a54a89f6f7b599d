"""The paper's equations (2) to (7), checked against autograd."""

import torch

from isthmus.paper.claim import Claim
from isthmus.parts.likelihoods import Bernoulli, Gaussian


def minimum_of_squared_error() -> Claim:
    """Check equations (2) to (4): the gradient of the mean squared error and its minimum."""
    x = torch.linspace(0, 1, 101, dtype=torch.float64)[None]
    likelihood = Gaussian(variance=0.5).build(x.shape[1])
    guess = torch.full_like(x, 0.3, requires_grad=True)
    (gradient,) = torch.autograd.grad(likelihood.nll(x, guess).sum(), guess)
    largest = float((gradient + 2 * (x - guess.detach())).abs().max())
    at_minimum = x.clone().requires_grad_()
    (zero,) = torch.autograd.grad(likelihood.nll(x, at_minimum).sum(), at_minimum)
    remaining = float(zero.abs().max())
    return Claim(
        "The mean squared error has the gradient (4), -2(x - x̂)/M, and its minimum at x̂ = x.",
        largest < 1e-12 and remaining == 0,
        f"Autograd and (4) differ by at most {largest:.0e}. At x̂ = x the gradient is {remaining:g}, and the second "
        "derivative is 2 everywhere.",
    )


def minimum_of_cross_entropy() -> Claim:
    """Check equations (5) to (7): the gradient of the cross-entropy, and its minimum by the second derivative.

    The paper leaves out the second derivative.
    """
    x = torch.linspace(0.01, 0.99, 99, dtype=torch.float64)[:, None]
    guesses = x.T.expand(99, 99)
    guess = guesses.clone().requires_grad_()
    nll = Bernoulli().build(1).nll(x.expand(99, 99).reshape(-1, 1), torch.logit(guess).reshape(-1, 1)).sum()
    (gradient,) = torch.autograd.grad(nll, guess, create_graph=True)
    (second,) = torch.autograd.grad(gradient.sum(), guess)
    printed = -(x - guesses) / (guesses - guesses.square())
    largest = float((gradient.detach() - printed).abs().max())
    at_minimum = float(gradient.detach().diagonal().abs().max())
    smallest = float(second.min())
    return Claim(
        "Binary cross-entropy has the gradient (7), and its global minimum at x̂ = x.",
        largest < 1e-8 and at_minimum < 1e-8 and smallest > 0,
        f"On a grid of x and x̂ in (0, 1), autograd and (7) differ by at most {largest:.0e}. At x̂ = x the gradient is "
        f"at most {at_minimum:.0e}. The paper concludes from the first derivative alone. The minimum is global because "
        f"the second derivative is positive; it is at least {smallest:.2f} there. In (5) the inner sum must run over "
        "the features of a row, not to M.",
    )
