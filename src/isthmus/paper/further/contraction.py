"""An overcomplete autoencoder with and without contraction, and how its code answers to small changes of the image."""

import warnings
from collections.abc import Mapping

import numpy as np
import torch

from isthmus import zoo
from isthmus.core import jacobian
from isthmus.estimators import AutoEncoder
from isthmus.paper.claim import Claim
from isthmus.paper.further.chapter import (
    Chapter,
    Picture,
    half,
    held_out_error,
    paper_recipe,
    reconstructed,
    seconds,
    settings,
    training_error,
)
from isthmus.paper.images import Images, digit_rows, pixel_deviations
from isthmus.paper.networks import encoder_weights
from isthmus.parts.codes import Deterministic
from isthmus.parts.contraction import Contractive
from isthmus.reports import plots

WIDE = 800
"""Hidden units for images of 784 pixels."""
COEFFICIENT = 1e-4
"""The weight of the contraction in the notebook, whose loss is a mean over the pixels."""
NOISE = 0.1
"""Standard deviation of the noise that moves the codes."""
JACOBIANS = 32
"""Number of test images whose Jacobians are decomposed."""
PLAIN, NOTEBOOK, TIED = "overcomplete", "the notebook's contraction", "tied and contractive (isthmus)"


def models(images: Images, epochs: int, seed: int) -> dict[str, AutoEncoder]:
    """Return 784-800-784 networks without contraction, with the notebook's contraction, and our contractive preset."""
    units = round(images.pixels * WIDE / 784)
    code = Deterministic("sigmoid")
    # Our objective is a sum over the pixels; the notebook's is a mean.
    penalty = Contractive(COEFFICIENT * images.pixels)
    return {
        PLAIN: paper_recipe(images, half(epochs), seed, latent=units, hidden=(), code=code),
        NOTEBOOK: paper_recipe(images, half(epochs), seed, latent=units, hidden=(), code=code, penalty=penalty),
        TIED: zoo.contractive(units, **settings(epochs, seed)),
    }


def singular_values(model: AutoEncoder, images: Images) -> np.ndarray:
    """Return the singular values of ∂z/∂x at some test images, in decreasing order, (n, min(K, F))."""
    x = torch.from_numpy(images.bright(images.test[:JACOBIANS]))
    with torch.no_grad():
        z, weight = model.network_.encode(x).mean, encoder_weights(model)
        # J = diag(z(1 - z)) W for a layer of sigmoids.
        spectra = [torch.linalg.svdvals((code * (1 - code))[:, None] * weight) for code in z]
    return torch.stack(spectra).numpy()


def jacobian_norm(model: AutoEncoder, images: Images) -> float:
    """Return the mean of ‖∂z/∂x‖² over the test images, by the closed form for one sigmoid layer."""
    z = torch.from_numpy(model.transform(images.test))
    return float(jacobian.one_layer(z * (1 - z), encoder_weights(model)).mean())


def moved_by_noise(model: AutoEncoder, images: Images, seed: int) -> float:
    """Return the squared distance that noise moves the codes, in % of the variance of the codes over the images."""
    rows = images.bright(images.test)
    noise = np.random.default_rng(seed).standard_normal(rows.shape, dtype=np.float32)
    still, moved = (model.transform(x * np.float32(images.white)) for x in (rows, rows + np.float32(NOISE) * noise))
    return float(100 * np.square(moved - still).sum(1).mean() / still.var(axis=0).sum())


