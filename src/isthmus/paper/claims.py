"""What the paper says, and what was measured."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch

from isthmus.paper.runs import Result, wide_result
from isthmus.parts.likelihoods import Bernoulli, Gaussian

PRINTED_LOSSES = [
    *(0.06020, 0.03913, 0.03073, 0.02479, 0.02163, 0.01862, 0.01683, 0.01561, 0.01462, 0.01360),
    *(0.01272, 0.01196, 0.01129, 0.01076, 0.01033, 0.00999, 0.00970, 0.00943, 0.00921, 0.00900),
]
"""Training loss of sigmoid + MSE, epochs 1 to 20, as the companion notebook prints it."""


class Claim(NamedTuple):
    """A statement, whether the numbers bear it out, and the numbers."""

    claim: str
    holds: bool
    evidence: str


def claims(results: dict[str, Result], whole_mnist: bool) -> list[Claim]:
    """Return the paper's claims, then ours, each with its verdict; `results` holds one result a run name."""
    ours = wide_result(results)
    wide_pca = results[f"pca-{ours.run.latent}"]
    paper = [
        minimum_of_squared_error(),
        minimum_of_cross_entropy(),
        codes_suffice(results["paper-sigmoid-mse"]),
        better_than_pca(results["paper-sigmoid-mse"], wide_pca),
        losses_are_similar(results["paper-sigmoid-mse"], results["paper-relu-mse"], results["paper-sigmoid-bce"]),
        four_dimensions_blur(results["paper-8-4"], results["pca-4"], results["isthmus-4"]),
    ]
    if whole_mnist and len(results["paper-sigmoid-mse"].train_loss) == len(PRINTED_LOSSES):
        paper.insert(2, printed_losses(results["paper-sigmoid-mse"]))
    return [
        *paper,
        ours_before_an_epoch(ours),
        ours_over_pca(ours, wide_pca),
        ours_over_pca(results["isthmus-4"], results["pca-4"]),
    ]


def minimum_of_squared_error() -> Claim:
    """Check equations (2) to (4) on numbers."""
    x = torch.linspace(0, 1, 101, dtype=torch.float64)[None]
    likelihood = Gaussian(variance=0.5).build(x.shape[1])
    guess = torch.full_like(x, 0.3, requires_grad=True)
    (gradient,) = torch.autograd.grad(likelihood.nll(x, guess).sum(), guess)
    worst = float((gradient + 2 * (x - guess.detach())).abs().max())
    at_minimum = x.clone().requires_grad_()
    (zero,) = torch.autograd.grad(likelihood.nll(x, at_minimum).sum(), at_minimum)
    rest = float(zero.abs().max())
    return Claim(
        "The mean squared error has the gradient (4), -2(x - x̂)/M, and its minimum at x̂ = x.",
        worst < 1e-12 and rest == 0,
        f"Autograd and (4) differ by at most {worst:.0e}; at x̂ = x the gradient is {rest:g}, and the second derivative "
        "is 2 everywhere.",
    )


def minimum_of_cross_entropy() -> Claim:
    """Check equations (5) to (7) on numbers; the second derivative is what the paper leaves out."""
    x = torch.linspace(0.01, 0.99, 99, dtype=torch.float64)[:, None]
    guesses = x.T.expand(99, 99)
    guess = guesses.clone().requires_grad_()
    nll = Bernoulli().build(1).nll(x.expand(99, 99).reshape(-1, 1), torch.logit(guess).reshape(-1, 1)).sum()
    (gradient,) = torch.autograd.grad(nll, guess, create_graph=True)
    (second,) = torch.autograd.grad(gradient.sum(), guess)
    printed = -(x - guesses) / (guesses - guesses.square())
    worst = float((gradient.detach() - printed).abs().max())
    at_minimum = float(gradient.detach().diagonal().abs().max())
    least = float(second.min())
    return Claim(
        "Binary cross-entropy has the gradient (7), and its global minimum at x̂ = x.",
        worst < 1e-8 and at_minimum < 1e-8 and least > 0,
        f"On a grid of x and x̂ in (0, 1) autograd and (7) differ by at most {worst:.0e}; at x̂ = x the gradient is at "
        f"most {at_minimum:.0e}. The paper concludes from the first derivative alone; what makes it a global minimum "
        f"is the second one, which is at least {least:.2f} there. In (5) the inner sum has to run over the features of "
        "a row, not to M.",
    )


def printed_losses(run: Result) -> Claim:
    """Compare our losses with the printed ones."""
    difference = np.array(run.train_loss) / PRINTED_LOSSES - 1
    return Claim(
        "Training sigmoid + MSE brings the loss from 0.0602 in epoch 1 to 0.0090 in epoch 20.",
        bool(abs(difference[-1]) < 0.15),
        f"Here from {run.train_loss[0]:.4f} to {run.train_loss[-1]:.4f}: {difference[-1]:+.0%} at the end. Its error "
        f"on test images, which the paper does not give, is {run.quality.mse:.4f}.",
    )


def codes_suffice(run: Result) -> Claim:
    """Check that the narrow code keeps most of the image."""
    explained = run.quality.explained_variance
    return Claim(
        f"An undercomplete autoencoder rebuilds the digits from {run.run.latent} numbers instead of {run.widths[0]}.",
        explained > 0.75,
        f"On test images it explains {explained:.1%} of the variance (PSNR {run.quality.psnr:.1f} dB).",
    )


