"""Denoising: noisy images in, clean ones out, and a signal-to-noise ratio that deserves the name."""

import math
from typing import Any

import numpy as np

from isthmus import zoo
from isthmus.estimators import AutoEncoder
from isthmus.paper.claims import Claim
from isthmus.paper.further.chapter import Chapter, Picture, half, paper_recipe, rebuilt, wide_sizes
from isthmus.paper.runs import Images, digit_rows
from isthmus.parts.corruptions import GaussianNoise
from isthmus.reports import figures
from isthmus.reports.metrics import image_quality

TRAINED, SHOWN = 0.25, 0.5
"""The notebook trains with 0.5·N(0, 0.5²) and shows N(0, 0.5²): standard deviations of grey levels from 0 to 1."""
PRINTED_PSNR = 39.52


def grey_noise(scale: float) -> GaussianNoise:
    """Return noise clipped to the grey levels there are, as the notebook has it."""
    return GaussianNoise(scale, clip=(0, 1))


def noisy(images: Images, scale: float, seed: int) -> np.ndarray:
    """Test images with noise, clipped to grey levels from 0 to 1."""
    noise = np.random.default_rng(seed).standard_normal(images.test.shape, dtype=np.float32)
    return (images.bright(images.test) + np.float32(scale) * noise).clip(0, 1)


def notebook_psnr(clean: np.ndarray, restored: np.ndarray) -> float:
    """Return what the notebook calls PSNR: a peak of 255 over the squared error summed over an image's pixels, dB."""
    summed = float(np.square(clean.astype(np.float64) - restored).sum(axis=1).mean())
    return 20 * math.log10(255) - 10 * math.log10(summed)


def models(images: Images, epochs: int, seed: int) -> dict[str, AutoEncoder]:
    """Return the notebook's network with and without noise in training, the same done well, and a wider one."""
    hidden, latent = wide_sizes(images)
    settings: dict[str, Any] = {"epochs": half(epochs), "threads": 1, "random_state": seed}
    wide: dict[str, Any] = {"latent": 2 * latent, "hidden": (4 * hidden,), "corruption": grey_noise(SHOWN)}
    return {
        "paper's recipe, no noise in training": paper_recipe(images, epochs, seed),
        "paper's recipe, noise 0.25": paper_recipe(images, epochs, seed, corruption=grey_noise(TRAINED)),
        "isthmus, noise 0.25": zoo.denoising(latent, hidden=(hidden,), corruption=grey_noise(TRAINED), **settings),
        "isthmus, wide, noise 0.5": zoo.denoising(**wide, **settings),
    }


def study(images: Images, epochs: int, seed: int) -> Chapter:
    """Train the models, restore the test images at both levels of noise."""
    clean = images.bright(images.test)
    given = {scale: noisy(images, scale, seed) for scale in (TRAINED, SHOWN)}
    fitted = {name: model.fit(images.train) for name, model in models(images, epochs, seed).items()}
    restored = {
        name: {scale: rebuilt(model, rows * np.float32(images.white), images) for scale, rows in given.items()}
        for name, model in fitted.items()
    }
    table = {"as given": given, **restored}
    rows = {
        name: {key: value for scale, found in by_scale.items() for key, value in measures(clean, found, scale).items()}
        for name, by_scale in table.items()
    }
    chosen = digit_rows(images)
    shown = {"clean": clean[chosen], "noisy": given[SHOWN][chosen]}
    shown |= {short: restored[name][SHOWN][chosen] for short, name in zip(SHORT, restored, strict=True)}
    picture = Picture(
        "denoising",
        figures.png(figures.image_rows(shown, images.shape)),
        f"Test images, the same with noise of σ = {SHOWN:g}, and what four networks make of those.",
    )
    return Chapter(
        title="Denoising",
        paragraphs=[
            "A denoising autoencoder sees x̃ = x + σε and is asked for x (Vincent et al. 2008); its optimum E[x|x̃] "
            "moves every image towards where images are dense. The notebook trains with σ = 0.25 on grey levels "
            "from 0 to 1, clipped, and shows its result at σ = 0.5; so does this chapter, on the same noise for "
            "every model.",
            f"The notebook prints a PSNR of {PRINTED_PSNR} dB. It takes 255 for the peak, where the data end at 1, "
            "and sums the error over the pixels of an image instead of taking its mean: 48.1 dB too many for the one, "
            f"{10 * math.log10(images.pixels):.1f} dB too few for the other. The table has both; only the first is a "
            "signal-to-noise ratio a pixel, and comparable with anyone else's.",
        ],
        columns=["", *next(iter(rows.values()))],
        rows=rows,
        pictures=[picture],
        claims=verdicts(rows),
    )


SHORT = ("trained without noise", "paper's recipe", "isthmus, same size", "isthmus, wide")


def measures(clean: np.ndarray, found: np.ndarray, scale: float) -> dict[str, float]:
    """Error and both ratios at a level of noise."""
    quality = image_quality(clean, found)
    return {
        f"MSE, σ = {scale:g}": quality.mse,
        f"PSNR, dB, σ = {scale:g}": quality.psnr,
        f"as counted there, dB, σ = {scale:g}": notebook_psnr(clean, found),
    }


def verdicts(rows: dict[str, dict[str, float]]) -> list[Claim]:
    """Return what the table says."""
    names, key = list(rows), f"PSNR, dB, σ = {TRAINED:g}"
    given, plain, paper, ours = (rows[name][key] for name in names[:4])
    printed = rows[names[2]][f"as counted there, dB, σ = {TRAINED:g}"]
    return [
        Claim(
            "A network trained on noisy images restores them.",
            paper > given and paper > plain,
            f"At σ = {TRAINED:g} the images come with {given:.1f} dB, leave the paper's network with {paper:.1f} "
            f"dB, and the same network trained without noise with {plain:.1f} dB.",
        ),
        Claim(
            f"Its PSNR is {PRINTED_PSNR} dB.",
            abs(paper - PRINTED_PSNR) < 1,
            f"It is {paper:.1f} dB; counted as in the notebook {printed:.1f}.",
        ),
        Claim(
            "isthmus: the same size, from PCA initialisation, restores better.",
            ours > paper,
            f"{ours:.1f} dB against {paper:.1f}; {rows[names[4]][key]:.1f} with a wider network trained at σ = "
            f"{SHOWN:g}.",
        ),
    ]
