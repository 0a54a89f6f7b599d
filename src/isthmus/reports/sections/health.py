"""Health: how much of the code is in use, and what training says may be wrong."""

from collections.abc import Iterator

from isthmus.estimators import health
from isthmus.estimators.fitted_model import FittedModel
from isthmus.reports.cells import Cell, Heading, ReportTable, number
from isthmus.reports.context import Context
from isthmus.reports.registration import Content, section
from isthmus.reports.rendering import rendered

MEANING = {
    "active_units": "numbers of the code that differ between rows; the others say nothing",
    "used_units": "units of the code that some row uses",
    "mean_active": "units of the code that a row uses on average",
    "used_codes": "codewords that stand for some row",
    "codes": "codewords there are",
    "dead_outputs": "columns that are always rebuilt as 0",
    "hidden_units": "units of the hidden layers",
    "idle_units": "of these, units that have the same value for every row",
    "saturated_share": "share of their values where the activation is flat, so that nothing is learned there",
    "deviance_ratio": "held-out error as a part of the mean row's: 0 is perfect, 1 is nothing learned",
    "duplicates": "held-out rows that equal rows trained on, which makes held-out errors too small",
    "coincidences": "of these, how many chance would explain",
    "loss_rise": "rise of the held-out loss after its best epoch, in nats",
    "loss_above_start": "how far all epochs stayed above the loss at the start, in nats",
}
"""What is measured, in plain words."""


@section("health", order=80, title="Health")
def health_section(context: Context) -> Content | None:
    """Show what was measured of the network after training."""
    model = context.model
    if model is None or not model.record.history.health:
        return None
    measured = model.record.history.health
    lines: list[tuple[Cell, ...]] = [
        (Cell(name.replace("_", " ")), number(float(value)), Cell(MEANING.get(name, "")))
        for name, value in measured.items()
    ]
    headings = (Heading("measured"), Heading("value", numeric=True), Heading("what it is"))
    table = ReportTable("Measured after training", headings, lines)
    return Content(rendered("health.html", table=table, problems=list(problems(model)), latent=model.latent))


def problems(model: FittedModel) -> Iterator[str]:
    """Yield a sentence for each problem that was measured after training."""
    history, network, floor = model.record.history, model.network, model.record.floor
    measured = {"active_units": float(model.latent), **history.health}
    yield from map(str, health.problems(measured, network, history, floor, int(model.record.rows)))
