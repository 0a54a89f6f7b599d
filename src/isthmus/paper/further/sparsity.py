"""Sparse codes: what single units stand for if few of them are active for each image."""

from collections.abc import Mapping

import numpy as np

from isthmus import zoo
from isthmus.estimators import AutoEncoder
from isthmus.paper.claim import Claim
from isthmus.paper.further.chapter import Chapter, Picture, held_out_error, seconds, settings
from isthmus.paper.images import Images, digit_rows, pixel_deviations
from isthmus.paper.networks import decoder_weights
from isthmus.parts.codes import Deterministic
from isthmus.reports import plots

PLAIN, PENALISED, K_SPARSE, LIFETIME = "sigmoid code, no penalty", "sparse", "k-sparse", "winner take all"
SIDE = 8
"""The filter figure shows SIDE² units per model."""
EXPLANATION = (
    "A sigmoid unit counts as on if it is above ½, any other unit if it is not 0. “Sparse” uses the penalty "
    "KL(ρ ‖ ρ̂ⱼ), which pulls each unit towards being on for 5 % of the images (Ng 2011). “k-sparse” keeps the "
    "k largest units of each image, here {top_k} (Makhzani and Frey 2013). “Winner take all” keeps, for each "
    "unit, the 5 % of the images in a batch to which it responds most (Makhzani and Frey 2015)."
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
    fitted = {name: model.fit(images.train) for name, model in models(images, epochs, seed).items()}
    on = {name: active(name, model.transform(images.test)) for name, model in fitted.items()}
    rows = {
        name: {
            "units": model.latent_,
            "on in an image": float(on[name].sum(1).mean()),
            "never on": int((~on[name].any(axis=0)).sum()),
            "test MSE": held_out_error(model, images),
            "seconds": seconds(model),
        }
        for name, model in fitted.items()
    }
    return Chapter(
        title="Sparse autoencoders and what their units stand for",
        paragraphs=[EXPLANATION.format(top_k=kept_units(images))],
        columns=["", "units", "on in an image", "never on", "test MSE", "seconds"],
        rows=rows,
        pictures=drawn(fitted, on, images),
        claims=[sparsity_is_reached(rows, kept_units(images))],
    )


def drawn(fitted: Mapping[str, AutoEncoder], on: Mapping[str, np.ndarray], images: Images) -> list[Picture]:
    """Draw the decoder's weights of the busiest units, and images reconstructed from their strongest units."""
    grid = {name: busiest(model, on[name], images) for name, model in fitted.items()}
    strongest = by_strongest_units(fitted[K_SPARSE], images, kept_units(images))
    return [
        Picture(
            "sparse-filters",
            plots.png(plots.filter_grid(grid, images.shape, SIDE)),
            f"What the {SIDE**2} units that are on most often add to an image: the decoder's weights, each "
            "multiplied by the standard deviation of its pixel. Red is brighter, blue is darker.",
        ),
        Picture(
            "sparse-parts",
            plots.png(plots.image_rows(strongest, images.shape)),
            "k-sparse: test images reconstructed from their strongest units alone.",
        ),
    ]


def sparsity_is_reached(rows: Mapping[str, Mapping[str, float]], top_k: int) -> Claim:
    """Compare the numbers of active units with the settings."""
    return Claim(
        "The sparse autoencoders reach the sparsity that was set.",
        rows[PENALISED]["on in an image"] < 0.25 * rows[PLAIN]["on in an image"]
        and abs(rows[K_SPARSE]["on in an image"] - top_k) < 0.5,
        f"Without a penalty {rows[PLAIN]['on in an image']:.0f} of {rows[PLAIN]['units']} units are on, and "
        f"with it {rows[PENALISED]['on in an image']:.1f}. In k-sparse "
        f"{rows[K_SPARSE]['on in an image']:.1f} of {rows[K_SPARSE]['units']} are on, in winner take all "
        f"{rows[LIFETIME]['on in an image']:.1f}.",
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
        shown[f"{count} unit{'s' * (count > 1)}"] = images.bright(model.inverse_transform(kept)).clip(0, 1)
    return shown
