"""Variational autoencoders: the plane of codes as a map of digits, new digits, and interpolation between digits."""

import numpy as np
from scipy.stats import norm

from isthmus import zoo
from isthmus.estimators import AutoEncoder
from isthmus.paper.claim import Claim
from isthmus.paper.further.chapter import Chapter, Picture, held_out_error, seconds, settings
from isthmus.paper.images import Images, digit_rows
from isthmus.reports import plots

SIDE = 17
"""Images per row of the map."""
SAMPLES = 100
STEPS = 10
PAIRS = ((0, 6), (1, 7), (3, 8), (4, 9))


def models(images: Images, epochs: int, seed: int) -> dict[int, AutoEncoder]:
    """Return variational autoencoders with a code of 2 numbers, for the map, and of 16, for good samples."""
    units = min(512, 4 * images.pixels)
    return {
        size: zoo.variational(size, hidden=(units, units // 2), likelihood="bernoulli", **settings(epochs, seed))
        for size in (2, 16)
    }


def study(images: Images, epochs: int, seed: int) -> Chapter:
    """Train both models, measure them, and draw samples of their priors."""
    fitted = {size: model.fit(images.train) for size, model in models(images, epochs, seed).items()}
    rows = {f"{size} numbers": measures(model, images, seed) for size, model in fitted.items()}
    plane, large = fitted.values()
    active = int(rows["16 numbers"]["active units"])
    return Chapter(
        title="The variational autoencoder",
        paragraphs=[
            "A code is a distribution q(z|x) = N(μ(x), σ²(x)), held near the prior N(0, I): training maximises "
            "E log p(x|z) - KL(q(z|x) ‖ N(0, I)), a lower bound of log p(x) (Kingma and Welling 2014). Pixels are "
            "Bernoulli, with grey levels as their expected values. Because the codes of all images together fill the "
            "prior, any draw from the prior decodes to an image.",
        ],
        columns=["", *next(iter(rows.values()))],
        rows=rows,
        pictures=drawn(plane, large, images, seed),
        claims=[
            Claim(
                "A variational autoencoder uses its code: the posterior does not collapse to the prior.",
                active > 0 and all(row["KL, nats"] > 1 for row in rows.values()),
                f"Of 16 coordinates {active} are used; they carry {rows['16 numbers']['KL, nats']:.1f} nats per image. "
                f"Two coordinates carry {rows['2 numbers']['KL, nats']:.1f}.",
            )
        ],
    )


def measures(model: AutoEncoder, images: Images, seed: int) -> dict[str, float]:
    """Return the error, the bound, log p(x) of 1,000 test images, the KL divergence of the code, and the cost."""
    some = images.test[:1000]
    history = model.history_
    best = int(np.nanargmin(history["val_loss"]))
    return {
        "test MSE": held_out_error(model, images),
        "-bound, nats": float(history["val_loss"][best]),
        "-log p(x), nats": -float(model.log_likelihood(some, importance_samples=200, random_state=seed).mean()),
        "KL, nats": float(history["kl"][best]),
        "active units": int(history.health["active_units"]),
        "weights": sum(p.numel() for p in model.network_.parameters()),
        "seconds": seconds(model),
    }


def drawn(plane: AutoEncoder, large: AutoEncoder, images: Images, seed: int) -> list[Picture]:
    """Draw the map of codes, the test images on the map, samples, and interpolations."""
    quantiles = norm.ppf((np.arange(SIDE) + 0.5) / SIDE)
    # The second coordinate grows upwards, as on the scatter plot.
    grid = np.array([(a, b) for b in quantiles[::-1] for a in quantiles])
    chosen = images.test[digit_rows(images)]
    lines = {
        f"{a} to {b}": images.bright(large.interpolate(chosen[a], chosen[b], steps=STEPS)).clip(0, 1) for a, b in PAIRS
    }
    new = images.bright(large.sample(SAMPLES, random_state=seed, noise=False))
    mosaics = {"drawn from the model": new, "test images": images.bright(images.test[:SAMPLES])}
    return [
        Picture(
            "manifold",
            plots.png(plots.mosaics({"": images.bright(plane.inverse_transform(grid))}, images.shape, SIDE)),
            f"The plane of codes as a map: the image that each code (a, b) decodes to, at {SIDE} quantiles of the "
            "prior along each coordinate.",
        ),
        Picture(
            "manifold-codes",
            plots.png(plots.scatter_plots({"codes of test images": plane.transform(images.test)}, images.test_labels)),
            "The test images on the map, coloured by digit.",
        ),
        Picture(
            "samples",
            plots.png(plots.mosaics(mosaics, images.shape, int(SAMPLES**0.5))),
            "Codes of 16 numbers drawn from the prior and decoded, with test images for comparison.",
        ),
        Picture(
            "interpolation",
            plots.png(plots.image_rows(lines, images.shape)),
            "Interpolation between pairs of test images along the straight line between their codes (16 numbers).",
        ),
    ]
