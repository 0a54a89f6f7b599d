"""What the paper says about its networks, what we say about ours, and what was measured."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from isthmus.paper.claim import MARGIN, Claim, Source, agreed, below, compared, every
from isthmus.paper.equations import minimum_of_cross_entropy, minimum_of_squared_error
from isthmus.paper.images import Images
from isthmus.paper.numbers import counted, decibels, error, listed, percent
from isthmus.paper.options import Options
from isthmus.paper.results import Result, bottleneck_results, by_seed, wide_result

PRINTED_LOSSES = [
    *(0.06020, 0.03913, 0.03073, 0.02479, 0.02163, 0.01862, 0.01683, 0.01561, 0.01462, 0.01360),
    *(0.01272, 0.01196, 0.01129, 0.01076, 0.01033, 0.00999, 0.00970, 0.00943, 0.00921, 0.00900),
]
"""Training loss of sigmoid + MSE, epochs 1 to 20, as printed in the companion notebook."""
AGREEMENT = 0.25
"""Share by which the last loss may differ from the printed one. Four seeds ended from 0.0077 to 0.0086."""


def claims(results: Sequence[Result], images: Images, options: Options) -> list[Claim]:
    """Return the paper's claims, then ours, each with its verdict: that of every seed, or none where they differ."""
    per_seed = [claims_of(found, images, options) for found in by_seed(results)]
    return [agreed(list(same)) for same in zip(*per_seed, strict=True)]


def claims_of(results: Mapping[str, Result], images: Images, options: Options) -> list[Claim]:
    """Return the paper's claims, then ours, from the results of one seed by run name."""
    ours = wide_result(results)
    wide_pca = results[f"pca-{ours.run.latent}"]
    sigmoid, relu = results["paper-sigmoid-mse"], results["paper-relu-mse"]
    exact = [minimum_of_squared_error(), minimum_of_cross_entropy()]
    measured = [
        printed_losses(sigmoid),
        codes_suffice(sigmoid),
        better_than_pca(sigmoid, wide_pca),
        losses_are_similar(sigmoid, relu, results["paper-sigmoid-bce"]),
        four_dimensions_blur(results["paper-8-4"], results["pca-4"], results["isthmus-4"]),
    ]
    own = [
        ours_before_an_epoch(ours, sigmoid),
        ours_over_pca(ours, wide_pca),
        ours_over_pca(results["isthmus-4"], results["pca-4"]),
    ]
    return [
        *(claim.without_verdict(options.too_quick) for claim in exact),
        *(claim.without_verdict(options.not_the_papers(images)) for claim in measured),
        *(claim.without_verdict(options.too_short) for claim in own),
    ]


def printed_losses(run: Result) -> Claim:
    """Compare our training losses with the printed ones."""
    last, printed = run.train_loss[-1], PRINTED_LOSSES[-1]
    return Claim(
        f"Training sigmoid + MSE reduces the loss from {PRINTED_LOSSES[0]:.4f} in epoch 1 to {printed:.4f} in epoch "
        f"{len(PRINTED_LOSSES)}.",
        Source.PAPER,
        every(below(last, (1 + AGREEMENT) * printed), below((1 - AGREEMENT) * printed, last)),
        f"Here it is {error(run.train_loss[0])} in epoch 1 and {error(last)} in epoch {len(run.train_loss)}, against "
        f"{printed:.4f}: {compared(last, printed)} ({100 * AGREEMENT:.0f} % count as agreement). The error on test "
        f"images, which the paper does not give, is {error(run.quality.mse)}.",
    )


def codes_suffice(run: Result) -> Claim:
    """Check that the narrow code keeps most of the image."""
    explained = run.quality.explained_variance
    return Claim(
        f"An undercomplete autoencoder reconstructs the digits from {run.run.latent} numbers instead of "
        f"{run.widths[0]}.",
        Source.PAPER,
        below(1 - explained, 0.25),
        f"On test images it explains {percent(explained)} of the variance (at least 75 % are asked for), with a PSNR "
        f"of {decibels(run.quality.psnr)}.",
    )


def better_than_pca(run: Result, pca: Result) -> Claim:
    """Compare the paper's network with PCA of the same code size."""
    return Claim(
        "Being non-linear, an autoencoder compresses better than PCA with as many numbers.",
        Source.PAPER,
        below(run.quality.mse, pca.quality.mse),
        f"With the paper's recipe the test error is {error(run.quality.mse)}. PCA-{pca.run.latent} has "
        f"{error(pca.quality.mse)}: the network's error is {compared(run.quality.mse, pca.quality.mse)}. After "
        f"clipping to the range from 0 to 1, as a sigmoid does, PCA has {error(pca.clipped_mse)}; against that, the "
        f"network's is {compared(run.quality.mse, pca.clipped_mse)}.",
    )


