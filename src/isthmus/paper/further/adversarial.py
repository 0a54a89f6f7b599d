"""Adversarial autoencoders: codes that take the shape of any prior that can be sampled."""

from collections.abc import Mapping

import numpy as np
import torch

from isthmus import zoo
from isthmus.core.divergences import squared_mmd
from isthmus.estimators import AutoEncoder
from isthmus.paper import picture
from isthmus.paper.claim import Claim, Source, below, every
from isthmus.paper.colours import DIGITS, Whose
from isthmus.paper.findings import fit_models
from isthmus.paper.further.chapter import MSE, SECONDS, Chapter, Column, held_out_error, seconds, settings
from isthmus.paper.images import Images
from isthmus.paper.numbers import decimal
from isthmus.paper.picture import Panel, Picture
from isthmus.reports import plots

COMPARED = 2000
"""Codes and draws that are compared by MMD."""
SAMPLES = 64
PLAIN, GAUSSIAN, MIXTURE = "no prior", "adversarial, N(0, I)", "adversarial, ten Gaussians"
WHOSE: dict[str, Whose] = dict.fromkeys((PLAIN, GAUSSIAN, MIXTURE), "isthmus")
TO_PRIOR, OF_DRAWS = "MMD² to the prior", "MMD² of as many draws"
EXPLANATION = (
    "A discriminator learns to tell codes from draws of a prior, and the encoder learns to make that hard "
    "(Makhzani et al. 2015). Where that succeeds, all codes together take the shape of the prior, which needs no "
    "density, only a sampler. Codes have two numbers. The table shows MMD², the squared maximum mean discrepancy "
    "(inverse multiquadratic kernels), between the codes of test images and draws, and between two sets of draws for "
    "comparison: 0 means that they cannot be told apart, and as the estimate is unbiased it may be a little below 0. "
    "The codes of the plain autoencoder, which chooses its own units, were standardised and compared with N(0, I)."
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
    fitted, findings = fit_models(models(images, epochs, seed), images)
    codes = {name: model.transform(images.test) for name, model in fitted.items()}
    free = codes[PLAIN]
    # An autoencoder without a prior chooses its own units, so only the shape of its codes is compared.
    codes[PLAIN] = (free - free.mean(0)) / free.std(0)
    draws = {name: drawn_from_prior(model, seed) for name, model in fitted.items() if name != PLAIN}
    draws[PLAIN] = draws[GAUSSIAN]
    rows = {
        name: {
            MSE.heading: held_out_error(model, images),
            TO_PRIOR: discrepancy(codes[name], draws[name]),
            OF_DRAWS: discrepancy(draws[name], drawn_from_prior(fitted[of_prior(name)], seed + 1)),
            SECONDS.heading: seconds(model),
        }
        for name, model in fitted.items()
    }
    return Chapter(
        title="The adversarial autoencoder: codes and their prior",
        paragraphs=[EXPLANATION],
        columns=[MSE, Column(TO_PRIOR, 4), Column(OF_DRAWS, 4), SECONDS],
        rows=rows,
        whose=WHOSE,
        pictures=pictures(fitted, codes, draws, images, seed),
        claims=[codes_follow_the_prior(rows)],
        findings=findings,
    )


def codes_follow_the_prior(rows: Mapping[str, Mapping[str, float]]) -> Claim:
    """Compare the discrepancies to the priors with that of the plain autoencoder."""
    plain, gaussian, mixture = (rows[name][TO_PRIOR] for name in (PLAIN, GAUSSIAN, MIXTURE))
    return Claim(
        "Adversarial training brings the codes close to the prior, whatever its shape.",
        Source.ISTHMUS,
        every(below(gaussian, 0.5 * plain), below(mixture, 0.5 * plain)),
        f"MMD² is {decimal(plain, 4)} without a prior, {decimal(gaussian, 4)} against N(0, I) and "
        f"{decimal(mixture, 4)} against the ten Gaussians (less than half of that without a prior counts as close).",
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
    shown = slice(0, COMPARED)
    labels = images.test_labels[shown]
    free = plots.scatter_classes(codes[PLAIN][shown], labels, DIGITS)
    found = [
        Picture(
            "codes-free",
            "Codes of test images without a prior, standardised, coloured by digit.",
            [Panel("", plots.png(free))],
            "plots",
        )
    ]
    for name, file, prior in ((GAUSSIAN, "codes-gaussian", "N(0, I)"), (MIXTURE, "codes-mixture", "ten Gaussians")):
        both = plots.scatter_classes(codes[name][shown], labels, DIGITS, like=draws[name])
        drawn = plots.scatter(draws[name], like=codes[name][shown])
        panels = [Panel(name, plots.png(both), WHOSE[name]), Panel(f"the prior, {prior}", plots.png(drawn))]
        found.append(Picture(file, f"Codes of test images, and draws from the prior, {prior}.", panels, "plots"))
    new = {
        name: images.bright(fitted[name].sample(SAMPLES, random_state=seed, noise=False)).clip(0, 1)
        for name in (GAUSSIAN, MIXTURE)
    }
    caption = "Images decoded from draws of both priors, two numbers each."
    return [*found, picture.mosaics("adversarial-samples", caption, new, images.shape, int(SAMPLES**0.5), WHOSE)]
