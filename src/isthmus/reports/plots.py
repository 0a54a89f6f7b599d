"""Plots: pictures of pixels, curves, and codes in two dimensions."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from isthmus.core.extras import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, GRID = "#22282f", "#d9dee3"
WIDTH = 4.8
"""Width in inches of every plot, so that texts have one size wherever plots are shown equally wide."""
FONT = 10.5
"""Size of every text in a plot, in points."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
LABEL_DISTANCE = 0.075
"""Least distance between the labels of classes, as a share of the plot's width."""


class Line(NamedTuple):
    """A line of a plot, and how it is drawn."""

    xs: Sequence[float]
    ys: Sequence[float]
    colour: str = INK
    dash: str = "-"
    marker: str = "o"


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
    figure.savefig(buffer, format="png", dpi=200)
    return buffer.getvalue()


def pixels_png(picture: np.ndarray) -> bytes:
    """Return grey levels (height, width), 0 black and 1 white, as a PNG file with one pixel per value."""
    try:
        from matplotlib.image import imsave
    except ImportError:
        raise MissingExtraError("drawing figures", "matplotlib", extra="report") from None
    buffer = BytesIO()
    imsave(buffer, picture.clip(0, 1), cmap="gray", vmin=0, vmax=1, format="png")
    return buffer.getvalue()


def tiles(images: np.ndarray, shape: tuple[int, int], columns: int, gap: int | None = None) -> np.ndarray:
    """Return images (n, F) with values in [0, 1] as one picture, line by line, with white gaps.

    Parameters
    ----------
    images
        The images; an incomplete last line is filled up with white.
    shape
        Height and width of an image, in pixels.
    columns
        Images per line.
    gap
        Pixels between images; by default a fourteenth of their width, at least 1.
    """
    height, width = shape
    space = max(1, width // 14) if gap is None else gap
    lines = -(-len(images) // columns)
    picture = np.ones((lines * (height + space) - space, columns * (width + space) - space))
    for k, image in enumerate(images):
        top, left = k // columns * (height + space), k % columns * (width + space)
        picture[top : top + height, left : left + width] = image.reshape(shape)
    return picture


def around_grey(weights: np.ndarray) -> np.ndarray:
    """Return weights (n, F) as grey levels: white is a vector's largest size, black the same below 0, grey is 0."""
    largest = np.abs(weights).max(axis=1, keepdims=True)
    shown: np.ndarray = 0.5 + 0.5 * weights / np.where(largest > 0, largest, 1.0)
    return shown


def composed(panels: Mapping[str, bytes], *, side_by_side: bool) -> "Figure":
    """Draw PNG files under their labels, side by side, or as rows with the labels on their left."""
    from matplotlib.image import imread

    pictures = {label: imread(BytesIO(content), format="png") for label, content in panels.items()}
    heights = [WIDTH * picture.shape[0] / picture.shape[1] for picture in pictures.values()]
    line, gap = FONT / 72, 0.08
    beside = 0.62 * line * max(map(len, pictures)) + 2 * gap
    width = (WIDTH + gap) * len(pictures) if side_by_side else beside + WIDTH
    height = max(heights) + 2 * line if side_by_side else sum(heights) + gap * len(heights)
    figure = new_figure(width, height)
    figure.set_layout_engine("none")
    left, bottom = 0.0 if side_by_side else beside, height
    for (label, picture), high in zip(pictures.items(), heights, strict=True):
        bottom = max(heights) - high if side_by_side else bottom - high - gap
        axis = figure.add_axes((left / width, bottom / height, WIDTH / width, high / height))
        axis.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest", aspect="auto")
        bare(axis)
        x, y = (left + WIDTH / 2, height - line) if side_by_side else (left - gap, bottom + high / 2)
        align = "center" if side_by_side else "right"
        figure.text(x / width, y / height, label, ha=align, va="center", color=INK, fontsize=FONT)
        left += (WIDTH + gap) * side_by_side
    return figure


def bare(axis: "Axes") -> None:
    """Remove ticks and frame."""
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set_visible(False)


def curves(
    lines: Mapping[str, Line],
    *,
    x: str,
    y: str,
    levels: Mapping[str, tuple[float, str]] | None = None,
    log_x: bool = False,
) -> "Figure":
    """Draw lines on a logarithmic y axis, and `levels`, (value, colour), as dashed horizontal lines."""
    figure = new_figure(WIDTH, (0.72 + 0.04 * (len(lines) + len(levels or {}))) * WIDTH)
    axis = figure.subplots()
    for label, line in lines.items():
        axis.plot(line.xs, line.ys, label=label, color=line.colour, ls=line.dash, marker=line.marker, lw=1.6, ms=4)
    for label, (level, colour) in (levels or {}).items():
        axis.axhline(level, label=label, color=colour, lw=1.4, ls=(0, (6, 2)))
    axis.set_yscale("log", subs=(2, 5))
    axis.yaxis.set_major_formatter("{x:.4g}")
    axis.yaxis.set_minor_formatter("{x:.4g}")
    if log_x:
        axis.set_xscale("log", base=2)
        axis.xaxis.set_major_formatter("{x:.0f}")
    else:
        axis.locator_params(axis="x", integer=True)
    finish(axis, x, y)
    figure.legend(loc="outside upper left", frameon=False, fontsize=FONT, labelcolor=INK, labelspacing=0.25)
    return figure


def scatter(points: np.ndarray, colour: str = INK, *, like: np.ndarray | None = None) -> "Figure":
    """Draw points (n, 2) in one colour, with axes as long as points `like` (m, 2) need, too."""
    figure = new_figure(WIDTH, 0.95 * WIDTH)
    axis = figure.subplots()
    axis.scatter(points[:, 0], points[:, 1], s=5, lw=0, alpha=0.5, color=colour)
    reach(axis, points, like)
    finish(axis, "first number of the code", "second number")
    return figure


def scatter_classes(
    points: np.ndarray,
    labels: np.ndarray,
    colours: Sequence[str],
    *,
    shapes: bool = False,
    like: np.ndarray | None = None,
) -> "Figure":
    """Draw points (n, 2) in the colour of their class, and shape if asked for, in random order, with labels.

    The axes are as long as points `like` (m, 2) need, too.
    """
    figure = new_figure(WIDTH, 0.95 * WIDTH)
    axis = figure.subplots()
    draw_classes(axis, points, labels, colours, shapes=shapes)
    reach(axis, points, like)
    finish(axis, "first number of the code", "second number")
    return figure


def scatter_square(points: np.ndarray, labels: np.ndarray, colours: Sequence[str]) -> "Figure":
    """Draw points (n, 2) of the unit square in the colour of their class, with the square as the whole figure."""
    figure = new_figure(WIDTH, WIDTH)
    figure.set_layout_engine("none")
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(0, 1), ylim=(0, 1))
    draw_classes(axis, points, labels, colours)
    bare(axis)
    return figure


def reach(axis: "Axes", points: np.ndarray, like: np.ndarray | None) -> None:
    """Make the axes reach over both sets of points."""
    both = points if like is None else np.concatenate([points, like])
    low, high = both.min(axis=0), both.max(axis=0)
    margin = 0.04 * np.maximum(high - low, 1e-12)
    axis.set(xlim=(low[0] - margin[0], high[0] + margin[0]), ylim=(low[1] - margin[1], high[1] + margin[1]))


def draw_classes(
    axis: "Axes", points: np.ndarray, labels: np.ndarray, colours: Sequence[str], *, shapes: bool = False
) -> None:
    """Draw points in the colour of their class; the label of each class is near its median and hides no other."""
    classes = np.unique(labels)
    kinds = np.searchsorted(classes, labels)
    size = 5 if len(points) > 500 else 20
    # No class lies on top of the others: points of all classes are drawn in random order.
    order = np.random.default_rng(0).permutation(len(points))
    for k in range(len(classes)) if shapes else [None]:
        chosen = order if k is None else order[kinds[order] == k]
        axis.scatter(
            points[chosen, 0],
            points[chosen, 1],
            s=size,
            lw=0,
            alpha=0.6,
            c=[colours[kind] for kind in kinds[chosen]],
            marker="o" if k is None else MARKERS[k],
        )
    medians = np.array([np.median(points[kinds == k], axis=0) for k in range(len(classes))])
    low = np.minimum(points.min(axis=0), medians.min(axis=0))
    extent = np.maximum(np.ptp(points, axis=0), 1e-12)
    places = low + extent * apart((medians - low) / extent, LABEL_DISTANCE)
    for label, colour, median, place in zip(classes, colours, medians, places, strict=False):
        axis.annotate(
            str(label),
            median,
            place,
            color="white",
            ha="center",
            va="center",
            fontsize=FONT,
            bbox={"boxstyle": "round,pad=0.25", "fc": colour, "ec": "white"},
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 1.2, "shrinkA": 0, "shrinkB": 0},
        )


