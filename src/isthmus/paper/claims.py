"""What the paper says about its networks, what we say about ours, and what was measured."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from isthmus.paper.claim import Claim
from isthmus.paper.equations import minimum_of_cross_entropy, minimum_of_squared_error
from isthmus.paper.results import Result, bottleneck_results, wide_result

PRINTED_LOSSES = [
    *(0.06020, 0.03913, 0.03073, 0.02479, 0.02163, 0.01862, 0.01683, 0.01561, 0.01462, 0.01360),
    *(0.01272, 0.01196, 0.01129, 0.01076, 0.01033, 0.00999, 0.00970, 0.00943, 0.00921, 0.00900),
]
"""Training loss of sigmoid + MSE, epochs 1 to 20, as printed in the companion notebook."""


def claims(results: Mapping[str, Result], whole_mnist: bool) -> list[Claim]:
    """Return the paper's claims, then ours, each with its verdict; `results` holds one result per run name."""
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


def printed_losses(run: Result) -> Claim:
    """Compare our training losses with the printed ones."""
    difference = np.array(run.train_loss) / PRINTED_LOSSES - 1
    return Claim(
        "Training sigmoid + MSE reduces the loss from 0.0602 in epoch 1 to 0.0090 in epoch 20.",
        bool(abs(difference[-1]) < 0.15),
        f"Here it falls from {run.train_loss[0]:.4f} to {run.train_loss[-1]:.4f}, a difference of "
        f"{difference[-1]:+.0%} at the end. The error on test images, which the paper does not give, is "
        f"{run.quality.mse:.4f}.",
    )


def codes_suffice(run: Result) -> Claim:
    """Check that the narrow code keeps most of the image."""
    explained = run.quality.explained_variance
    return Claim(
        f"An undercomplete autoencoder reconstructs the digits from {run.run.latent} numbers instead of "
        f"{run.widths[0]}.",
        explained > 0.75,
        f"On test images it explains {explained:.1%} of the variance (PSNR {run.quality.psnr:.1f} dB).",
    )


def better_than_pca(run: Result, pca: Result) -> Claim:
    """Compare the paper's network with PCA of the same code size."""
    return Claim(
        "Being non-linear, an autoencoder compresses better than PCA with as many numbers.",
        run.quality.mse < pca.quality.mse,
        f"With the paper's recipe the test error is {run.quality.mse:.4f}. PCA-{pca.run.latent} has "
        f"{pca.quality.mse:.4f}, and {pca.clipped_mse:.4f} after clipping its values to the range from 0 to 1.",
    )


def losses_are_similar(sigmoid: Result, relu: Result, cross_entropy: Result) -> Claim:
    """Compare the three combinations of output and loss in Figures 3 to 5."""
    pixels, dead = relu.widths[0], relu.quality.dead_outputs
    errors = [run.quality.mse for run in (sigmoid, relu, cross_entropy)]
    return Claim(
        "Sigmoid + MSE, ReLU + MSE and sigmoid + BCE give almost similar results (Figures 3, 4 and 5).",
        max(errors) < 1.3 * min(errors),
        f"The test errors are {errors[0]:.4f}, {errors[1]:.4f} and {errors[2]:.4f}. With a ReLU output {dead} of "
        f"{pixels} pixels ({dead / pixels:.0%}) are 0 for every test image: an output that is negative for all rows "
        f"has no gradient and never recovers. Its error is {errors[1] / errors[0]:.1f} times that of the sigmoid "
        "output.",
    )


def four_dimensions_blur(run: Result, pca: Result, ours: Result) -> Claim:
    """Check what Figure 6 shows: a blurred digit, or the same image for every input."""
    explained = run.quality.explained_variance
    always_the_mean = run.spread < 0.01 and abs(explained) < 0.05
    collapse = "It returns the mean image for every input, and so says nothing about four dimensions. "
    return Claim(
        "With four dimensions the reconstructions are blurred because the code is too small (Figure 6).",
        explained > 0.1,
        f"The 8-4 network explains {explained:.1%} of the test variance (test error {run.quality.mse:.4f}), and its "
        f"reconstructions differ between images by {run.spread:.4f} per pixel (standard deviation). "
        + collapse
        * always_the_mean
        + f"Four numbers can carry more: PCA-4 has {pca.quality.mse:.4f}, and this size with PCA initialisation "
        f"{ours.quality.mse:.4f} ({ours.quality.explained_variance:.0%} of the variance).",
    )


def ours_before_an_epoch(ours: Result) -> Claim:
    """Compare our first epoch with the paper's last."""
    start, first, last = (ours.test_mse_by_epoch[i] for i in (0, 1, -1))
    return Claim(
        f"isthmus: {'-'.join(map(str, ours.widths))} is below the paper's final 0.0090 by the end of its first epoch.",
        first < PRINTED_LOSSES[-1],
        f"The test error is {start:.4f} before training, {first:.4f} after one epoch and {last:.4f} after "
        f"{len(ours.test_mse_by_epoch) - 1}.",
    )


def ours_over_pca(ours: Result, pca: Result) -> Claim:
    """Compare our network with PCA of the same code size."""
    return Claim(
        f"isthmus: {'-'.join(map(str, ours.widths))} ends below PCA-{pca.run.latent}.",
        ours.quality.mse < pca.quality.mse,
        f"The test error is {ours.quality.mse:.4f}; PCA has {pca.quality.mse:.4f}.",
    )


def bottleneck_summary(results: Mapping[str, Result]) -> str:
    """Say in words where the gain over PCA is greatest, and from which size on a larger code brings little."""
    networks = {r.run.latent: r.quality for r in bottleneck_results(results)}
    pca = {r.run.latent: r.quality for r in bottleneck_results(results, "bottleneck-pca-")}
    sizes = list(networks)
    gains = {k: 1 - networks[k].mse / pca[k].mse for k in sizes}
    explained = {k: networks[k].explained_variance for k in sizes}
    best = max(gains, key=lambda k: gains[k])
    saturated = [(k, larger) for k, larger in pairwise(sizes) if explained[larger] - explained[k] < 0.03]
    behind = [k for k in sizes if gains[k] < 0]
    sentences = [f"The gain over PCA is greatest at {best} numbers, with {gains[best]:.0%} less error."]
    if saturated:
        k, larger = saturated[0]
        sentences.append(
            f"From {k} numbers on, a larger code brings little: {explained[k]:.1%} of the variance is explained, and "
            f"the next size adds {100 * (explained[larger] - explained[k]):.1f} points."
        )
    else:
        sentences.append(f"A larger code helps up to the largest size tried, {sizes[-1]}.")
    if behind:
        sentences.append(f"With as few epochs as here, PCA is ahead at {' and '.join(map(str, behind))} numbers.")
    return " ".join(sentences)