def better_than_pca(run: Result, pca: Result) -> Claim:
    """Compare the paper's network with PCA of the same code size."""
    return Claim(
        "Being non-linear, an autoencoder compresses better than PCA does with as many numbers.",
        run.quality.mse < pca.quality.mse,
        f"With the paper's recipe: test error {run.quality.mse:.4f}, PCA-{pca.run.latent} {pca.quality.mse:.4f}, and "
        f"{pca.clipped_mse:.4f} once PCA's values below 0 and above 1 are clipped.",
    )


def losses_are_similar(sigmoid: Result, relu: Result, cross_entropy: Result) -> Claim:
    """Compare the three losses and outputs of Figures 3 to 5."""
    pixels, dead = relu.widths[0], relu.quality.dead_outputs
    errors = [run.quality.mse for run in (sigmoid, relu, cross_entropy)]
    return Claim(
        "Sigmoid + MSE, ReLU + MSE and sigmoid + BCE give almost similar results (Figures 3, 4 and 5).",
        max(errors) < 1.3 * min(errors),
        f"Test errors are {errors[0]:.4f}, {errors[1]:.4f} and {errors[2]:.4f}. With a ReLU output {dead} of {pixels} "
        f"pixels ({dead / pixels:.0%}) are 0 for every test image: an output that is negative for all rows has no "
        f"gradient and never comes back. Its error is {errors[1] / errors[0]:.1f} times that of the sigmoid output.",
    )


def four_dimensions_blur(run: Result, pca: Result, ours: Result) -> Claim:
    """Check what Figure 6 shows: a blurred digit, or always the same image."""
    explained = run.quality.explained_variance
    always_the_mean = run.spread < 0.01 and abs(explained) < 0.05
    collapse = "It returns the mean image whatever comes in, and so says nothing about four dimensions. "
    return Claim(
        "With four dimensions the reconstructions are blurred because the code is too small (Figure 6).",
        explained > 0.1,
        f"The 8-4 network explains {explained:.1%} of the test variance (test error {run.quality.mse:.4f}), and its "
        f"reconstructions differ from one image to the next by {run.spread:.4f} a pixel (standard deviation). "
        + collapse
        * always_the_mean
        + f"Four numbers do carry more: PCA-4 has {pca.quality.mse:.4f} and this size from PCA initialisation "
        f"{ours.quality.mse:.4f} ({ours.quality.explained_variance:.0%} of the variance).",
    )


def ours_before_an_epoch(ours: Result) -> Claim:
    """Compare our first epoch with the paper's last."""
    start, first, last = (ours.test_mse_by_epoch[i] for i in (0, 1, -1))
    return Claim(
        f"isthmus: {'-'.join(map(str, ours.widths))} is below the paper's final 0.0090 before its first epoch is over.",
        first < PRINTED_LOSSES[-1],
        f"Test error {start:.4f} before training, {first:.4f} after one epoch, {last:.4f} after "
        f"{len(ours.test_mse_by_epoch) - 1}.",
    )


def ours_over_pca(ours: Result, pca: Result) -> Claim:
    """Compare our network with PCA of the same code size."""
    return Claim(
        f"isthmus: {'-'.join(map(str, ours.widths))} ends below PCA-{pca.run.latent}.",
        ours.quality.mse < pca.quality.mse,
        f"Test error {ours.quality.mse:.4f} against {pca.quality.mse:.4f}.",
    )


def bottleneck_summary(results: dict[str, Result]) -> str:
    """Say in words what the sizes of the bottleneck show: where the gain over PCA is, and where growth stops to pay."""
    networks = {r.run.latent: r.quality for n, r in results.items() if is_size(n, "bottleneck-")}
    pca = {r.run.latent: r.quality for n, r in results.items() if is_size(n, "bottleneck-pca-")}
    sizes = sorted(networks)
    gains = {k: 1 - networks[k].mse / pca[k].mse for k in sizes}
    explained = {k: networks[k].explained_variance for k in sizes}
    best = max(gains, key=lambda k: gains[k])
    idle = [k for k, larger in pairwise(sizes) if explained[larger] - explained[k] < 0.03]
    behind = [k for k in sizes if gains[k] < 0]
    sentences = [f"The gain over PCA is greatest at {best} numbers, {gains[best]:.0%} less error."]
    if idle:
        k, larger = idle[0], sizes[sizes.index(idle[0]) + 1]
        sentences.append(
            f"From {k} on a larger code hardly pays: {explained[k]:.1%} of the variance are explained, and the next "
            f"size adds {100 * (explained[larger] - explained[k]):.1f} points."
        )
    else:
        sentences.append(f"A larger code pays up to the largest tried, {sizes[-1]}.")
    if behind:
        sentences.append(
            f"With as few epochs as here PCA is ahead from {behind[0]} on: little is left to gain by bending."
        )
    return " ".join(sentences)


def is_size(name: str, prefix: str) -> bool:
    """Whether a run is one of the sizes of the bottleneck, of that kind."""
    return name.startswith(prefix) and name.removeprefix(prefix).isdigit()
