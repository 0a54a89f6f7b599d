"""`isthmus check`: what to know of data before training, and of a model and data after it."""

from enum import StrEnum
from typing import Annotated

import typer

from isthmus.cli.input import Reading
from isthmus.cli.model_options import DataOrModel, Then, model_and_data
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
    """List what to know before training on data, or of a model and new data, the worst first.

    Each finding has a number, what follows from it, and what to do.

    Example: isthmus check loans.csv --id loan_id --target default --fail-on error
    """
    from isthmus.cli.model_options import load_model
    from isthmus.tasks.checking import check as checked

    model, data = model_and_data(first, then)
    loaded = None if model is None else load_model(model)
    file = reading.open(data, telling)
    planned = {} if loaded else {"target": file.target, "latent": latent}
    findings = checked(file.data, loaded, **planned)
    telling.result({"findings": findings.to_dicts()}, lambda: str(findings))
    if fail_on is not None and findings.at_least(fail_on.value):
        raise typer.Exit(1)
