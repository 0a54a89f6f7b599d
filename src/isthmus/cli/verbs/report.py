"""`isthmus report`: a page on a model and its data."""

from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.input import DataPath, Reading
from isthmus.cli.model_options import ModelPath
from isthmus.cli.output import Force, refuse_output
from isthmus.cli.telling import Telling


def report(
    model: ModelPath,
    data: DataPath,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The page, HTML.")],
    reading: Reading,
    telling: Telling,
    title: Annotated[str | None, typer.Option(help="Heading of the page.")] = None,
    force: Force = False,
) -> None:
    """Write one HTML page, for screen, phone and paper, on a model and its data.

    Columns, training, what was won over the closed form, reconstructions, the plane of codes, anomalies.

    Example: isthmus report loans.isthmus loans.csv --id loan_id --target default -o loans.html
    """
    from isthmus.cli.model_options import load_model
    from isthmus.cli.page import write_page
    from isthmus.tasks.checking import check as checked

    refuse_output(out, model, data, force=force)
    loaded = load_model(model)
    file = reading.open(data, telling, loaded)
    findings = checked(file.data, loaded)
    write_page([loaded], file, out, title=title, findings=findings, model=model, source=data)
    telling.result({"files": [str(out)]}, f"written: {out}")
