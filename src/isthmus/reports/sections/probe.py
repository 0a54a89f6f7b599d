"""What codes know of a target that the model has never seen."""

import numpy as np
import torch

from isthmus.data.reading import read_table
from isthmus.engine.compute import compute
from isthmus.estimators.inference import Inference
from isthmus.reports.cells import Cell, Heading, ReportTable
from isthmus.reports.context import Context, Rebuilt
from isthmus.reports.probing import Probed, probed
from isthmus.reports.registration import Content, Tile, section
from isthmus.reports.rendering import rendered
from isthmus.reports.sampling import CALLER


@section("probe", order=55, title="What the codes know")
def probe(context: Context) -> Content | None:
    """Predict the target from codes, and from as many principal components."""
    target, rebuilt = context.target, context.rebuilt
    if target is None or rebuilt is None:
        return None
    classes = target.codes[rebuilt.index] if target.numbers is None else None
    numbers = None if target.numbers is None else target.numbers[rebuilt.index]
    found = probed(rebuilt.codes, seen_cells(context, rebuilt), classes, numbers)
    if found is None:
        return None
    trained_on = target.name in [str(name) for name in context.schema.labels]
    html = rendered("probe.html", table=table_of(found), found=found, target=target.name, trained_on=trained_on)
    codes, components = found.probes[1], found.probes[2]
    meaning = (
        f"{found.measure} of “{target.name}” predicted from the codes; from PCA of that size {components.score:.3g}"
    )
    return Content(html, (Tile(f"{codes.score:.3g}", meaning),))


def seen_cells(context: Context, rebuilt: Rebuilt) -> np.ndarray:
    """Return rows as the network sees them, (n, cells)."""
    assert context.autoencoder is not None, "only autoencoders have reconstructions"
    assert context.model is not None, "it is fitted"
    table = read_table(rebuilt.rows, context.schema, caller=CALLER)
    inference = Inference(context.model, compute(context.autoencoder.compute))
    return inference.map_seen(lambda seen: torch.nan_to_num(seen.x), table, context.model.scaling.cells)


def table_of(found: Probed) -> ReportTable:
    """Return the scores as a table."""
    headings = (
        Heading("predicted from"),
        Heading(found.measure, numeric=True),
        Heading("± standard error", numeric=True),
    )
    lines: list[tuple[Cell, ...]] = [
        (
            Cell(one.inputs),
            Cell(f"{one.score:.3f}", one.score, max(0.0, one.score)),
            Cell(f"{one.error:.3f}", one.error),
        )
        for one in found.probes
    ]
    return ReportTable("Scores of the probe", headings, lines)
