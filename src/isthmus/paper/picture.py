"""`Picture`: a figure of the report, as panels that the page lays out for the width of the screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from isthmus.paper.colours import Whose
from isthmus.reports import plots


class Panel(NamedTuple):
    """A part of a figure: a PNG file and its label, which is empty if the file says enough."""

    label: str
    png: bytes
    whose: Whose = ""


@dataclass(frozen=True)
class Picture:
    """A figure of the report: its panels are rows of images, pictures of pixels or plots."""

    name: str
    """The name of its file, without the extension."""
    caption: str
    panels: Sequence[Panel]
    kind: Literal["rows", "pixels", "plots"]

    def png(self) -> bytes:
        """Return the whole figure, with its labels, as a PNG file."""
        if len(self.panels) == 1 and self.kind != "rows":
            return self.panels[0].png
        panels = {panel.label: panel.png for panel in self.panels}
        return plots.png(plots.composed(panels, side_by_side=self.kind != "rows"))


def rows(
    name: str,
    caption: str,
    images: Mapping[str, np.ndarray],
    shape: tuple[int, int],
    whose: Mapping[str, Whose] | None = None,
) -> Picture:
    """Return labelled rows of images; each row is an array (n, F) with values in [0, 1]."""
    drawn = {label: plots.tiles(line, shape, len(line)) for label, line in images.items()}
    return Picture(name, caption, labelled(drawn, whose or {}), "rows")


def mosaics(
    name: str,
    caption: str,
    images: Mapping[str, np.ndarray],
    shape: tuple[int, int],
    columns: int,
    whose: Mapping[str, Whose] | None = None,
) -> Picture:
    """Return sets of images (n, F) with values in [0, 1], each as one picture."""
    drawn = {label: plots.tiles(some, shape, columns) for label, some in images.items()}
    return Picture(name, caption, labelled(drawn, whose or {}), "pixels")


def labelled(drawn: Mapping[str, np.ndarray], whose: Mapping[str, Whose]) -> list[Panel]:
    """Return pictures of grey levels (height, width) as panels."""
    return [Panel(label, plots.pixels_png(picture), whose.get(label, "")) for label, picture in drawn.items()]


def filters(
    name: str,
    caption: str,
    weights: Mapping[str, np.ndarray],
    shape: tuple[int, int],
    whose: Mapping[str, Whose],
    side: int = 8,
) -> Picture:
    """Return the first side² weight vectors of each set (n, F) as images: light is above 0, dark below, grey is 0."""
    grey = {label: plots.around_grey(vectors[: side**2]) for label, vectors in weights.items()}
    return mosaics(name, caption, grey, shape, side, whose)
