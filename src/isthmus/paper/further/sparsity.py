"""Sparse codes: what single units stand for if few of them are active for each image."""

from collections.abc import Mapping

import numpy as np

from isthmus import zoo
from isthmus.estimators import AutoEncoder
from isthmus.paper import numbers, picture
from isthmus.paper.claim import Claim, Source, below, every
from isthmus.paper.colours import Whose
from isthmus.paper.findings import fit_models
from isthmus.paper.further.chapter import MSE, SECONDS, Chapter, Column, held_out_error, seconds, settings
from isthmus.paper.images import Images, digit_rows, pixel_deviations
from isthmus.paper.networks import decoder_weights
from isthmus.paper.numbers import counted, decimal, listed, percent
from isthmus.paper.picture import Picture
from isthmus.parts.codes import Deterministic

PLAIN, PENALISED, K_SPARSE, LIFETIME = "sigmoid code, no penalty", "sparse", "k-sparse", "winner take all"
SIDE = 8
"""The filter figure shows SIDE² units per model."""
SPARSE = (PENALISED, K_SPARSE, LIFETIME)
WHOSE: dict[str, Whose] = dict.fromkeys((PLAIN, *SPARSE), "isthmus")
TARGET = 0.05
"""The mean activity ρ that the penalty of `zoo.sparse` pulls each unit towards."""
UNITS, ACTIVITY, ON, NEVER = "units", "mean activity, %", "on in an image", "never on"
EXPLANATION = (
    "A sigmoid unit counts as on if it is above ½, any other unit if it is not 0. “Sparse” uses the penalty "
    "KL(ρ ‖ ρ̂ⱼ), which pulls the mean activity ρ̂ⱼ of each unit towards ρ = 5 % (Ng 2011). “k-sparse” keeps the "
    "k largest units of each image, here {top_k} (Makhzani and Frey 2013). “Winner take all” keeps, for each "
    "unit, the 5 % of the images in a batch to which it responds most, in training only (Makhzani and Frey 2015)."
)


def models(images: Images, epochs: int, seed: int) -> dict[str, AutoEncoder]:
    """Return a single-layer network without a penalty, and three that are sparse in different ways."""
    shared = settings(epochs, seed)
    few, many = images.pixels // 3, overcomplete_units(images)
    return {
        PLAIN: AutoEncoder(few, (), code=Deterministic("sigmoid"), **shared),
        PENALISED: zoo.sparse(few, **shared),
        K_SPARSE: zoo.k_sparse(many, kept_units(images), **shared),
        LIFETIME: zoo.winner_take_all(many, **shared),
    }


def overcomplete_units(images: Images) -> int:
    """Return the number of units of the overcomplete codes: 1,000 for images of 784 pixels."""
    return round(images.pixels * 1000 / 784)


