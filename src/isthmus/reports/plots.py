"""Plots: images and their reconstructions, filters, curves, and codes in two dimensions."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from isthmus.core.extras import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, GRID = "#22282f", "#d9dee3"
COLOURS = ("#0b6e99", "#d9730d", "#4d8b31", "#a83279", "#6b5b95", "#8a6d3b")


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure of this size in inches, without a window and without matplotlib's global state."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("drawing figures", "matplotlib", extra="report") from None
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def png(figure: "Figure") -> bytes:
    """Return the figure as the content of a PNG file."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=144)
    return buffer.getvalue()


def image_rows(rows: Mapping[str, np.ndarray], shape: tuple[int, int]) -> "Figure":
    """Draw labelled rows of images; each row is an array (n, F) with values in [0, 1]."""
    columns = max(map(len, rows.values()))
    figure = new_figure(1.25 + 0.8 * columns, 0.86 * len(rows))
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for line, (label, images) in zip(axes, rows.items(), strict=True):
        for axis, image in zip(line, images, strict=True):
            show_image(axis, image.reshape(shape), "gray", (0, 1))
        line[0].set_ylabel(label, rotation=0, ha="right", va="center", color=INK, fontsize=9, labelpad=6)
    return figure


def filter_grid(weights: Mapping[str, np.ndarray], shape: tuple[int, int], side: int = 8) -> "Figure":
    """Draw the first side² weight vectors of each set (n, F) as images; red is positive, blue is negative."""
    figure = new_figure(0.55 * side * len(weights), 0.55 * side + 0.4)
    for part, (title, vectors) in zip(
        figure.subfigures(1, len(weights), squeeze=False)[0], weights.items(), strict=True
    ):
        part.suptitle(title, color=INK, fontsize=10)
        axes = part.subplots(side, side).ravel()
        for axis in axes:
            axis.set_axis_off()
        for axis, vector in zip(axes, vectors, strict=False):
            limit = np.abs(vector).max() or 1.0
            show_image(axis, vector.reshape(shape), "RdBu_r", (-limit, limit))
    return figure


def show_image(axis: "Axes", image: np.ndarray, cmap: str, limits: tuple[float, float]) -> None:
    """Show an image without ticks or a frame; `limits` are the values at the two ends of the colour map."""
    axis.imshow(image, interpolation="nearest", cmap=cmap, vmin=limits[0], vmax=limits[1])
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set_visible(False)


def curves(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    x: str,
    y: str,
    levels: Mapping[str, float] | None = None,
    log_x: bool = False,
    markers: bool = True,
) -> "Figure":
    """Draw lines (xs, ys) on a logarithmic y axis, and `levels` as dashed horizontal lines."""
    figure = new_figure(7.6, 4.6)
    axis = figure.subplots()
    for (label, (xs, ys)), colour in zip(lines.items(), COLOURS, strict=False):
        axis.plot(xs, ys, label=label, color=colour, lw=1.8, marker="o" if markers else "", ms=3.5)
    for (label, level), style in zip((levels or {}).items(), ("--", ":", "-."), strict=False):
        axis.axhline(level, label=label, color="#6b7680", lw=1.2, ls=style)
    axis.set_yscale("log", subs=(2, 5))
    axis.yaxis.set_major_formatter("{x:.4g}")
    axis.yaxis.set_minor_formatter("{x:.4g}")
    if log_x:
        axis.set_xscale("log", base=2)
        axis.xaxis.set_major_formatter("{x:.0f}")
    else:
        axis.locator_params(axis="x", integer=True)
    finish(axis, x, y)
    figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=8.5)
    return figure


def mosaics(sets: Mapping[str, np.ndarray], shape: tuple[int, int], columns: int) -> "Figure":
    """Draw each set of images as one picture without gaps, with `columns` images per row.

    Each set is an array (n, F) with values in [0, 1]; n must be a multiple of `columns`.
    """
    figure = new_figure(5.2 * len(sets), 5.2)
    for axis, (title, images) in zip(figure.subplots(1, len(sets), squeeze=False)[0], sets.items(), strict=True):
        tiles = images.reshape(-1, columns, *shape)
        show_image(axis, tiles.swapaxes(1, 2).reshape(-1, columns * shape[1]), "gray", (0, 1))
        axis.set_title(title, fontsize=10, color=INK)
    return figure


