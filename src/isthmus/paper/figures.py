"""The figures of the reproduction: the paper's Figures 2 to 6, and what is measured beside them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from isthmus.paper.claims import PRINTED_LOSSES
from isthmus.paper.images import Images, digit_rows, pixel_deviations
from isthmus.paper.results import Result, bottleneck_results, wide_result
from isthmus.reports import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEST_ERROR = "test error per pixel (MSE)"

PAPER_FIGURES = {
    "figure-3": "paper-sigmoid-mse",
    "figure-4": "paper-relu-mse",
    "figure-5": "paper-sigmoid-bce",
    "figure-6": "paper-8-4",
}


def figures(results: Mapping[str, Result], images: Images) -> dict[str, bytes]:
    """Draw every figure and return the PNG files by name; `results` holds one result per run name."""
    shown = images.bright(images.test[digit_rows(images)])
    wide, deviations = wide_result(results), pixel_deviations(images)
    drawn = {
        "figure-2": plots.layer_diagram(
            {"Figures 3 to 5": results["paper-sigmoid-mse"].widths, "Figure 6": results["paper-8-4"].widths}
        ),
        "data": data_figure(images),
        **{
            name: plots.image_rows({"original": shown, "reconstruction": results[run].shown}, images.shape)
            for name, run in PAPER_FIGURES.items()
        },
        "done-well": done_well(results, wide, shown, images.shape),
        "error-by-epoch": error_by_epoch(results, wide),
        "error-by-epoch-8-4": plots.curves(
            {
                "paper's recipe, 8-4": epochs_of(results["paper-8-4"]),
                "isthmus, 8-4": epochs_of(results["isthmus-4"]),
            },
            x="epoch",
            y=TEST_ERROR,
            levels={"PCA-4": results["pca-4"].quality.mse},
        ),
        "bottleneck": bottleneck(results),
        "training-curves": training_curves(results, wide),
        "filters": plots.filter_grid(
            {
                "paper's recipe, sigmoid + MSE": results["paper-sigmoid-mse"].filters * deviations,
                "isthmus": wide.filters * deviations,
            },
            images.shape,
            side=8 if len(wide.filters) >= 64 else 4,
        ),
    }
    if "bottleneck-2" in results:
        drawn["codes"] = plots.scatter_plots(
            {
                "autoencoder, two numbers": results["bottleneck-2"].codes,
                "PCA, two numbers": results["bottleneck-pca-2"].codes,
            },
            images.test_labels,
        )
    return {name: plots.png(figure) for name, figure in drawn.items()}


def data_figure(images: Images) -> "Figure":
    """Draw ten test images of each of five digits."""
    rows = {f"digit {digit}": images.bright(images.test[images.test_labels == digit][:10]) for digit in (0, 2, 4, 6, 8)}
    return plots.image_rows(rows, images.shape)


def done_well(results: Mapping[str, Result], wide: Result, shown: np.ndarray, shape: tuple[int, int]) -> "Figure":
    """Draw original images over the reconstructions by the paper's networks, PCA and ours, at both sizes."""
    k = wide.run.latent
    rows = {
        "original": shown,
        f"paper, {k} numbers": results["paper-sigmoid-mse"].shown,
        f"PCA, {k}": results[f"pca-{k}"].shown,
        f"isthmus, {k}": wide.shown,
        "paper, 4 numbers": results["paper-8-4"].shown,
        "PCA, 4": results["pca-4"].shown,
        "isthmus, 4": results["isthmus-4"].shown,
    }
    return plots.image_rows(rows, shape)


def epochs_of(result: Result) -> tuple[list[int], list[float]]:
    """Return the epochs, starting at 0, and the test error after each."""
    return list(range(len(result.test_mse_by_epoch))), result.test_mse_by_epoch


def error_by_epoch(results: Mapping[str, Result], wide: Result) -> "Figure":
    """Draw the test error by epoch of the paper's networks and ours at the larger size."""
    k = wide.run.latent
    return plots.curves(
        {
            "paper's recipe, sigmoid + MSE": epochs_of(results["paper-sigmoid-mse"]),
            "isthmus": epochs_of(wide),
            "paper's recipe, sigmoid + BCE": epochs_of(results["paper-sigmoid-bce"]),
            "paper's recipe, ReLU + MSE": epochs_of(results["paper-relu-mse"]),
        },
        x="epoch",
        y=TEST_ERROR,
        levels={f"PCA-{k}": results[f"pca-{k}"].quality.mse},
    )


def bottleneck(results: Mapping[str, Result]) -> "Figure":
    """Draw the test error of our networks and of PCA over the size of the code."""
    lines = {}
    for label, prefix in (("autoencoder", "bottleneck-"), ("PCA", "bottleneck-pca-")):
        found = bottleneck_results(results, prefix)
        lines[label] = ([r.run.latent for r in found], [r.quality.mse for r in found])
    return plots.curves(lines, x="size of the code", y=TEST_ERROR, log_x=True)


def training_curves(results: Mapping[str, Result], wide: Result) -> "Figure":
    """Draw the training losses that are squared errors, and the losses printed in the notebook."""
    runs = {
        "paper's recipe, sigmoid + MSE": results["paper-sigmoid-mse"],
        "paper's recipe, ReLU + MSE": results["paper-relu-mse"],
        "isthmus": wide,
        "isthmus, 8-4": results["isthmus-4"],
    }
    lines = {label: (list(range(1, len(r.train_loss) + 1)), r.train_loss) for label, r in runs.items()}
    longest = max(len(xs) for xs, _ in lines.values())
    printed = PRINTED_LOSSES[:longest]
    lines["printed in the notebook"] = (list(range(1, len(printed) + 1)), printed)
    return plots.curves(lines, x="epoch", y="training loss per pixel (MSE)")
