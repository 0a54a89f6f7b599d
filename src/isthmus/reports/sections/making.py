"""How the models were made, to the last parameter, and how to use them."""

import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from shlex import quote
from typing import NamedTuple

from sklearn.base import BaseEstimator

from isthmus import __version__
from isthmus.estimators.autoencoder import AutoEncoder
from isthmus.estimators.fitted_model import FittedModel
from isthmus.reports.cells import Cell, Heading, ReportTable
from isthmus.reports.context import Context, HasModel
from isthmus.reports.cut import LONGEST_SENTENCE, cut
from isthmus.reports.registration import Content, section
from isthmus.reports.rendering import rendered
from isthmus.tasks.anomaly.detector import AnomalyDetector

PACKAGES = ("numpy", "scipy", "scikit-learn", "torch")
"""Packages whose versions matter for the numbers."""


class Made(NamedTuple):
    """How one model was made."""

    title: str
    tables: list[ReportTable]


class Use(NamedTuple):
    """How one model is used."""

    title: str
    python: str
    commands: str


@section("making", order=90, title="How it was made, and how to use it")
def making(context: Context) -> Content:
    """Show every parameter, the versions, and lines of code."""
    versions = [("isthmus", __version__), ("Python", platform.python_version())]
    versions += [(name, version(name)) for name in PACKAGES]
    made = [Made(type(model).__name__, list(tables_of(model))) for model in context.models]
    uses = [use_of(model, place, context) for place, model in enumerate(context.models)]
    today = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Content(rendered("making.html", made=made, versions=versions, today=today, uses=uses, source=context.source))


def tables_of(model: object) -> Iterator[ReportTable]:
    """Yield what is known of how a model was made."""
    if isinstance(model, BaseEstimator):
        defaults = type(model)().get_params(deep=False)
        lines = [
            (Cell(name), Cell(cut(repr(value), LONGEST_SENTENCE)), Cell(state(value, defaults.get(name))))
            for name, value in model.get_params(deep=False).items()
        ]
        headings = (Heading("parameter"), Heading("value"), Heading("given or default"))
        yield ReportTable("Parameters as they were given", headings, lines)
    fitted = model.fitted_model() if isinstance(model, HasModel) else None
    if fitted is not None:
        pair = (Heading("name"), Heading("value"))
        yield ReportTable("Parts and sizes that were used", pair, [(Cell(a), Cell(b)) for a, b in parts_of(fitted)])
        report = fitted.record.report.to_dict()
        lines_of_report = [
            (Cell(name.replace("_", " ")), Cell(cut(str(value), LONGEST_SENTENCE))) for name, value in report.items()
        ]
        yield ReportTable("What was chosen for training, and why", pair, lines_of_report)


def state(value: object, default: object) -> str:
    """Return whether a parameter was given."""
    return "default" if repr(value) == repr(default) else "given"


def parts_of(model: FittedModel) -> Iterator[tuple[str, str]]:
    """Yield the parts of a network with all of their parameters."""
    for name, value in model.composition.fields.items():
        yield name, cut(repr(value), LONGEST_SENTENCE)
    yield "weights", f"{model.weights:,}"
    yield "number type", str(model.dtype).removeprefix("torch.")
    history = model.record.history
    yield "epochs trained", str(model.record.epochs)
    yield "first weights", history.init
    yield "end of training", history.stopped
    yield "epoch whose weights were kept", str(history.best_epoch)


def use_of(model: object, place: int, context: Context) -> Use:
    """Return lines of code that use a model."""
    file = context.files[place] if place < len(context.files) else f"{type(model).__name__.lower()}.isthmus"
    data = context.source or "data.csv"
    python, commands = ["from isthmus import load", "", f"model = load({file!r})"], []
    if isinstance(model, AutoEncoder):
        python += [
            "model.transform(X)  # a code for each row",
            "model.reconstruct(X)  # rows rebuilt from their codes",
            "model.score_samples(X)  # log-likelihood: higher is more normal",
        ]
        commands += [f"isthmus {verb} {{model}} {{data}} -o {verb}d.parquet" for verb in ("encode", "reconstruct")]
        commands += ["isthmus score {model} {data} -o scores.csv"]
        fitted = model.fitted_model()
        if fitted is not None and fitted.network.prior is not None:
            python.append("model.sample(10)  # new rows")
            commands.append("isthmus sample {model} -n 10 -o new.csv")
    elif isinstance(model, AnomalyDetector):
        python += [
            "model.predict(X)  # -1 for anomalies",
            "model.pvalues(X)  # how often a normal row is as odd",
            "model.report(X)  # the oddest rows, and why",
        ]
        commands.append("isthmus anomalies {model} {data} -o anomalies.csv")
    else:
        python.append("model.transform(X)  # the table without its gaps")
        commands.append("isthmus impute {model} {data} -o filled.csv")
    lines = [line.format(model=quote(file), data=quote(data)) for line in commands]
    return Use(type(model).__name__, "\n".join(python), "\n".join(lines))
