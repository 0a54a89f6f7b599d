"""The paper's equations (1) to (7), each checked against the likelihoods that training uses."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from isthmus.paper.claim import Claim, Source
from isthmus.paper.numbers import decimal, listed, magnitude
from isthmus.parts.likelihoods import Bernoulli, Gaussian

STEP = 1e-5
"""Half the distance between the points of a numerical derivative."""
Loss = Callable[[Tensor, Tensor], Tensor]


class Checks(NamedTuple):
    """How far each loss is from its equations, over a grid of x and x̂."""

    value: float
    """The largest difference between the loss and its formula."""
    numerical: float
    """The largest difference between the gradient and a numerical derivative of the formula, as a share of the largest
    gradient."""
    gradient: float
    """The largest difference between the gradient and the printed one."""
    at_minimum: float
    """The largest gradient at x̂ = x."""
    curvature: float
    """The smallest second derivative."""


def squared_error(x: Tensor, guess: Tensor) -> Tensor:
    """Return the terms of (2)."""
    return (x - guess).square()


def cross_entropy(x: Tensor, guess: Tensor) -> Tensor:
    """Return the terms of (5)."""
    return -(x * guess.log() + (1 - x) * (1 - guess).log())


def trained_squared_error(x: Tensor, guess: Tensor) -> Tensor:
    """Return the squared error that training minimises, a Gaussian's negative log-likelihood without its constant."""
    likelihood = Gaussian(variance=0.5).build(1).double()
    rows, guesses = x.reshape(-1, 1), guess.reshape(-1, 1)
    return (likelihood.nll(rows, guesses) - likelihood.nll(rows, rows)).reshape(x.shape)


def trained_cross_entropy(x: Tensor, guess: Tensor) -> Tensor:
    """Return the cross-entropy that training minimises, a Bernoulli distribution's negative log-likelihood."""
    return Bernoulli().build(1).nll(x.reshape(-1, 1), torch.logit(guess).reshape(-1, 1)).reshape(x.shape)


def check(trained: Loss, formula: Loss, printed: Loss) -> Checks:
    """Compare a loss with its formula and its printed gradient, on a grid of x and x̂ in (0, 1)."""
    values = torch.linspace(0.01, 0.99, 99, dtype=torch.float64)
    x, guess = (part.contiguous() for part in torch.meshgrid(values, values, indexing="ij"))
    guess.requires_grad_()
    loss = trained(x, guess)
    (gradient,) = torch.autograd.grad(loss.sum(), guess, create_graph=True)
    (second,) = torch.autograd.grad(gradient.sum(), guess)
    at = guess.detach()
    numerical = (formula(x, at + STEP) - formula(x, at - STEP)) / (2 * STEP)
    return Checks(
        value=float((loss.detach() - formula(x, at)).abs().max()),
        numerical=float((gradient.detach() - numerical).abs().max() / gradient.detach().abs().max()),
        gradient=float((gradient.detach() - printed(x, at)).abs().max()),
        at_minimum=float(gradient.detach().diagonal().abs().max()),
        curvature=float(second.min()),
    )


def squared_error_checks() -> Checks:
    """Check equations (2) to (4)."""
    return check(trained_squared_error, squared_error, lambda x, guess: -2 * (x - guess))


def cross_entropy_checks() -> Checks:
    """Check equations (5) to (7)."""
    return check(trained_cross_entropy, cross_entropy, lambda x, guess: -(x - guess) / (guess - guess.square()))


def tested(widths: Mapping[str, list[int]]) -> dict[int, str]:
    """Return what was tested of each equation, and with which result; `widths` holds the layers of each figure."""
    squares, entropies = squared_error_checks(), cross_entropy_checks()
    sizes = [f"m = {layers[0]}, p = {layers[len(layers) // 2]} ({figures})" for figures, layers in widths.items()]
    return {
        1: f"The networks below have {listed(sizes)}.",
        2: f"The loss in training and this formula {differ(squares.value)}.",
        3: f"The gradient in training and a numerical derivative of (2) {differ(squares.numerical)} of the largest "
        "gradient.",
        4: in_words(4, squares),
        5: f"The loss in training and this formula {differ(entropies.value)}. In the paper the inner sum runs to M; it "
        "must run over the m features of a row.",
        6: f"The gradient in training and a numerical derivative of (5) {differ(entropies.numerical)} of the largest "
        "gradient.",
        7: f"{in_words(7, entropies)} The paper leaves the second derivative out.",
    }


def differ(size: float) -> str:
    """Return in words how much two things differ at most."""
    return f"differ by at most {magnitude(size)}" if size else "are equal to the last digit"


def in_words(number: int, found: Checks) -> str:
    """Return what was measured of a gradient and of the minimum that follows from it."""
    minimum = "the minimum is there and nowhere else" if are_exact(found) else "this is no proof of a minimum there"
    return (
        f"On a grid of x and x̂ in (0, 1), the gradient in training and ({number}) {differ(found.gradient)}. At x̂ = x "
        f"it is {'at most ' * (found.at_minimum > 0)}{magnitude(found.at_minimum)}, and the second derivative is at "
        f"least {decimal(found.curvature, 2)}/M: {minimum}."
    )


def minimum_of_squared_error() -> Claim:
    """Check the gradient of the mean squared error and its minimum."""
    found = squared_error_checks()
    statement = "The mean squared error has the gradient (4), and its minimum at x̂ = x."
    return Claim(statement, Source.PAPER, are_exact(found), in_words(4, found))


def minimum_of_cross_entropy() -> Claim:
    """Check the gradient of the cross-entropy and its global minimum."""
    found = cross_entropy_checks()
    statement = "Binary cross-entropy has the gradient (7), and its global minimum at x̂ = x."
    return Claim(statement, Source.PAPER, are_exact(found), in_words(7, found))


def are_exact(found: Checks) -> bool:
    """Return whether a gradient is the printed one, vanishes at x̂ = x, and grows everywhere."""
    return found.gradient < 1e-8 and found.at_minimum < 1e-8 and found.curvature > 0
