"""Denoising autoencoders: noisy images in, clean images out, measured by their signal-to-noise ratio."""

import math
from collections.abc import Mapping

import numpy as np

from isthmus import zoo
from isthmus.estimators import AutoEncoder
from isthmus.paper.claim import Claim
from isthmus.paper.further.chapter import Chapter, Picture, paper_recipe, reconstructed, settings
from isthmus.paper.images import Images, digit_rows
from isthmus.paper.networks import wide_sizes
from isthmus.parts.corruptions import GaussianNoise
from isthmus.reports import plots
from isthmus.reports.metrics import image_quality

TRAINED, SHOWN = 0.25, 0.5
"""Standard deviations of the noise, for grey levels from 0 to 1: the notebook trains with 0.5·N(0, 0.5²) and shows
its result with N(0, 0.5²)."""
PRINTED_PSNR = 39.52
"""In dB, as printed in the notebook."""
SHORT = ("trained without noise", "paper's recipe", "isthmus, same size", "isthmus, wide")
"""Labels of the models in the figure, in the order of `models`."""


def grey_noise(scale: float) -> GaussianNoise:
    """Return Gaussian noise that is clipped to grey levels from 0 to 1, as in the notebook."""
    return GaussianNoise(scale, clip=(0, 1))


def noisy(images: Images, scale: float, seed: int) -> np.ndarray:
    """Return the test images with noise, clipped to grey levels from 0 to 1."""
    noise = np.random.default_rng(seed).standard_normal(images.test.shape, dtype=np.float32)
    return (images.bright(images.test) + np.float32(scale) * noise).clip(0, 1)


def notebook_psnr(clean: np.ndarray, restored: np.ndarray) -> float:
    """Return what the notebook calls PSNR, in dB: a peak of 255 over the squared error summed over the pixels."""
    summed = float(np.square(clean.astype(np.float64) - restored).sum(axis=1).mean())
    return 20 * math.log10(255) - 10 * math.log10(summed)


def models(images: Images, epochs: int, seed: int) -> dict[str, AutoEncoder]:
    """Return the notebook's network with and without noise in training, our network of that size, and a wider one."""
    hidden, latent = wide_sizes(images)
    return {
        "paper's recipe, no noise in training": paper_recipe(images, epochs, seed),
        "paper's recipe, noise 0.25": paper_recipe(images, epochs, seed, corruption=grey_noise(TRAINED)),
        "isthmus, noise 0.25": zoo.denoising(
            latent, hidden=(hidden,), corruption=grey_noise(TRAINED), **settings(epochs, seed)
        ),
        "isthmus, wide, noise 0.5": zoo.denoising(
            2 * latent, hidden=(4 * hidden,), corruption=grey_noise(SHOWN), **settings(epochs, seed)
        ),
    }


def study(images: Images, epochs: int, seed: int) -> Chapter:
    """Train the models and let them restore the test images at both noise levels."""
    clean = images.bright(images.test)
    given = {scale: noisy(images, scale, seed) for scale in (TRAINED, SHOWN)}
    fitted = {name: model.fit(images.train) for name, model in models(images, epochs, seed).items()}
    restored = {
        name: {scale: reconstructed(model, rows * np.float32(images.white), images) for scale, rows in given.items()}
        for name, model in fitted.items()
    }
    table = {"as given": given, **restored}
    rows = {
        name: {key: value for scale, found in by_scale.items() for key, value in measures(clean, found, scale).items()}
        for name, by_scale in table.items()
    }
    at_shown = {"clean": clean, "noisy": given[SHOWN]}
    at_shown |= {short: restored[name][SHOWN] for short, name in zip(SHORT, restored, strict=True)}
    return Chapter(
        title="Denoising",
        paragraphs=[
            "A denoising autoencoder sees x̃ = x + σε and must return x (Vincent et al. 2008). Its optimum E[x|x̃] "
            "moves every image towards regions where images are dense. The notebook trains with σ = 0.25 on grey "
            "levels from 0 to 1, clipped, and shows its result at σ = 0.5. This chapter does the same, with the same "
            "noise for every model.",
            f"The notebook prints a PSNR of {PRINTED_PSNR} dB. It uses a peak of 255 although the data end at 1, which "
            "adds 48.1 dB, and sums the error over the pixels of an image instead of averaging it, which subtracts "
            f"{10 * math.log10(images.pixels):.1f} dB. The table shows both ratios. Only the first is a peak "
            "signal-to-noise ratio per pixel that can be compared with other work.",
        ],
        columns=["", *next(iter(rows.values()))],
        rows=rows,
        pictures=[picture(at_shown, images)],
        claims=verdicts(rows),
    )


def picture(shown: Mapping[str, np.ndarray], images: Images) -> Picture:
    """Draw one test image per digit, from each set of test images."""
    return Picture(
        "denoising",
        plots.png(plots.image_rows({name: rows[digit_rows(images)] for name, rows in shown.items()}, images.shape)),
        f"Test images, the same images with noise of σ = {SHOWN:g}, and their restorations by four networks.",
    )


def measures(clean: np.ndarray, found: np.ndarray, scale: float) -> dict[str, float]:
    """Return the error and both ratios at a noise level, by heading."""
    quality = image_quality(clean, found)
    return {
        f"MSE, σ = {scale:g}": quality.mse,
        f"PSNR, dB, σ = {scale:g}": quality.psnr,
        f"as counted there, dB, σ = {scale:g}": notebook_psnr(clean, found),
    }


def verdicts(rows: Mapping[str, Mapping[str, float]]) -> list[Claim]:
    """Return the claims with the measurements in the table."""
    names, key = list(rows), f"PSNR, dB, σ = {TRAINED:g}"
    given, plain, paper, ours = (rows[name][key] for name in names[:4])
    printed = rows[names[2]][f"as counted there, dB, σ = {TRAINED:g}"]
    return [
        Claim(
            "A network trained on noisy images restores them.",
            paper > given and paper > plain,
            f"At σ = {TRAINED:g} the noisy images have {given:.1f} dB, the output of the paper's network {paper:.1f} "
            f"dB, and the output of the same network trained without noise {plain:.1f} dB.",
        ),
        Claim(
            f"Its PSNR is {PRINTED_PSNR} dB.",
            abs(paper - PRINTED_PSNR) < 1,
            f"It is {paper:.1f} dB, or {printed:.1f} dB when counted as in the notebook.",
        ),
        Claim(
            "isthmus: a network of the same size with PCA initialisation restores better.",
            ours > paper,
            f"It reaches {ours:.1f} dB, the paper's {paper:.1f}. A wider network reaches {rows[names[4]][key]:.1f}; it "
            f"was trained at σ = {SHOWN:g}.",
        ),
    ]