def apart(places: np.ndarray, distance: float) -> np.ndarray:
    """Move places (n, 2) as far as needed for each pair to be at least about a distance apart."""
    moved = places.astype(np.float64)
    # Equal places need a direction to part in.
    angles = 2 * np.pi * np.arange(len(moved)) / max(1, len(moved))
    moved += 1e-6 * np.column_stack([np.cos(angles), np.sin(angles)])
    for _ in range(500):
        difference = moved[:, None] - moved[None]
        between = np.sqrt(np.square(difference).sum(2)) + np.eye(len(moved)) * 9
        if between.min() >= distance:
            break
        push = np.where(between < distance, 0.55 * (distance - between) / between, 0.0)
        moved += (push[..., None] * difference).sum(1)
    return moved


def layer_diagram(widths: Sequence[int]) -> "Figure":
    """Draw a network as one bar per layer, the code hatched; the height is the square root of the number of units."""
    figure = new_figure(WIDTH, 0.62 * WIDTH)
    axis = figure.subplots()
    heights, middle = np.sqrt(np.asarray(widths) / max(widths)), len(widths) // 2
    hatches = ["/////" if k == middle else "" for k in range(len(widths))]
    axis.bar(range(len(widths)), heights, bottom=-heights / 2, width=0.34, color="white", ec=INK, lw=1.2, hatch=hatches)
    for k, (before, after) in enumerate(pairwise(heights)):
        axis.fill_between([k + 0.17, k + 0.83], [-before / 2, -after / 2], [before / 2, after / 2], color=GRID, lw=0)
    for k, width in enumerate(widths):
        axis.annotate(
            str(width),
            (k, heights[k] / 2),
            (0, 4),
            textcoords="offset points",
            ha="center",
            color=INK,
            fontsize=FONT,
        )
    hidden = ["hidden"] * (middle - 1)
    bare(axis)
    axis.set_xticks(range(len(widths)), ["input", *hidden, "code", *hidden, "output"], fontsize=FONT, color=INK)
    axis.set_ylim(-0.56, 0.66)
    axis.tick_params(length=0)
    return figure


def finish(axis: "Axes", x: str, y: str) -> None:
    """Label both axes, draw a light grid and remove the upper and right edges."""
    axis.set_xlabel(x, color=INK, fontsize=FONT)
    axis.set_ylabel(y, color=INK, fontsize=FONT)
    axis.grid(True, which="major", color=GRID, lw=0.6)
    axis.set_axisbelow(True)
    axis.tick_params(colors=INK, which="both", labelsize=FONT)
    axis.spines[["top", "right"]].set_visible(False)
