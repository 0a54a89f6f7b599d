"""An overcomplete autoencoder with and without contraction, and how its code answers to small changes of the image."""

from collections.abc import Mapping

import numpy as np
import torch

from isthmus import zoo
from isthmus.core import jacobian
from isthmus.estimators import AutoEncoder
from isthmus.paper import numbers, picture
from isthmus.paper.claim import Claim, Source, below, every
from isthmus.paper.colours import COLOURS, Whose
from isthmus.paper.findings import fit_models
from isthmus.paper.further.chapter import (
    MSE,
    SECONDS,
    Chapter,
    Column,
    half,
    paper_recipe,
    reconstructed,
    seconds,
    settings,
    training_error,
)
from isthmus.paper.images import Images, digit_rows, pixel_deviations
from isthmus.paper.networks import encoder_weights
from isthmus.paper.numbers import counted, error, percent
from isthmus.paper.picture import Panel, Picture
from isthmus.parts.codes import Deterministic
from isthmus.parts.contraction import Contractive
from isthmus.reports import plots
from isthmus.reports.metrics import image_quality
from isthmus.reports.plots import Line

WIDE = 800
"""Hidden units for images of 784 pixels."""
COEFFICIENT = 1e-4
"""The weight of the contraction in the notebook, whose loss is a mean over the pixels."""
NOISE = 0.1
"""Standard deviation of the noise that moves the codes."""
JACOBIANS = 32
"""Number of test images whose Jacobians are decomposed."""
PLAIN, NOTEBOOK, TIED = "overcomplete", "the notebook's contraction", "tied and contractive (isthmus)"
WHOSE: dict[str, Whose] = {PLAIN: "paper", NOTEBOOK: "paper", TIED: "isthmus"}
DASHES = {PLAIN: "-", NOTEBOOK: "--", TIED: "-"}
LOST, NORM, MOVED = "error, % of the variance", "‖∂z/∂x‖²", "code moved by noise, %"
TRAINING = "training MSE"


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
    fitted, findings = fit_models(models(images, epochs, seed), images)
    spectra = {name: singular_values(model, images) for name, model in fitted.items()}
    rows = {}
    for name, model in fitted.items():
        quality = image_quality(images.bright(images.test), reconstructed(model, images.test, images))
        rows[name] = {
            MSE.heading: quality.mse,
            LOST: 100 * (1 - quality.explained_variance),
            NORM: jacobian_norm(model, images),
            MOVED: moved_by_noise(model, images, seed),
            SECONDS.heading: seconds(model),
        }
        if name != TIED:
            rows[name][TRAINING] = training_error(model, images)
    return Chapter(
        title="Overcomplete, with and without contraction",
        paragraphs=[
            f"A {images.pixels}-{fitted[PLAIN].latent}-{images.pixels} network with a sigmoid code and output, trained "
            f"by the paper's recipe over {counted(half(epochs), 'epoch')}. It has more units than pixels: nothing but "
            "a penalty stands in the way of copying. Contraction adds λ‖∂z/∂x‖², the squared Frobenius norm of the "
            f"encoder's Jacobian (Rifai et al. 2011), with the notebook's λ = {COEFFICIENT:g} next to a mean over the "
            "pixels. The notebook's code multiplies the wrong axes of the Jacobian; here it is the formula of its "
            "text, Σⱼ (zⱼ(1 − zⱼ))² Σᵢ Wⱼᵢ². The notebook prints training losses of 0.00056 (after further training) "
            "without contraction and 0.0018 with it.",
            "The norm alone can be made small by a small code and large decoder weights. The table therefore also "
            f"shows how far noise of σ = {NOISE:g} moves the code, compared with the distance between codes of "
            "different images. The preset of the library ties the decoder to the encoder, which closes this loophole.",
        ],
        columns=[
            Column(TRAINING, numbers.ERROR),
            MSE,
            Column(LOST, numbers.PERCENT),
            Column(NORM, 2),
            Column(MOVED, numbers.PERCENT),
            SECONDS,
        ],
        rows=rows,
        whose=WHOSE,
        pictures=drawn(fitted, spectra, images),
        claims=verdicts(rows),
        findings=findings,
    )


def drawn(fitted: Mapping[str, AutoEncoder], spectra: Mapping[str, np.ndarray], images: Images) -> list[Picture]:
    """Draw reconstructions, filters, and the singular values of the Jacobians."""
    chosen = digit_rows(images)
    shown = {"original": images.bright(images.test[chosen])}
    shown |= {name: reconstructed(model, images.test[chosen], images) for name, model in fitted.items()}
    weights = {name: filters(model, images) for name, model in fitted.items()}
    count = min(100, min(values.shape[1] for values in spectra.values()))
    lines = {
        name: Line(range(1, count + 1), values.mean(0)[:count].tolist(), COLOURS[WHOSE[name]], DASHES[name], "")
        for name, values in spectra.items()
    }
    jacobians = plots.curves(lines, x="singular value", y="size, mean over test images")
    return [
        picture.rows("overcomplete", "Test images and reconstructions.", shown, images.shape, WHOSE),
        picture.filters(
            "overcomplete-filters",
            "The encoder's weights of the first 64 units, each multiplied by the standard deviation of its pixel: "
            "light is above 0, dark below, grey is 0.",
            weights,
            images.shape,
            WHOSE,
        ),
        Picture(
            "jacobian",
            "Singular values of the encoder's Jacobian: how strongly the code follows changes in each direction, "
            "strongest first.",
            [Panel("", plots.png(jacobians))],
            "plots",
        ),
    ]


def filters(model: AutoEncoder, images: Images) -> np.ndarray:
    """Return the weights of the first layer, each multiplied by the standard deviation of its pixel, (units, F)."""
    weights: np.ndarray = encoder_weights(model).numpy()
    return weights * pixel_deviations(images)


def verdicts(rows: Mapping[str, Mapping[str, float]]) -> list[Claim]:
    """Return the claims with the measurements in the table."""
    plain, notebook, tied = (rows[name] for name in (PLAIN, NOTEBOOK, TIED))
    copies = below(plain[LOST], 3)
    nothing = " Almost nothing is lost, and so nothing is summarised." if copies else ""
    return [
        Claim(
            "An overcomplete autoencoder can copy.",
            Source.NOTEBOOK,
            copies,
            f"Its test error is {error(plain[MSE.heading])}, {percent(plain[LOST] / 100)} of the variance "
            f"(less than 3 % counts as copying).{nothing}",
        ),
        Claim(
            "Contraction makes the code less sensitive to small changes.",
            Source.NOTEBOOK,
            every(below(notebook[NORM], plain[NORM]), below(tied[MOVED], plain[MOVED])),
            f"‖∂z/∂x‖² is {plain[NORM]:.2f} without contraction, {notebook[NORM]:.2f} with the notebook's and "
            f"{tied[NORM]:.2f} with tied weights. Noise moves the code without contraction by "
            f"{percent(plain[MOVED] / 100)} of the distance between codes, the notebook's by "
            f"{percent(notebook[MOVED] / 100)}, the tied one by {percent(tied[MOVED] / 100)}.",
        ),
    ]
