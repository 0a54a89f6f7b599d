"""Sparse codes: what single units stand for when few of them may speak."""

from typing import Any

import numpy as np

from isthmus import zoo
from isthmus.estimators import AutoEncoder
from isthmus.paper.claims import Claim
from isthmus.paper.further.chapter import Chapter, Picture, half, held_out_error
from isthmus.paper.pictures import deviations
from isthmus.paper.runs import Images, digit_rows
from isthmus.parts.codes import Deterministic
from isthmus.reports import figures

PLAIN, PENALISED, K_SPARSE, LIFETIME = "sigmoid code, no penalty", "sparse", "k-sparse", "winner take all"
SIDE = 8


def models(images: Images, epochs: int, seed: int) -> dict[str, AutoEncoder]:
    """Return one layer without a penalty and three that are sparse in different ways."""
    settings: dict[str, Any] = {"epochs": half(epochs), "threads": 1, "random_state": seed}
    few, many = images.pixels // 3, round(images.pixels * 1000 / 784)
    top_k = max(1, many // 40)
    return {
        PLAIN: AutoEncoder(few, (), code=Deterministic("sigmoid"), **settings),
        PENALISED: zoo.sparse(few, **settings),
        K_SPARSE: zoo.k_sparse(many, top_k, **settings),
        LIFETIME: zoo.winner_take_all(many, **settings),
    }


def study(images: Images, epochs: int, seed: int) -> Chapter:
    """Train the four, count who speaks, draw what the units write."""
    fitted = {name: model.fit(images.train) for name, model in models(images, epochs, seed).items()}
    on = {name: active(name, model.transform(images.test)) for name, model in fitted.items()}
    rows = {
        name: {
            "units": model.latent_,
            "on in an image": float(on[name].sum(1).mean()),
            "never on": int((~on[name].any(axis=0)).sum()),
            "test MSE": held_out_error(model, images),
            "seconds": float(model.history_["seconds"][-1]),
        }
        for name, model in fitted.items()
    }
    grid = {name: busiest(model, on[name], images) for name, model in fitted.items()}
    top_k = fitted[K_SPARSE].code.k
    return Chapter(
        title="Sparse autoencoders and what their units stand for",
        paragraphs=[
            "A sigmoid unit is on when it is above ½, any other when it is not 0. “Sparse” asks each unit by "
            "KL(ρ ‖ ρ̂ⱼ) to be on for 5 % of the images (Ng 2011); “k-sparse” keeps exactly the k largest units of an "
            f"image, here {top_k} (Makhzani and Frey 2013); “winner take all” keeps for each unit its strongest 5 % "
            "of the images of a batch (Makhzani and Frey 2015).",
        ],
        columns=["", "units", "on in an image", "never on", "test MSE", "seconds"],
        rows=rows,
        pictures=[
            Picture(
                "sparse-filters",
                figures.png(figures.filter_grid(grid, images.shape, SIDE)),
                f"What the {SIDE**2} units that are on most often add to an image: the decoder's weights, each "
                "times the standard deviation of its pixel, red brighter, blue darker.",
            ),
            Picture(
                "sparse-parts",
                figures.png(figures.image_rows(parts(fitted[K_SPARSE], images, top_k), images.shape)),
                "k-sparse: test images put together from their strongest units alone.",
            ),
        ],
        claims=[
            Claim(
                "Sparsity is reached, not only asked for.",
                rows[PENALISED]["on in an image"] < 0.25 * rows[PLAIN]["on in an image"]
                and abs(rows[K_SPARSE]["on in an image"] - top_k) < 0.5,
                f"Without a penalty {rows[PLAIN]['on in an image']:.0f} of {rows[PLAIN]['units']} units are on, "
                f"with it {rows[PENALISED]['on in an image']:.1f}; k-sparse has "
                f"{rows[K_SPARSE]['on in an image']:.1f} of {rows[K_SPARSE]['units']}, winner take all "
                f"{rows[LIFETIME]['on in an image']:.1f}.",
            )
        ],
    )


def active(name: str, codes: np.ndarray) -> np.ndarray:
    """Which units are on for each image, (n, K)."""
    found: np.ndarray = codes > 0.5 if name in (PLAIN, PENALISED) else codes != 0
    return found


def busiest(model: AutoEncoder, on: np.ndarray, images: Images) -> np.ndarray:
    """Return the decoder's weights (SIDE², F) of the units that are on most often."""
    network: Any = model.network_
    weights: np.ndarray = network.decoder.weights[-1].detach().numpy().T
    chosen = weights[np.argsort(-on.mean(0), kind="stable")[: SIDE**2]]
    return chosen * deviations(images)


def parts(model: AutoEncoder, images: Images, top_k: int) -> dict[str, np.ndarray]:
    """Rebuild test digits from their 1, 3, ... and finally all k strongest units."""
    chosen = images.test[digit_rows(images)]
    codes = model.transform(chosen)
    order = np.argsort(-np.abs(codes), axis=1)
    shown = {"original": images.bright(chosen)}
    for count in sorted({max(1, top_k * share // 25) for share in (1, 3, 6, 12, 25)}):
        kept = np.zeros_like(codes)
        np.put_along_axis(kept, order[:, :count], np.take_along_axis(codes, order[:, :count], 1), 1)
        shown[f"{count} unit{'s' * (count > 1)}"] = images.bright(model.inverse_transform(kept)).clip(0, 1)
    return shown
