"""`isthmus impute`: missing cells filled."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.input import Reading
from isthmus.cli.model_options import DataOrModel, Then, model_and_data
from isthmus.cli.output import Output, refuse_output
from isthmus.cli.telling import Telling


class Fill(StrEnum):
    """What a missing cell becomes."""

    VALUE = "value"
    MEAN = "mean"
    DRAW = "draw"


def impute(
    first: DataOrModel,
    output: Output,
    reading: Reading,
    telling: Telling,
    then: Then = None,
    fill: Annotated[
        Fill, typer.Option(help="Values that the column has, expectations, or draws; of a new imputer.")
    ] = Fill.VALUE,
    seed: Annotated[int, typer.Option(min=0, help="The same seed fills in the same values.")] = 0,
    save: Annotated[Path | None, typer.Option(metavar="MODEL", help="Write the imputer to a file.")] = None,
) -> None:
    """Write the table with its missing cells filled; every cell that is there stays as it was.

    With DATA alone an imputer is trained on these rows; with MODEL DATA one from a file fills new rows.

    Example: isthmus impute loans.csv --id loan_id -o whole.csv
    """
    from isthmus import Imputer
    from isthmus.cli.applying import applied, rows_table
    from isthmus.cli.model_options import load_model, refuse_kind
    from isthmus.cli.using import names_of

    model, data = model_and_data(first, then)
    output.refuse(data, model)
    if save is not None:
        refuse_output(save, data, model, force=output.force)
    if model is None:
        file = reading.open(data, telling)
        telling.training(each_epoch=False)
        imputer = Imputer(fill=fill.value, random_state=seed).fit(file.data)
    else:
        loaded = load_model(model)
        refuse_kind(loaded, Imputer, model, "impute")
        imputer, file = loaded, reading.open(data, telling, loaded)
    output.write(applied(file, lambda rows: rows_table(imputer.transform(rows), names_of(imputer))))
    written = [output.out]
    if save is not None:
        imputer.save(save)
        written.append(str(save))
    facts = {"rows": file.rows, "filled_by": {str(c.name): c.filled_by for c in imputer.floor_}, "files": written}
    telling.result(facts, lambda: f"{imputer.floor_!r}\nwritten: {', '.join(written)}", aside=output.standard)