def scatter_plots(
    codes: Mapping[str, np.ndarray], labels: np.ndarray, unlabelled: Mapping[str, np.ndarray] | None = None
) -> "Figure":
    """Draw sets of codes (n, 2) side by side, coloured by class; then sets of `unlabelled` points, with shared axes."""
    others = unlabelled or {}
    count = len(codes) + len(others)
    figure = new_figure(5.0 * count, 4.8)
    shared = bool(others)
    axes = figure.subplots(1, count, squeeze=False, sharex=shared, sharey=shared)[0]
    for axis, (title, points) in zip(axes, {**codes, **others}.items(), strict=True):
        if title in others:
            axis.scatter(points[:, 0], points[:, 1], s=4, lw=0, alpha=0.6, color=COLOURS[0])
        else:
            scatter_classes(axis, points, labels)
        axis.set_title(title, fontsize=10, color=INK)
        finish(axis, "first coordinate", "second coordinate")
    return figure


def scatter_classes(axis: "Axes", points: np.ndarray, labels: np.ndarray) -> None:
    """Draw points (n, 2) in the colour of their class, with the label of each class at its median."""
    for k, label in enumerate(np.unique(labels)):
        of_class = points[labels == label]
        colour = f"C{k}"
        axis.scatter(of_class[:, 0], of_class[:, 1], s=4 if len(points) > 500 else 20, lw=0, alpha=0.6, color=colour)
        axis.annotate(
            str(label),
            np.median(of_class, axis=0),
            color="white",
            ha="center",
            va="center",
            fontsize=9,
            bbox={"boxstyle": "round,pad=0.3", "fc": colour, "ec": "white"},
        )


def layer_diagram(networks: Mapping[str, Sequence[int]]) -> "Figure":
    """Draw each network as one bar per layer; the height is the square root of the number of units."""
    figure = new_figure(4.0 * len(networks), 3.0)
    for axis, (title, widths) in zip(
        figure.subplots(1, len(networks), squeeze=False)[0], networks.items(), strict=True
    ):
        heights = np.sqrt(np.asarray(widths) / max(widths))
        axis.bar(range(len(widths)), heights, bottom=-heights / 2, width=0.34, color=COLOURS[0])
        axis.bar(
            len(widths) // 2,
            heights[len(widths) // 2],
            bottom=-heights[len(widths) // 2] / 2,
            width=0.34,
            color=COLOURS[1],
        )
        for k, (before, after) in enumerate(pairwise(heights)):
            axis.fill_between(
                [k + 0.17, k + 0.83], [-before / 2, -after / 2], [before / 2, after / 2], color=GRID, lw=0
            )
        for k, width in enumerate(widths):
            axis.annotate(str(width), (k, heights[k] / 2), (0, 4), textcoords="offset points", ha="center", color=INK)
        axis.set_title(title, fontsize=10, color=INK)
        hidden = ["hidden"] * (len(widths) // 2 - 1)
        names = ["input", *hidden, "code", *hidden, "output"]
        axis.set_xticks(range(len(widths)), names, fontsize=8.5, color=INK)
        axis.set_ylim(-0.56, 0.66)
        axis.set_yticks([])
        axis.tick_params(length=0)
        for spine in axis.spines.values():
            spine.set_visible(False)
    return figure


def finish(axis: "Axes", x: str, y: str) -> None:
    """Label both axes, draw a light grid and remove the upper and right edges."""
    axis.set_xlabel(x, color=INK)
    axis.set_ylabel(y, color=INK)
    axis.grid(True, which="major", color=GRID, lw=0.6)
    axis.set_axisbelow(True)
    axis.tick_params(colors=INK, which="both", labelsize=8.5)
    axis.spines[["top", "right"]].set_visible(False)
