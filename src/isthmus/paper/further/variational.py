"""Variational autoencoders: the plane of codes as a map of digits, new digits, and interpolation between digits."""

import numpy as np
from scipy.stats import norm

from isthmus import zoo
from isthmus.estimators import AutoEncoder
from isthmus.paper import numbers, picture, plane
from isthmus.paper.claim import Claim, Source, below, every
from isthmus.paper.colours import Whose
from isthmus.paper.findings import fit_models
from isthmus.paper.further.chapter import MSE, SECONDS, Chapter, Column, held_out_error, seconds, settings
from isthmus.paper.images import Images, digit_rows
from isthmus.paper.numbers import decimal
from isthmus.paper.picture import Picture
from isthmus.paper.plane import Plane, PlanePicture

SAMPLES = 100
STEPS = 10
PAIRS = ((0, 6), (1, 7), (2, 5), (3, 8), (4, 9))
"""Digits between which codes are interpolated: all ten."""
SMALL, LARGE = "2 numbers", "16 numbers"
WHOSE: dict[str, Whose] = {SMALL: "isthmus", LARGE: "isthmus"}
BOUND, EVIDENCE, DIVERGENCE, ACTIVE = "−bound, nats", "−log p(x), nats", "KL, nats", "active units"


def models(images: Images, epochs: int, seed: int) -> dict[str, AutoEncoder]:
    """Return variational autoencoders with a code of 2 numbers, for the map, and of 16, for good samples."""
    units = min(512, 4 * images.pixels)
    return {
        name: zoo.variational(size, hidden=(units, units // 2), likelihood="bernoulli", **settings(epochs, seed))
        for name, size in ((SMALL, 2), (LARGE, 16))
    }


def study(images: Images, epochs: int, seed: int) -> Chapter:
    """Train both models, measure them, and draw samples of their priors."""
    fitted, findings = fit_models(models(images, epochs, seed), images)
    rows = {name: measures(model, images, seed) for name, model in fitted.items()}
    return Chapter(
        title="The variational autoencoder",
        paragraphs=[
            "A code is a distribution q(z|x) = N(μ(x), σ²(x)), held near the prior N(0, I): training maximises "
            "E log p(x|z) − KL(q(z|x) ‖ N(0, I)), a lower bound of log p(x) (Kingma and Welling 2014). Pixels are "
            "Bernoulli, with grey levels as their expected values. Where the codes of all images together fill the "
            "prior, any draw from the prior decodes to an image.",
            "Probabilities are given as natural logarithms, whose unit is the nat: 1 nat is log₂ e = 1.44 bits. −log "
            "p(x) is the length in nats of the shortest description of an image that the model allows; less is better. "
            "KL, the Kullback-Leibler divergence, is how many nats of it the code carries.",
        ],
        columns=[
            MSE,
            Column(BOUND, numbers.NATS),
            Column(EVIDENCE, numbers.NATS),
            Column(DIVERGENCE, numbers.NATS),
            Column(ACTIVE, 0),
            Column("weights", 0),
            SECONDS,
        ],
        rows=rows,
        whose=WHOSE,
        pictures=drawn(fitted[LARGE], images, seed),
        claims=[the_code_is_used(rows)],
        findings=findings,
        planes=[the_plane(fitted[SMALL], images)],
    )


def the_code_is_used(rows: dict[str, dict[str, float]]) -> Claim:
    """Check that coordinates of the code tell images apart."""
    small, large = rows[SMALL], rows[LARGE]
    return Claim(
        "A variational autoencoder uses its code: the posterior does not collapse to the prior.",
        Source.ISTHMUS,
        every(large[ACTIVE] > 0, *(below(1, row[DIVERGENCE]) for row in (small, large))),
        f"Of 16 coordinates {large[ACTIVE]} are used; they carry {decimal(large[DIVERGENCE], numbers.NATS)} nats per "
        f"image. Of 2 coordinates {small[ACTIVE]} are used; they carry {decimal(small[DIVERGENCE], numbers.NATS)} "
        "(more than 1 is asked for).",
    )


def measures(model: AutoEncoder, images: Images, seed: int) -> dict[str, float]:
    """Return the error, the bound, log p(x) of 1,000 test images, the KL divergence of the code, and the cost."""
    some = images.test[:1000]
    history = model.history_
    best = int(np.nanargmin(history["val_loss"]))
    return {
        MSE.heading: held_out_error(model, images),
        BOUND: float(history["val_loss"][best]),
        EVIDENCE: -float(model.log_likelihood(some, importance_samples=200, random_state=seed).mean()),
        DIVERGENCE: float(history["kl"][best]),
        ACTIVE: int(history.health["active_units"]),
        "weights": sum(p.numel() for p in model.network_.parameters()),
        SECONDS.heading: seconds(model),
    }


def the_plane(model: AutoEncoder, images: Images) -> PlanePicture:
    """Draw the plane of codes, stretched to the unit square by the prior's distribution function."""
    line = norm.ppf(plane.centres())
    grid = np.column_stack([line, line])
    decoded = images.bright(model.inverse_transform(plane.lines_from_the_top(grid)))
    found = Plane(norm.cdf(model.transform(images.test)), grid, decoded)
    caption = (
        "The plane of codes as a map: test images at the mean of their codes, coloured by digit, and the images that "
        "places decode to. Both axes are stretched so that each tenth of their length holds a tenth of the prior."
    )
    return plane.drawn("manifold", caption, found, images.test_labels, images.shape, "isthmus")


def drawn(large: AutoEncoder, images: Images, seed: int) -> list[Picture]:
    """Draw samples and interpolations."""
    chosen = images.test[digit_rows(images)]
    lines = {
        f"{a} to {b}": images.bright(large.interpolate(chosen[a], chosen[b], steps=STEPS)).clip(0, 1) for a, b in PAIRS
    }
    new = images.bright(large.sample(SAMPLES, random_state=seed, noise=False))
    sets = {"drawn from the model": new, "test images": images.bright(images.test[:SAMPLES])}
    return [
        picture.mosaics(
            "samples",
            "Codes of 16 numbers drawn from the prior and decoded, with test images for comparison.",
            sets,
            images.shape,
            int(SAMPLES**0.5),
            {"drawn from the model": "isthmus"},
        ),
        picture.rows(
            "interpolation",
            "Interpolation between pairs of test images along the straight line between their codes (16 numbers).",
            lines,
            images.shape,
        ),
    ]
