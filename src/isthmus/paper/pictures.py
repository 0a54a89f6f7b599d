"""The figures of the reproduction."""

import numpy as np

from isthmus.paper.claims import PRINTED_LOSSES, is_size
from isthmus.paper.runs import Images, Result, digit_rows, wide_result
from isthmus.reports import figures

PAPER_FIGURES = {
    "figure-3": "paper-sigmoid-mse",
    "figure-4": "paper-relu-mse",
    "figure-5": "paper-sigmoid-bce",
    "figure-6": "paper-8-4",
}


def pictures(results: dict[str, Result], images: Images) -> dict[str, bytes]:
    """Draw every figure; return PNG files by name. `results` holds one result a run name."""
    shown = images.bright(images.test[digit_rows(images)])
    wide, attention = wide_result(results), deviations(images)
    drawn = {
        "figure-2": figures.layer_diagram(
            {"Figures 3 to 5": results["paper-sigmoid-mse"].widths, "Figure 6": results["paper-8-4"].widths}
        ),
        "data": data_figure(images),
        **{
            name: figures.image_rows({"original": shown, "rebuilt": results[run].shown}, images.shape)
            for name, run in PAPER_FIGURES.items()
        },
        "done-well": done_well(results, wide, shown, images.shape),
        "error-by-epoch": error_by_epoch(results, wide),
        "error-by-epoch-8-4": figures.curves(
            {
                "paper's recipe, 8-4": epochs_of(results["paper-8-4"]),
                "isthmus, 8-4": epochs_of(results["isthmus-4"]),
            },
            x="epoch",
            y="test error a pixel (MSE)",
            levels={"PCA-4": results["pca-4"].quality.mse},
        ),
        "bottleneck": bottleneck(results),
        "training-curves": training_curves(results, wide),
        "filters": figures.filter_grid(
            {
                "paper's recipe, sigmoid + MSE": results["paper-sigmoid-mse"].filters * attention,
                "isthmus": wide.filters * attention,
            },
            images.shape,
            side=8 if len(wide.filters) >= 64 else 4,
        ),
    }
    if "bottleneck-2" in results:
        drawn["codes"] = figures.scatter_plots(
            {
                "autoencoder, two numbers": results["bottleneck-2"].codes,
                "PCA, two numbers": results["bottleneck-pca-2"].codes,
            },
            images.test_labels,
        )
    return {name: figures.png(figure) for name, figure in drawn.items()}


def deviations(images: Images) -> np.ndarray:
    """Return the standard deviation of each pixel over the training images, (F,)."""
    return images.train.std(axis=0, dtype=np.float64) / images.white


def data_figure(images: Images) -> "figures.Figure":
    """Draw ten test images of each of five digits."""
    rows = {f"digit {digit}": images.bright(images.test[images.test_labels == digit][:10]) for digit in (0, 2, 4, 6, 8)}
    return figures.image_rows(rows, images.shape)


def done_well(results: dict[str, Result], wide: Result, shown: np.ndarray, shape: tuple[int, int]) -> "figures.Figure":
    """Draw originals over the reconstructions of both sizes: the paper's, PCA's and ours."""
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
    return figures.image_rows(rows, shape)


def epochs_of(result: Result) -> tuple[list[int], list[float]]:
    """Return epochs from 0 and the test error after each."""
    return list(range(len(result.test_mse_by_epoch))), result.test_mse_by_epoch


def error_by_epoch(results: dict[str, Result], wide: Result) -> "figures.Figure":
    """Draw the test error by epoch at the larger size, the paper's recipe and ours."""
    k = wide.run.latent
    return figures.curves(
        {
            "paper's recipe, sigmoid + MSE": epochs_of(results["paper-sigmoid-mse"]),
            "isthmus": epochs_of(wide),
            "paper's recipe, sigmoid + BCE": epochs_of(results["paper-sigmoid-bce"]),
            "paper's recipe, ReLU + MSE": epochs_of(results["paper-relu-mse"]),
        },
        x="epoch",
        y="test error a pixel (MSE)",
        levels={f"PCA-{k}": results[f"pca-{k}"].quality.mse},
    )


def bottleneck(results: dict[str, Result]) -> "figures.Figure":
    """Draw the test error over the size of the code, ours and PCA's."""
    lines = {}
    for label, prefix in (("autoencoder", "bottleneck-"), ("PCA", "bottleneck-pca-")):
        found = [result for name, result in results.items() if is_size(name, prefix)]
        found.sort(key=lambda result: result.run.latent)
        lines[label] = ([r.run.latent for r in found], [r.quality.mse for r in found])
    return figures.curves(lines, x="size of the code", y="test error a pixel (MSE)", log_x=True)


def training_curves(results: dict[str, Result], wide: Result) -> "figures.Figure":
    """Draw the training losses that are squared errors, over the paper's printed ones."""
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
    return figures.curves(lines, x="epoch", y="training loss a pixel (MSE)")
