"""`isthmus check`: what to know of data before training, and of a model and data after it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.input import Reading
from isthmus.cli.model_options import DataOrModel, Then, is_model, model_and_data
from isthmus.cli.telling import Telling


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


def check(
    first: DataOrModel,
    reading: Reading,
    telling: Telling,
    then: Then = None,
    latent: Annotated[int | None, typer.Option(min=1, help="Size of the code that is meant.")] = None,
    fail_on: Annotated[
        Severity | None, typer.Option(metavar="SEVERITY", help="End with exit code 1 on a finding as bad as this.")
    ] = None,
) -> None:
    """List what to know of data before training, of a model, or of a model and new data, the worst first.

    Each finding has a number, what follows from it, and what to do.

    Example: isthmus check loans.csv --id loan_id --target default --fail-on error
    """
    from isthmus.cli.model_options import load_model
    from isthmus.tasks.checking import check as checked

    if then is None and is_model(first):
        findings = checked(None, load_model(Path(first)))
    else:
        model, data = model_and_data(first, then)
        file = reading.open(data, telling)
        if model is None:
            findings = checked(file.data, target=file.target, latent=latent)
        else:
            findings = checked(file.data, load_model(model))
    telling.result({"findings": findings.to_dicts()}, lambda: str(findings))
    if fail_on is not None and findings.at_least(fail_on.value):
        raise typer.Exit(1)
