"""The figures of the reproduction: the paper's Figures 2 to 6, and what is measured beside them."""

from collections.abc import Mapping
from typing import NamedTuple

from isthmus.paper import picture, plane
from isthmus.paper.claims import PRINTED_LOSSES
from isthmus.paper.colours import COLOURS, Whose
from isthmus.paper.images import CLASSES, Images, digit_rows, pixel_deviations
from isthmus.paper.numbers import counted, error
from isthmus.paper.options import is_whole_mnist
from isthmus.paper.picture import Panel, Picture
from isthmus.paper.plane import PlanePicture
from isthmus.paper.results import Result, bottleneck_results, wide_result
from isthmus.reports import plots
from isthmus.reports.plots import Line

TEST_ERROR = "test error per pixel (MSE)"
EXAMPLES = 12
"""Test images per digit in the figure of the data."""
PAPER_FIGURES = {
    3: ("paper-sigmoid-mse", "Sigmoid output, mean squared error."),
    4: ("paper-relu-mse", "ReLU output, mean squared error."),
    5: ("paper-sigmoid-bce", "Sigmoid output, binary cross-entropy."),
    6: (
        "paper-8-4",
        "The 8-4 network, sigmoid output. The notebook trains it with binary cross-entropy; the text says mean squared "
        "error.",
    ),
}
"""The run and the caption of each of the paper's figures of test images."""
STYLES: dict[str, tuple[Whose, str, str]] = {
    "paper's recipe, sigmoid + MSE": ("paper", "-", "o"),
    "paper's recipe, ReLU + MSE": ("paper", "--", "s"),
    "paper's recipe, sigmoid + BCE": ("paper", ":", "^"),
    "paper's recipe, 8-4": ("paper", "-", "o"),
    "isthmus": ("isthmus", "-", "o"),
    "isthmus, 8-4": ("isthmus", "--", "s"),
    "PCA": ("pca", "-", "o"),
    "printed in the notebook": ("", ":", "x"),
}
"""Whose each line of the plots is, which gives its colour, and its dashes and marks."""


class Size(NamedTuple):
    """The reconstructions from a code of one size."""

    numbers: str
    errors: str
    picture: Picture


def paper_figures(results: Mapping[str, Result], images: Images) -> dict[int, Picture]:
    """Draw the paper's Figures 2 to 6, by number."""
    shown = images.bright(images.test[digit_rows(images)])
    layers = {"Figures 3 to 5": "paper-sigmoid-mse", "Figure 6": "paper-8-4"}
    diagram = [Panel(title, plots.png(plots.layer_diagram(results[run].widths))) for title, run in layers.items()]
    found = {
        2: Picture(
            "figure-2",
            "The undercomplete autoencoder: layers narrow towards the code (hatched) and widen again. The height of a "
            "bar is the square root of its number of units.",
            diagram,
            "plots",
        )
    }
    for number, (run, caption) in PAPER_FIGURES.items():
        lines = {"original": shown, "reconstruction": results[run].shown}
        found[number] = picture.rows(f"figure-{number}", caption, lines, images.shape, {"reconstruction": "paper"})
    return found


def own_figures(results: Mapping[str, Result], images: Images) -> dict[str, Picture]:
    """Draw the figures that the paper does not have, by name."""
    wide = wide_result(results)
    drawn = [
        data_figure(images),
        error_by_epoch(results, wide),
        error_by_epoch_small(results),
        done_well(results, wide, images),
        bottleneck(results, wide),
        training_curves(results, wide, images),
        first_filters(results, wide, images),
    ]
    return {one.name: one for one in drawn}


def planes(results: Mapping[str, Result], images: Images) -> list[PlanePicture]:
    """Draw the planes of codes of two numbers, of the network and of PCA."""
    drawn = []
    runs: list[tuple[str, str, Whose]] = [("bottleneck-2", "isthmus", "isthmus"), ("bottleneck-pca-2", "PCA", "pca")]
    for run, name, whose in runs:
        if run in results:
            found = results[run].plane
            assert found is not None, "a code of two numbers has a plane"
            caption = f"{name} with a code of two numbers: test images, coloured by digit. {plane.STRETCHED}"
            drawn.append(plane.drawn(f"codes-{whose}", caption, found, images.test_labels, images.shape, whose))
    return drawn


def sizes(results: Mapping[str, Result], images: Images) -> list[Size]:
    """Draw the reconstructions of one test image per digit from each size of the code."""
    drawn = []
    for ours in bottleneck_results(results):
        k = ours.run.latent
        pca = results[f"bottleneck-pca-{k}"]
        lines = {"isthmus": ours.shown, "PCA": pca.shown}
        shown = picture.rows(f"size-{k}", "", lines, images.shape, {"isthmus": "isthmus", "PCA": "pca"})
        errors = f"test error {error(ours.quality.mse)} (isthmus), {error(pca.quality.mse)} (PCA)"
        drawn.append(Size(counted(k, "number"), errors, shown))
    return drawn


def line(label: str, xs: list[int], ys: list[float]) -> Line:
    """Return a line in the colour of whose it is."""
    whose, dash, marker = STYLES[label]
    return Line(xs, ys, COLOURS[whose], dash, marker)


def by_epoch(label: str, result: Result) -> Line:
    """Return the test error by epoch, from epoch 0, which is before training."""
    return line(label, list(range(len(result.test_mse_by_epoch))), result.test_mse_by_epoch)


def data_figure(images: Images) -> Picture:
    """Draw some test images of each digit."""
    lines = {f"{digit}": images.bright(images.test[images.test_labels == digit][:EXAMPLES]) for digit in range(CLASSES)}
    return picture.rows("data", f"Test images: the first {EXAMPLES} of each digit.", lines, images.shape)


