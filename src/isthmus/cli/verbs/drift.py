"""`isthmus drift`: whether data have changed."""

from typing import Annotated

import typer

from isthmus.cli.input import DataPath, Reading
from isthmus.cli.model_options import ModelPath
from isthmus.cli.telling import Telling


def drift(
    model: ModelPath,
    data: DataPath,
    reading: Reading,
    telling: Telling,
    false_alarm: Annotated[
        float, typer.Option(help="Probability of ever raising an alarm on data that do not change.")
    ] = 0.01,
    fail: Annotated[bool, typer.Option("--fail", help="End with exit code 1 if the data have changed.")] = False,
) -> None:
    """Say whether rows have changed since a detector was trained, and in which columns.

    Example: isthmus drift detector.isthmus march.csv --id loan_id --fail
    """
    from isthmus import AnomalyDetector
    from isthmus.cli.model_options import load_model, refuse_kind

    detector = load_model(model)
    refuse_kind(detector, AnomalyDetector, model, "drift")
    file = reading.open(data, telling, detector)
    found = detector.drift(file.data, false_alarm=false_alarm)
    facts = {
        "rows": file.rows,
        "changed": found.changed,
        "since": found.since,
        "evidence": found.evidence,
        "columns": [str(name) for name in found.columns],
    }
    telling.result(facts, str(found))
    if fail and found.changed:
        raise typer.Exit(1)
