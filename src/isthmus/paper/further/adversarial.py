"""Adversarial autoencoders: codes that take the shape of any prior that can be sampled."""

from collections.abc import Mapping

import numpy as np
import torch

from isthmus import zoo
from isthmus.core.divergences import squared_mmd
from isthmus.estimators import AutoEncoder
from isthmus.paper.claim import Claim
from isthmus.paper.further.chapter import Chapter, Picture, held_out_error, seconds, settings
from isthmus.paper.images import Images
from isthmus.reports import plots

COMPARED = 2000
"""Codes and draws that are compared by MMD."""
SAMPLES = 64
PLAIN, GAUSSIAN, MIXTURE = "no prior", "adversarial, N(0, I)", "adversarial, ten Gaussians"
EXPLANATION = (
    "A discriminator learns to tell codes from draws of a prior, and the encoder learns to make that hard "
    "(Makhzani et al. 2015). All codes together then take the shape of the prior, which needs no density, "
    "only a sampler. Codes have two numbers. The table shows MMD² (inverse multiquadratic kernels, unbiased) "
    "between the codes of test images and draws, and between two sets of draws for comparison. The codes of "
    "the plain autoencoder, which chooses its own units, were standardised and compared with N(0, I)."
)


def models(images: Images, epochs: int, seed: int) -> dict[str, AutoEncoder]:
    """Return networks with codes of two numbers: without a prior, with a Gaussian, and with a ring of ten Gaussians."""
    hidden, shared = (min(256, 2 * images.pixels),), settings(epochs, seed)
    return {
        PLAIN: zoo.undercomplete(2, hidden=hidden, **shared),
        GAUSSIAN: zoo.adversarial(2, hidden=hidden, **shared),
        MIXTURE: zoo.adversarial(2, prior="mixture", hidden=hidden, **shared),
    }


def study(images: Images, epochs: int, seed: int) -> Chapter:
    """Train the models and compare the codes of test images with draws from the priors."""
    fitted = {name: model.fit(images.train) for name, model in models(images, epochs, seed).items()}
    codes = {name: model.transform(images.test) for name, model in fitted.items()}
    free = codes[PLAIN]
    # An autoencoder without a prior chooses its own units, so only the shape of its codes is compared.
    codes[PLAIN] = (free - free.mean(0)) / free.std(0)
    draws = {name: drawn_from_prior(model, seed) for name, model in fitted.items() if name != PLAIN}
    draws[PLAIN] = draws[GAUSSIAN]
    rows = {
        name: {
            "test MSE": held_out_error(model, images),
            "MMD² to the prior": discrepancy(codes[name], draws[name]),
            "MMD² of as many draws": discrepancy(draws[name], drawn_from_prior(fitted[of_prior(name)], seed + 1)),
            "seconds": seconds(model),
        }
        for name, model in fitted.items()
    }
    return Chapter(
        title="The adversarial autoencoder: codes and their prior",
        paragraphs=[EXPLANATION],
        columns=["", "test MSE", "MMD² to the prior", "MMD² of as many draws", "seconds"],
        rows=rows,
        pictures=pictures(fitted, codes, draws, images, seed),
        claims=[codes_follow_the_prior(rows)],
    )


def codes_follow_the_prior(rows: Mapping[str, Mapping[str, float]]) -> Claim:
    """Compare the discrepancies to the priors with that of the plain autoencoder."""
    plain, gaussian, mixture = (rows[name]["MMD² to the prior"] for name in (PLAIN, GAUSSIAN, MIXTURE))
    return Claim(
        "Adversarial training brings the codes close to the prior, whatever its shape.",
        gaussian < 0.5 * plain and mixture < 0.5 * plain,
        f"MMD² is {plain:.4f} without a prior, {gaussian:.4f} against N(0, I) and {mixture:.4f} against the ten "
        "Gaussians.",
    )


def of_prior(name: str) -> str:
    """Return the name of the model whose prior the codes of a model are compared with."""
    return GAUSSIAN if name == PLAIN else name


def drawn_from_prior(model: AutoEncoder, seed: int) -> np.ndarray:
    """Return draws from the prior of a model, (COMPARED, 2)."""
    prior = model.network_.prior
    assert prior is not None
    draws = prior.sample(COMPARED, 2, torch.Generator().manual_seed(seed), torch.empty(0))
    return np.asarray(draws.numpy())


def discrepancy(a: np.ndarray, b: np.ndarray) -> float:
    """Return the unbiased squared MMD of two samples (n, K)."""
    first, second = (torch.from_numpy(np.ascontiguousarray(x[:COMPARED])).double() for x in (a, b))
    return float(squared_mmd("imq", first, second))


def pictures(
    fitted: Mapping[str, AutoEncoder],
    codes: Mapping[str, np.ndarray],
    draws: Mapping[str, np.ndarray],
    images: Images,
    seed: int,
) -> list[Picture]:
    """Draw codes next to draws from the prior, and the images that draws decode to."""
    panels = []
    for name in (GAUSSIAN, MIXTURE):
        panel = plots.scatter_plots({name: codes[name]}, images.test_labels, unlabelled={"its prior": draws[name]})
        panels.append(plots.png(panel))
    new = {
        name: images.bright(fitted[name].sample(SAMPLES, random_state=seed, noise=False)).clip(0, 1)
        for name in (GAUSSIAN, MIXTURE)
    }
    plain = plots.scatter_plots({f"{PLAIN} (standardised)": codes[PLAIN]}, images.test_labels)
    return [
        Picture("codes-free", plots.png(plain), "Codes of test images without a prior, coloured by digit."),
        Picture("codes-gaussian", panels[0], "Codes of test images, and draws from the prior N(0, I)."),
        Picture("codes-mixture", panels[1], "Codes of test images, and draws from a ring of ten Gaussians."),
        Picture(
            "adversarial-samples",
            plots.png(plots.mosaics(new, images.shape, int(SAMPLES**0.5))),
            "Images decoded from draws of both priors, two numbers each.",
        ),
    ]
