"""Adversarial autoencoders: codes in the shape of any prior from which one can draw."""

from typing import Any

import numpy as np
import torch

from isthmus import zoo
from isthmus.core.divergences import squared_mmd
from isthmus.engine import Compute
from isthmus.estimators import AutoEncoder
from isthmus.paper.claims import Claim
from isthmus.paper.further.chapter import Chapter, Picture, half, held_out_error
from isthmus.paper.runs import Images
from isthmus.reports import figures

COMPARED = 2000
SAMPLES = 64
PLAIN, GAUSSIAN, MIXTURE = "no prior", "adversarial, N(0, I)", "adversarial, ten Gaussians"


def models(images: Images, epochs: int, seed: int) -> dict[str, AutoEncoder]:
    """Return two numbers a code: free, drawn to a Gaussian, drawn to a ring of ten."""
    settings: dict[str, Any] = {"epochs": half(epochs), "compute": Compute(threads=1), "random_state": seed}
    settings["hidden"] = (min(256, 2 * images.pixels),)
    return {
        PLAIN: zoo.undercomplete(2, **settings),
        GAUSSIAN: zoo.adversarial(2, **settings),
        MIXTURE: zoo.adversarial(2, prior="mixture", **settings),
    }


def study(images: Images, epochs: int, seed: int) -> Chapter:
    """Train them, compare the codes of test images with draws from the priors."""
    fitted = {name: model.fit(images.train) for name, model in models(images, epochs, seed).items()}
    codes = {name: model.transform(images.test) for name, model in fitted.items()}
    free = codes[PLAIN]
    # An autoencoder without a prior chooses its own units: only the shape of its codes is compared.
    codes[PLAIN] = (free - free.mean(0)) / free.std(0)
    draws = {name: drawn_from_prior(model, seed) for name, model in fitted.items() if name != PLAIN}
    draws[PLAIN] = draws[GAUSSIAN]
    rows = {
        name: {
            "test MSE": held_out_error(model, images),
            "MMD² to the prior": discrepancy(codes[name], draws[name]),
            "MMD² of as many draws": discrepancy(draws[name], drawn_from_prior(fitted[of_prior(name)], seed + 1)),
            "seconds": float(model.history_["seconds"][-1]),
        }
        for name, model in fitted.items()
    }
    return Chapter(
        title="The adversarial autoencoder: codes and their prior",
        paragraphs=[
            "A discriminator learns to tell codes from draws of a prior, and the encoder to make that hard "
            "(Makhzani et al. 2015): all codes together take the shape of the prior, which needs no density, only a "
            "sampler. Two numbers a code; MMD² (inverse multiquadratic kernels, unbiased) between the codes of test "
            "images and draws, and between draws and other draws for comparison. The codes of the plain "
            "autoencoder, which chooses its own units, were standardised and held against N(0, I).",
        ],
        columns=["", "test MSE", "MMD² to the prior", "MMD² of as many draws", "seconds"],
        rows=rows,
        pictures=pictures(fitted, codes, draws, images, seed),
        claims=[
            Claim(
                "Adversarial training brings the codes to the prior, whatever its shape.",
                rows[GAUSSIAN]["MMD² to the prior"] < 0.5 * rows[PLAIN]["MMD² to the prior"]
                and rows[MIXTURE]["MMD² to the prior"] < 0.5 * rows[PLAIN]["MMD² to the prior"],
                f"MMD² is {rows[PLAIN]['MMD² to the prior']:.4f} without a prior, "
                f"{rows[GAUSSIAN]['MMD² to the prior']:.4f} against N(0, I) and "
                f"{rows[MIXTURE]['MMD² to the prior']:.4f} against the ten Gaussians.",
            )
        ],
    )


def of_prior(name: str) -> str:
    """Return the model whose prior a model is compared with."""
    return GAUSSIAN if name == PLAIN else name


def drawn_from_prior(model: AutoEncoder, seed: int) -> np.ndarray:
    """Draw codes from the prior of a model."""
    network: Any = model.network_
    draws = network.prior.sample(COMPARED, 2, torch.Generator().manual_seed(seed), torch.empty(0))
    return np.asarray(draws.numpy())


def discrepancy(a: np.ndarray, b: np.ndarray) -> float:
    """Unbiased squared MMD of two samples."""
    first, second = (torch.from_numpy(np.ascontiguousarray(x[:COMPARED])).double() for x in (a, b))
    return float(squared_mmd("imq", first, second))


def pictures(
    fitted: dict[str, AutoEncoder],
    codes: dict[str, np.ndarray],
    draws: dict[str, np.ndarray],
    images: Images,
    seed: int,
) -> list[Picture]:
    """Draw codes beside draws, and what draws decode to."""
    panels = []
    for name in (GAUSSIAN, MIXTURE):
        panel = figures.scatter_plots({name: codes[name]}, images.test_labels, unlabelled={"its prior": draws[name]})
        panels.append(figures.png(panel))
    new = {
        name: images.bright(fitted[name].sample(SAMPLES, random_state=seed)).clip(0, 1) for name in (GAUSSIAN, MIXTURE)
    }
    plain = figures.scatter_plots({f"{PLAIN} (standardised)": codes[PLAIN]}, images.test_labels)
    return [
        Picture("codes-free", figures.png(plain), "Codes of test images without a prior, coloured by digit."),
        Picture("codes-gaussian", panels[0], "Codes of test images, and draws from the prior N(0, I)."),
        Picture("codes-mixture", panels[1], "Codes of test images, and draws from a ring of ten Gaussians."),
        Picture(
            "adversarial-samples",
            figures.png(figures.mosaics(new, images.shape, int(SAMPLES**0.5))),
            "Draws from both priors, decoded from two numbers each.",
        ),
    ]
