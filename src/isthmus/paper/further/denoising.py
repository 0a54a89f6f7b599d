"""Denoising autoencoders: noisy images in, clean images out, measured by their signal-to-noise ratio."""

import math
from collections.abc import Mapping

import numpy as np

from isthmus import zoo
from isthmus.estimators import AutoEncoder
from isthmus.paper import numbers, picture
from isthmus.paper.claim import Claim, Source, below, every
from isthmus.paper.colours import Whose
from isthmus.paper.findings import fit_models
from isthmus.paper.further.chapter import Chapter, Column, paper_recipe, reconstructed, settings
from isthmus.paper.images import Images, digit_rows
from isthmus.paper.networks import wide_sizes
from isthmus.paper.numbers import decibels
from isthmus.parts.corruptions import GaussianNoise
from isthmus.reports.metrics import image_quality

TRAINED, SHOWN = 0.25, 0.5
"""Standard deviations of the noise, for grey levels from 0 to 1: the notebook trains with 0.5·N(0, 0.5²) and shows
its result with N(0, 0.5²)."""
PRINTED_PSNR = 39.52
"""In dB, as printed in the notebook."""
GIVEN = "as given"
NO_NOISE, PAPER = "paper's recipe, no noise in training", "paper's recipe, noise 0.25"
OURS, WIDE = "isthmus, noise 0.25", "isthmus, wide, noise 0.5"
WHOSE: dict[str, Whose] = {NO_NOISE: "paper", PAPER: "paper", OURS: "isthmus", WIDE: "isthmus"}


def mse_at(scale: float) -> str:
    """Return the heading of the error at a noise level."""
    return f"MSE, σ = {scale:g}"


def psnr_at(scale: float) -> str:
    """Return the heading of the signal-to-noise ratio at a noise level."""
    return f"PSNR, dB, σ = {scale:g}"


def counted_at(scale: float) -> str:
    """Return the heading of the notebook's ratio at a noise level."""
    return f"as counted there, dB, σ = {scale:g}"


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
        NO_NOISE: paper_recipe(images, epochs, seed),
        PAPER: paper_recipe(images, epochs, seed, corruption=grey_noise(TRAINED)),
        OURS: zoo.denoising(latent, hidden=(hidden,), corruption=grey_noise(TRAINED), **settings(epochs, seed)),
        WIDE: zoo.denoising(2 * latent, hidden=(4 * hidden,), corruption=grey_noise(SHOWN), **settings(epochs, seed)),
    }


def study(images: Images, epochs: int, seed: int) -> Chapter:
    """Train the models and let them restore the test images at both noise levels."""
    clean = images.bright(images.test)
    given = {scale: noisy(images, scale, seed) for scale in (TRAINED, SHOWN)}
    fitted, findings = fit_models(models(images, epochs, seed), images)
    restored = {
        name: {scale: reconstructed(model, rows * np.float32(images.white), images) for scale, rows in given.items()}
        for name, model in fitted.items()
    }
    rows = {
        name: {key: value for scale, found in by_scale.items() for key, value in measures(clean, found, scale).items()}
        for name, by_scale in {GIVEN: given, **restored}.items()
    }
    shown = {"clean": clean, "noisy": given[SHOWN], **{name: found[SHOWN] for name, found in restored.items()}}
    return Chapter(
        title="Denoising",
        paragraphs=[
            "A denoising autoencoder sees x̃ = x + σε, where ε is noise with a standard deviation of 1, and must return "
            "x (Vincent et al. 2008). Its optimum E[x|x̃] moves every image towards regions where images are dense. The "
            "notebook trains with σ = 0.25 on grey levels from 0 to 1, clipped, and shows its result at σ = 0.5. This "
            "chapter does the same, with the same noise for every model.",
            f"The notebook prints a PSNR of {PRINTED_PSNR} dB. It uses a peak of 255 although the data end at "
            "1, which adds 48.1 dB, and sums the error over the pixels of an image instead of averaging it, which "
            f"subtracts {decibels(10 * math.log10(images.pixels))}. The table shows both ratios. Only the first is a "
            "peak signal-to-noise ratio per pixel that can be compared with other work.",
        ],
        columns=[
            column
            for scale in (TRAINED, SHOWN)
            for column in (
                Column(mse_at(scale), numbers.ERROR),
                Column(psnr_at(scale), numbers.DECIBELS),
                Column(counted_at(scale), numbers.DECIBELS),
            )
        ],
        rows=rows,
        whose=WHOSE,
        pictures=[
            picture.rows(
                "denoising",
                f"Test images, the same images with noise of σ = {SHOWN:g}, and their restorations by four networks.",
                {name: some[digit_rows(images)] for name, some in shown.items()},
                images.shape,
                WHOSE,
            )
        ],
        claims=verdicts(rows),
        findings=findings,
    )


def measures(clean: np.ndarray, found: np.ndarray, scale: float) -> dict[str, float]:
    """Return the error and both ratios at a noise level, by heading."""
    quality = image_quality(clean, found)
    return {
        mse_at(scale): quality.mse,
        psnr_at(scale): quality.psnr,
        counted_at(scale): notebook_psnr(clean, found),
    }


def verdicts(rows: Mapping[str, Mapping[str, float]]) -> list[Claim]:
    """Return the claims with the measurements in the table."""
    given, plain, paper, ours = (rows[name][mse_at(TRAINED)] for name in (GIVEN, NO_NOISE, PAPER, OURS))
    ratios = {name: decibels(row[psnr_at(TRAINED)]) for name, row in rows.items()}
    ratio, counted = rows[PAPER][psnr_at(TRAINED)], rows[PAPER][counted_at(TRAINED)]
    return [
        Claim(
            "A network trained on noisy images restores them.",
            Source.NOTEBOOK,
            every(below(paper, given), below(paper, plain)),
            f"At σ = {TRAINED:g} the noisy images have {ratios[GIVEN]}, the output of the paper's network "
            f"{ratios[PAPER]}, and the output of the same network trained without noise {ratios[NO_NOISE]}.",
        ),
        Claim(
            f"Its PSNR is {PRINTED_PSNR} dB.",
            Source.NOTEBOOK,
            below(abs(ratio - PRINTED_PSNR), 1, margin=0.2),
            f"It is {decibels(ratio)}, or {decibels(counted)} when counted as in the notebook (1 dB of difference "
            "counts as agreement).",
        ),
        Claim(
            "A network of the same size with the defaults of isthmus restores better than the paper's.",
            Source.ISTHMUS,
            below(ours, paper),
            f"It reaches {ratios[OURS]}, the paper's {ratios[PAPER]}. A wider network, trained at σ = {SHOWN:g}, "
            f"reaches {ratios[WIDE]}.",
        ),
    ]