def kept_units(images: Images) -> int:
    """Return k, the number of units that the k-sparse code keeps: a fortieth of them, at least 1."""
    return max(1, overcomplete_units(images) // 40)


def study(images: Images, epochs: int, seed: int) -> Chapter:
    """Train the four models, count the active units and draw what the units add to an image."""
    fitted, findings = fit_models(models(images, epochs, seed), images)
    codes = {name: model.transform(images.test) for name, model in fitted.items()}
    on = {name: active(name, values) for name, values in codes.items()}
    rows = {
        name: {
            UNITS: model.latent_,
            ON: float(on[name].sum(1).mean()),
            NEVER: int((~on[name].any(axis=0)).sum()),
            MSE.heading: held_out_error(model, images),
            SECONDS.heading: seconds(model),
        }
        for name, model in fitted.items()
    }
    for name in (PLAIN, PENALISED):
        rows[name][ACTIVITY] = 100 * float(codes[name].mean())
    return Chapter(
        title="Sparse autoencoders and what their units stand for",
        paragraphs=[EXPLANATION.format(top_k=kept_units(images))],
        columns=[
            Column(UNITS, 0),
            Column(ACTIVITY, numbers.PERCENT),
            Column(ON, 1),
            Column(NEVER, 0),
            MSE,
            SECONDS,
        ],
        rows=rows,
        whose=WHOSE,
        pictures=drawn(fitted, on, images),
        claims=[sparsity_is_reached(rows, kept_units(images))],
        findings=findings,
    )


def drawn(fitted: Mapping[str, AutoEncoder], on: Mapping[str, np.ndarray], images: Images) -> list[Picture]:
    """Draw the decoder's weights of the busiest units, and images reconstructed from their strongest units."""
    return [
        picture.filters(
            "sparse-filters",
            f"What the {SIDE**2} units that are on most often add to an image: the decoder's weights, each multiplied "
            "by the standard deviation of its pixel. Light is brighter, dark is darker, grey changes nothing.",
            {name: busiest(model, on[name], images) for name, model in fitted.items()},
            images.shape,
            WHOSE,
            SIDE,
        ),
        picture.rows(
            "sparse-parts",
            "k-sparse: test images reconstructed from their strongest units alone.",
            by_strongest_units(fitted[K_SPARSE], images, kept_units(images)),
            images.shape,
        ),
    ]


def sparsity_is_reached(rows: Mapping[str, Mapping[str, float]], top_k: int) -> Claim:
    """Compare the activity of the units with the settings; a unit that is never on is no part of any image."""
    activity, kept = rows[PENALISED][ACTIVITY] / 100, rows[K_SPARSE][ON]
    idle = [f"{rows[name][NEVER]:,.0f} of {counted(int(rows[name][UNITS]), 'unit')} ({name})" for name in SPARSE]
    return Claim(
        "The sparse autoencoders reach the sparsity that was set, and use their units.",
        Source.ISTHMUS,
        every(
            below(activity, 2 * TARGET),
            below(TARGET / 2, activity),
            abs(kept - top_k) < 0.5,
            *(below(rows[name][NEVER], 0.5 * rows[name][UNITS]) for name in SPARSE),
        ),
        f"The penalty sets a mean activity of {percent(TARGET)}, and it is {percent(activity)} (without the penalty "
        f"{percent(rows[PLAIN][ACTIVITY] / 100)}; up to a factor of two counts as reached). k-sparse sets {top_k} "
        f"units, and {decimal(kept, 1)} are on. On no test image are on: {listed(idle)}; up to half of the units may "
        "be idle. On test images nothing makes units compete, and winner take all has "
        f"{decimal(rows[LIFETIME][ON], 1)} on.",
    )


def active(name: str, codes: np.ndarray) -> np.ndarray:
    """Return which units are on for each image, (n, K)."""
    found: np.ndarray = codes > 0.5 if name in (PLAIN, PENALISED) else codes != 0
    return found


def busiest(model: AutoEncoder, on: np.ndarray, images: Images) -> np.ndarray:
    """Return the decoder's weights (SIDE², F) of the units that are on most often."""
    weights: np.ndarray = decoder_weights(model).numpy().T
    chosen = weights[np.argsort(-on.mean(0), kind="stable")[: SIDE**2]]
    return chosen * pixel_deviations(images)


def by_strongest_units(model: AutoEncoder, images: Images, top_k: int) -> dict[str, np.ndarray]:
    """Reconstruct test digits from their 1, 3, ... and finally all k strongest units."""
    chosen = images.test[digit_rows(images)]
    codes = model.transform(chosen)
    order = np.argsort(-np.abs(codes), axis=1)
    shown = {"original": images.bright(chosen)}
    for count in sorted({max(1, top_k * share // 25) for share in (1, 3, 6, 12, 25)}):
        kept = np.zeros_like(codes)
        np.put_along_axis(kept, order[:, :count], np.take_along_axis(codes, order[:, :count], 1), 1)
        shown[counted(count, "unit")] = images.bright(model.inverse_transform(kept)).clip(0, 1)
    return shown
