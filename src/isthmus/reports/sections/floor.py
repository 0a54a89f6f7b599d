"""What was won: the model beside the best simple method, on rows that neither has seen."""

from dataclasses import dataclass

from isthmus.estimators.floor import Floor
from isthmus.reports.cells import Cell, Heading, ReportTable, number, written
from isthmus.reports.context import Context
from isthmus.reports.registration import Content, Tile, section
from isthmus.reports.rendering import rendered
from isthmus.tasks.anomaly.floor import DetectorFloor

KINDS = {
    "local": "rows moved a little off where normal rows lie",
    "global": "cells drawn from far outside",
    "dependency": "each cell normal, but not together",
    "clustered": "odd rows that are alike",
}
"""Kinds of made-up anomalies, in plain words."""


@dataclass(frozen=True)
class Bar:
    """A bar of a comparison."""

    name: str
    share: float
    text: str
    own: bool


@section("floor", order=35, title="What the model won")
def floor(context: Context) -> Content | None:
    """Compare the model with its floor, where that was measured."""
    parts, tiles = [], []
    model = context.model
    if model is not None and model.record.floor is not None:
        parts.append(
            rendered(
                "floor.html",
                floor=model.record.floor,
                method=named(model.record.floor.method),
                bars=bars_of(model.record.floor),
            )
        )
        tiles.append(tile_of(model.record.floor))
    detector = context.detector
    if detector is not None and detector.floor_ is not None:
        parts.append(detector_html(detector.floor_))
        tiles.append(
            Tile(
                written(detector.floor_.model_auc),
                f"AUROC on made-up anomalies; {detector.floor_.method} alone {written(detector.floor_.auc)}",
            )
        )
    return Content("".join(parts), tuple(tiles)) if parts else None


def bars_of(floor: Floor) -> list[Bar]:
    """Return the errors as bars: of the mean row, of the simple method, of the model."""
    errors = [("the mean row", floor.variance, False), (named(floor.method), floor.error, False)]
    errors.append(("the model", floor.model_error, True))
    most = max(max(error for _, error, _ in errors), 1e-300)
    return [Bar(name, min(1.0, error / most), written(error), own) for name, error, own in errors]


def tile_of(floor: Floor) -> Tile:
    """Return what was won in one number."""
    low, high = (f"{round(100 * end) + 0:.0f}" for end in floor.interval)
    word = "less" if floor.gain >= 0 else "more"
    end = f"; {named(floor.method)} is returned in its place" if floor.returned else ""
    return Tile(
        f"{100 * abs(floor.gain):.0f} % {word}",
        f"error than {named(floor.method)} (95 % interval of the gain: {low} to {high} %){end}",
    )


def named(method: str) -> str:
    """Return the name of a simple method in plain words.

    >>> named("PCA with 8"), named("Wiener filter with 8")
    ('PCA with 8 components', 'Wiener filter with 8')
    """
    if not method.startswith("PCA with "):
        return method
    return f"{method} component{'' if method.endswith(' 1') else 's'}"


def detector_html(floor: DetectorFloor) -> str:
    """Return how well anomalies made of held-out rows are told apart, as HTML."""
    names = ("anomalies made of held-out rows", "what they are", f"{floor.method} alone", "the detector")
    headings = tuple(Heading(name, numeric=place > 1) for place, name in enumerate(names))
    lines: list[tuple[Cell, ...]] = [
        (Cell(kind), Cell(KINDS.get(kind, "")), number(theirs), number(own))
        for kind, (theirs, own) in floor.kinds.items()
    ]
    return rendered("detector_floor.html", floor=floor, table=ReportTable("AUROC by kind of anomaly", headings, lines))
