"""The course of training: losses by epoch."""

from dataclasses import dataclass

from isthmus.engine.history import History
from isthmus.engine.loss_curve import loss_curve
from isthmus.reports.cells import Cell, Heading, ReportTable, number
from isthmus.reports.context import Context
from isthmus.reports.registration import Content, section
from isthmus.reports.rendering import rendered

MOST_EPOCHS = 120
"""Epochs of the table; of more, some are left out."""
MOST_CURVES = 4
"""Networks of an imputer that are shown."""


@dataclass(frozen=True)
class Course:
    """How one network was trained."""

    title: str
    curve: str
    history: History
    table: ReportTable
    seconds: float | None
    validated: bool


@section("training", order=30, title="How training went")
def training(context: Context) -> Content | None:
    """Show the losses of every network that was trained."""
    courses = [course(title, history) for title, history in histories(context) if len(history)]
    if not courses:
        return None
    return Content(rendered("training.html", courses=courses))


def histories(context: Context) -> list[tuple[str, History]]:
    """Return the history of every network, with a title; an empty one where there is but one."""
    found = []
    if context.model is not None:
        found.append(("The autoencoder" if context.imputer is not None else "", context.model.record.history))
    if context.imputer is not None:
        models = context.imputer.models_
        found += [
            (f"Autoencoder {place} of {len(models)} that fill gaps", model.record.history)
            for place, model in enumerate(models[:MOST_CURVES], 1)
        ]
    return found


def course(title: str, history: History) -> Course:
    """Return how to show a history."""
    losses = {name: values.tolist() for name, values in history.losses().items()}
    shown = {"training": losses.get("loss", []), "held-out rows": losses.get("val_loss", [])}
    curve = loss_curve(history["epoch"].tolist(), {name: values for name, values in shown.items() if values})
    seconds = float(history["seconds"][-1]) if "seconds" in history.columns else None
    return Course(title, curve, history, epochs_table(history), seconds, "val_loss" in history.columns)


def epochs_table(history: History) -> ReportTable:
    """Return the history as a table; rows of long ones are left out evenly."""
    names = history.columns
    step = -(-len(history) // MOST_EPOCHS)
    rows = [row for place, row in enumerate(history) if place % step == 0 or place == len(history) - 1]
    lines = [tuple(cell(name, row.get(name, float("nan"))) for name in names) for row in rows]
    headings = tuple(Heading(name.replace("_", " "), numeric=place > 0) for place, name in enumerate(names))
    return ReportTable("Every term of the loss, by epoch", headings, lines)


def cell(name: str, value: float) -> Cell:
    """Return a value of the history."""
    return Cell(f"{value:.0f}", value) if name == "epoch" else number(value)