def losses_are_similar(sigmoid: Result, relu: Result, cross_entropy: Result) -> Claim:
    """Compare the three combinations of output and loss in Figures 3 to 5."""
    pixels, dead = relu.widths[0], relu.quality.dead_outputs
    errors = [run.quality.mse for run in (sigmoid, relu, cross_entropy)]
    why = (
        f" With a ReLU output {dead} of {pixels} pixels ({percent(dead / pixels)}) are 0 for every test image: an "
        "output that is negative for all rows has no gradient and never recovers."
    )
    return Claim(
        "Sigmoid + MSE, ReLU + MSE and sigmoid + BCE give almost similar results (Figures 3, 4 and 5).",
        Source.PAPER,
        below(max(errors), 1.3 * min(errors)),
        f"The test errors are {listed([error(one) for one in errors])}; the largest is {max(errors) / min(errors):.1f} "
        f"times the smallest (1.3 times counts as similar).{why * (dead > 0)}",
    )


def four_dimensions_blur(run: Result, pca: Result, ours: Result) -> Claim:
    """Check what Figure 6 shows: a blurred digit, or the same image for every input."""
    explained = run.quality.explained_variance
    always_the_mean = run.spread < 0.01 and abs(explained) < 0.05
    collapse = "It returns the mean image for every input, and so says nothing about four dimensions. "
    others = f"With as many numbers PCA has {error(pca.quality.mse)}, and this size with the defaults of isthmus "
    return Claim(
        "With four dimensions the reconstructions are blurred because the code is too small (Figure 6).",
        Source.PAPER,
        below(1 - explained, 0.9),
        f"The 8-4 network explains {percent(explained)} of the test variance (test error {error(run.quality.mse)}; at "
        f"least 10 % are asked for), and its reconstructions differ between images by {run.spread:.4f} per pixel "
        f"(standard deviation). {collapse * always_the_mean}{others}{error(ours.quality.mse)} "
        f"({percent(ours.quality.explained_variance)} of the variance).",
    )


def ours_before_an_epoch(ours: Result, paper: Result) -> Claim:
    """Compare our first epoch with the paper's last."""
    start, first, last = (ours.test_mse_by_epoch[i] for i in (0, 1, -1))
    return Claim(
        f"{'-'.join(map(str, ours.widths))}, after one epoch, has a smaller test error than the paper's at the end.",
        Source.ISTHMUS,
        below(first, paper.quality.mse),
        f"The test error is {error(start)} before training, {error(first)} after one epoch and {error(last)} after "
        f"{counted(len(ours.test_mse_by_epoch) - 1, 'epoch')}; the paper's recipe ends at {error(paper.quality.mse)}.",
    )


def ours_over_pca(ours: Result, pca: Result) -> Claim:
    """Compare our network with PCA of the same code size."""
    return Claim(
        f"{'-'.join(map(str, ours.widths))} ends below PCA-{pca.run.latent}.",
        Source.ISTHMUS,
        below(ours.quality.mse, pca.quality.mse),
        f"The test error is {error(ours.quality.mse)}, PCA's {error(pca.quality.mse)}: the network's is "
        f"{compared(ours.quality.mse, pca.quality.mse)}.",
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
    behind = [k for k in sizes if gains[k] < -MARGIN]
    sentences = []
    if gains[best] > 0:
        sentences.append(
            f"The gain over PCA is greatest with {counted(best, 'number')}: {percent(gains[best])} less error."
        )
    if saturated:
        k, larger = saturated[0]
        change = explained[larger] - explained[k]
        sentences.append(
            f"From {counted(k, 'number')} on, a larger code brings little: {percent(explained[k])} of the variance is "
            f"explained, and the next size {'adds' if change >= 0 else 'loses'} {100 * abs(change):.1f} points."
        )
    else:
        sentences.append(f"A larger code helps up to the largest size tried, {sizes[-1]}.")
    if behind:
        epochs, ahead = max(r.run.epochs for r in bottleneck_results(results)), listed([str(k) for k in behind])
        sentences.append(
            f"After the {counted(epochs, 'epoch')} that these runs had, PCA is ahead with {ahead} numbers."
        )
    return " ".join(sentences)