def study(images: Images, epochs: int, seed: int) -> Chapter:
    """Train the three models and measure how their codes answer to small changes."""
    with warnings.catch_warnings():
        # The warning says that the plain overcomplete network can copy, which this chapter shows.
        warnings.filterwarnings("ignore", "latent=.* is not smaller than", UserWarning)
        fitted = {name: model.fit(images.train) for name, model in models(images, epochs, seed).items()}
    spectra = {name: singular_values(model, images) for name, model in fitted.items()}
    rows = {}
    for name, model in fitted.items():
        rows[name] = {
            "test MSE": held_out_error(model, images),
            "‖∂z/∂x‖²": jacobian_norm(model, images),
            "code moved by noise, %": moved_by_noise(model, images, seed),
            "seconds": seconds(model),
        }
        if name != TIED:
            rows[name]["training MSE"] = training_error(model, images)
    return Chapter(
        title="Overcomplete, with and without contraction",
        paragraphs=[
            f"A {images.pixels}-{fitted[PLAIN].latent}-{images.pixels} network with a sigmoid code and output, trained "
            f"by the paper's recipe over {half(epochs)} epochs. It has more units than pixels, so only the penalty "
            "prevents it from copying. Contraction adds λ‖∂z/∂x‖², the squared Frobenius norm of the encoder's "
            f"Jacobian (Rifai et al. 2011), with the notebook's λ = {COEFFICIENT:g} next to a mean over the pixels. "
            "The notebook's code multiplies the wrong axes of the Jacobian; here it is the formula of its text, "
            "Σⱼ (zⱼ(1 - zⱼ))² Σᵢ Wⱼᵢ². The notebook prints training losses of 0.00056 (after further training) "
            "without contraction and 0.0018 with it.",
            "The norm alone can be made small by a small code and large decoder weights. The table therefore also "
            f"shows how far noise of σ = {NOISE:g} moves the code, compared with the distance between codes of "
            "different images. The preset of the library ties the decoder to the encoder, which closes this loophole.",
        ],
        columns=["", "training MSE", "test MSE", "‖∂z/∂x‖²", "code moved by noise, %", "seconds"],
        rows=rows,
        pictures=drawn(fitted, spectra, images),
        claims=verdicts(rows),
    )


def drawn(fitted: Mapping[str, AutoEncoder], spectra: Mapping[str, np.ndarray], images: Images) -> list[Picture]:
    """Draw reconstructions, filters, and the singular values of the Jacobians."""
    chosen = digit_rows(images)
    shown = {"original": images.bright(images.test[chosen])}
    shown |= {name: reconstructed(model, images.test[chosen], images) for name, model in fitted.items()}
    weights = {name: filters(model, images) for name, model in fitted.items()}
    count = min(100, min(values.shape[1] for values in spectra.values()))
    lines = {name: (list(range(1, count + 1)), list(v.mean(0)[:count])) for name, v in spectra.items()}
    return [
        Picture("overcomplete", plots.png(plots.image_rows(shown, images.shape)), "Test images and reconstructions."),
        Picture(
            "overcomplete-filters",
            plots.png(plots.filter_grid(weights, images.shape)),
            "The encoder's weights of the first 64 units, each multiplied by the standard deviation of its pixel.",
        ),
        Picture(
            "jacobian",
            plots.png(plots.curves(lines, x="singular value", y="size, mean over test images", markers=False)),
            "Singular values of the encoder's Jacobian: how strongly the code follows changes in each direction, "
            "strongest first.",
        ),
    ]


def filters(model: AutoEncoder, images: Images) -> np.ndarray:
    """Return the weights of the first layer, each multiplied by the standard deviation of its pixel, (units, F)."""
    weights: np.ndarray = encoder_weights(model).numpy()
    return weights * pixel_deviations(images)


def verdicts(rows: Mapping[str, Mapping[str, float]]) -> list[Claim]:
    """Return the claims with the measurements in the table."""
    plain, notebook, tied = (rows[name] for name in (PLAIN, NOTEBOOK, TIED))
    norm, moved = "‖∂z/∂x‖²", "code moved by noise, %"
    return [
        Claim(
            "An overcomplete autoencoder can copy.",
            plain["test MSE"] < 0.002,
            f"Its test error is {plain['test MSE']:.5f}: almost nothing is lost, and so nothing is summarised.",
        ),
        Claim(
            "Contraction makes the code less sensitive to small changes.",
            notebook[norm] < plain[norm] and tied[moved] < plain[moved],
            f"‖∂z/∂x‖² falls from {plain[norm]:.3g} to {notebook[norm]:.3g} ({tied[norm]:.3g} with tied weights). "
            f"Noise moves the plain code by {plain[moved]:.1f} % of the distance between codes, the notebook's "
            f"contractive one by {notebook[moved]:.1f} %, the tied one by {tied[moved]:.1f} %.",
        ),
    ]