def done_well(results: Mapping[str, Result], wide: Result, images: Images) -> Picture:
    """Draw original images over the reconstructions by the paper's networks, PCA and ours, at both sizes."""
    k = wide.run.latent
    runs: dict[str, tuple[str, Whose]] = {
        f"paper, {k} numbers": ("paper-sigmoid-mse", "paper"),
        f"PCA, {k} numbers": (f"pca-{k}", "pca"),
        f"isthmus, {k} numbers": (f"isthmus-{k}", "isthmus"),
        "paper, 4 numbers": ("paper-8-4", "paper"),
        "PCA, 4 numbers": ("pca-4", "pca"),
        "isthmus, 4 numbers": ("isthmus-4", "isthmus"),
    }
    lines = {"original": images.bright(images.test[digit_rows(images)])}
    lines |= {label: results[run].shown for label, (run, _) in runs.items()}
    caption = "One test image per digit, above its reconstructions by the paper's recipe, by PCA and by isthmus."
    return picture.rows("done-well", caption, lines, images.shape, {label: whose for label, (_, whose) in runs.items()})


def error_by_epoch(results: Mapping[str, Result], wide: Result) -> Picture:
    """Draw the test error by epoch of the paper's networks and ours at the larger size."""
    runs = {
        "paper's recipe, ReLU + MSE": results["paper-relu-mse"],
        "paper's recipe, sigmoid + MSE": results["paper-sigmoid-mse"],
        "paper's recipe, sigmoid + BCE": results["paper-sigmoid-bce"],
        "isthmus": wide,
    }
    caption = f"Test error by epoch, {'-'.join(map(str, wide.widths))}. Epoch 0 is before training."
    return error_curves("error-by-epoch", caption, runs, results[f"pca-{wide.run.latent}"])


def error_by_epoch_small(results: Mapping[str, Result]) -> Picture:
    """Draw the test error by epoch of the paper's network and ours at the smaller size."""
    runs = {"paper's recipe, 8-4": results["paper-8-4"], "isthmus, 8-4": results["isthmus-4"]}
    caption = f"Test error by epoch, {'-'.join(map(str, results['paper-8-4'].widths))}."
    return error_curves("error-by-epoch-8-4", caption, runs, results["pca-4"])


def error_curves(name: str, caption: str, runs: Mapping[str, Result], pca: Result) -> Picture:
    """Draw test errors by epoch, with PCA's as a level."""
    lines = {label: by_epoch(label, result) for label, result in runs.items()}
    levels = {f"PCA-{pca.run.latent}": (pca.quality.mse, COLOURS["pca"])}
    return plotted(name, caption, plots.png(plots.curves(lines, x="epoch", y=TEST_ERROR, levels=levels)))


def bottleneck(results: Mapping[str, Result], wide: Result) -> Picture:
    """Draw the test error of our networks and of PCA over the size of the code."""
    lines = {}
    for label, prefix in (("PCA", "bottleneck-pca-"), ("isthmus", "bottleneck-")):
        found = bottleneck_results(results, prefix)
        lines[label] = line(label, [r.run.latent for r in found], [r.quality.mse for r in found])
    caption = (
        "Test error by code size. The hidden layers of the networks have twice as many units as the code, and at least "
        f"{wide.run.hidden}."
    )
    drawn = plots.curves(lines, x="numbers in the code", y=TEST_ERROR, log_x=True)
    return plotted("bottleneck", caption, plots.png(drawn))


def training_curves(results: Mapping[str, Result], wide: Result, images: Images) -> Picture:
    """Draw the training losses that are squared errors; on the paper's data, those printed in the notebook, too."""
    runs = {
        "paper's recipe, sigmoid + MSE": results["paper-sigmoid-mse"],
        "paper's recipe, ReLU + MSE": results["paper-relu-mse"],
        "isthmus": wide,
        "isthmus, 8-4": results["isthmus-4"],
    }
    losses = {label: result.train_loss for label, result in runs.items()}
    caption = "Training loss by epoch: squared error per pixel."
    if is_whole_mnist(images):
        losses["printed in the notebook"] = PRINTED_LOSSES[: max(map(len, losses.values()))]
        caption = f"{caption} The losses in the notebook are those of sigmoid + MSE."
    lines = {label: line(label, list(range(1, len(ys) + 1)), ys) for label, ys in losses.items()}
    drawn = plots.curves(lines, x="epoch", y="training loss per pixel (MSE)")
    return plotted("training-curves", caption, plots.png(drawn))


def first_filters(results: Mapping[str, Result], wide: Result, images: Images) -> Picture:
    """Draw the weights of the first layer of the paper's network and of ours."""
    deviations = pixel_deviations(images)
    weights = {
        "paper's recipe, sigmoid + MSE": results["paper-sigmoid-mse"].filters * deviations,
        "isthmus": wide.filters * deviations,
    }
    caption = (
        "What the units of the first layer look for: their weights as images, each weight multiplied by the standard "
        "deviation of its pixel. Where a unit is light, bright pixels excite it; where it is dark, they inhibit it; "
        "grey is indifferent."
    )
    if wide.init.startswith("pca"):
        caption += " The weights of isthmus started as principal components and their negatives."
    whose: dict[str, Whose] = {"paper's recipe, sigmoid + MSE": "paper", "isthmus": "isthmus"}
    side = 8 if len(wide.filters) >= 64 else 4
    return picture.filters("filters", caption, weights, images.shape, whose, side)


def plotted(name: str, caption: str, png: bytes) -> Picture:
    """Return a figure of one plot."""
    return Picture(name, caption, [Panel("", png)], "plots")
