"""`Plane`: what lies where in the plane of a code of two numbers, and what each place decodes to."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from isthmus.paper.colours import DIGITS, Whose
from isthmus.paper.picture import Panel, Picture
from isthmus.reports import plots

SIDE = 18
"""Places per line of the map."""
SHOWN = 300
"""Test images per digit in the scatter plot."""
STRETCHED = (
    "Both axes are stretched so that each tenth of their length holds a tenth of the test images: no digit with far "
    "codes presses the others together."
)


class Plane(NamedTuple):
    """Test images in the plane of their codes; both axes are stretched to a unit square by a monotone function."""

    places: np.ndarray
    """(n, 2) places of the test images in the unit square."""
    grid: np.ndarray
    """(SIDE, 2) values of both numbers of the code at the centres of the columns (from the left) and lines (from below)
    of the map."""
    decoded: np.ndarray
    """(SIDE², F) what the places of the map decode to, line by line from the top."""


def plane_of(codes: np.ndarray, decode: Callable[[np.ndarray], np.ndarray]) -> Plane:
    """Return the plane of codes (n, 2), stretched to equal shares of the codes along each axis.

    `decode` returns images (m, F) with grey levels around [0, 1] for codes (m, 2).
    """
    ranks = np.argsort(np.argsort(codes, axis=0, kind="stable"), axis=0, kind="stable")
    grid = np.quantile(codes, centres(), axis=0)
    return Plane((ranks + 0.5) / len(codes), grid, decode(lines_from_the_top(grid)))


def centres() -> np.ndarray:
    """Return the centres of the columns of the map, as shares of its width, (SIDE,)."""
    return (np.arange(SIDE) + 0.5) / SIDE


def lines_from_the_top(grid: np.ndarray) -> np.ndarray:
    """Return the codes of all places of a map, line by line from the top, (SIDE², 2)."""
    return np.array([(first, second) for second in grid[::-1, 1] for first in grid[:, 0]])


class PlanePicture(NamedTuple):
    """A plane as a figure: a scatter plot and a map of the same square, and the codes of its columns and lines."""

    picture: Picture
    grid: np.ndarray


def drawn(
    name: str, caption: str, plane: Plane, labels: np.ndarray, shape: tuple[int, int], whose: Whose
) -> PlanePicture:
    """Draw equally many test images per digit in the plane, and the images that its places decode to."""
    chosen = np.concatenate([np.flatnonzero(labels == digit)[:SHOWN] for digit in np.unique(labels)])
    square = plots.scatter_square(plane.places[chosen], labels[chosen], DIGITS)
    # A frame around each image keeps the places apart, and all equally large.
    framed = np.pad(plane.decoded.reshape(-1, *shape), ((0, 0), (1, 1), (1, 1)), constant_values=0.4)
    decoded = plots.pixels_png(plots.tiles(framed, (shape[0] + 2, shape[1] + 2), SIDE, gap=0))
    panels = [
        Panel("where test images lie", plots.png(square), ""),
        Panel("what each place decodes to", decoded, whose),
    ]
    return PlanePicture(Picture(name, caption, panels, "plots"), plane.grid)
