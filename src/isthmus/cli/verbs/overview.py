"""`isthmus overview`, or `isthmus FILE`: the whole story of a file."""

from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.input import DataPath, Reading
from isthmus.cli.model_options import Building
from isthmus.cli.output import Force, refuse_output
from isthmus.cli.telling import Telling

ODDEST = 5
"""Anomalies that are printed."""


def overview(
    data: DataPath,
    reading: Reading,
    building: Building,
    telling: Telling,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The page; the model goes beside it.  [default: DATA.html]"),
    ] = None,
    force: Force = False,
) -> None:
    """Tell the whole story of a file: what the data are, a model, what it won, the anomalies, the plane of codes.

    It writes an HTML report, and beside it the model.

    Example: isthmus loans.csv --id loan_id --target default
    """
    from isthmus import AnomalyDetector
    from isthmus.cli.anomaly_table import oddest_lines
    from isthmus.cli.page import write_page
    from isthmus.cli.summary import facts_of, summary_of
    from isthmus.estimators.records import write_records
    from isthmus.tasks.checking import check

    page = out or Path(f"{stem(data)}.html")
    model = page.with_suffix(".isthmus")
    for path in (page, model):
        refuse_output(path, data, force=force)
    estimator = building.estimator("AutoEncoder")
    file = building.reading(reading).open(data, telling)
    findings = check(file.data, target=file.target)
    telling.note(f"training an autoencoder on {file.rows:,} rows")
    telling.training(each_epoch=False)
    estimator.fit(file.data)
    telling.note("looking for anomalies")
    detector = AnomalyDetector(random_state=building.seed or 0).fit(file.data)
    telling.note("writing the report")
    write_page([estimator, detector], file, page, title=None, findings=findings, model=model, source=data)
    estimator.save(model)
    written = [str(page), str(model), *map(str, write_records(estimator, model))]
    facts = {
        "data": list(file.found),
        "rows": file.rows,
        "findings": findings.to_dicts(),
        "model": facts_of(estimator),
        "anomalies": facts_of(detector),
        "files": written,
    }

    def story() -> str:
        parts = [
            f"{file.name}: {file.rows:,} rows",
            str(findings),
            summary_of(estimator),
            f"{summary_of(detector)}\n{oddest_lines(detector, file, ODDEST)}",
            f"written: {', '.join(written)}",
        ]
        return "\n\n".join(part for part in parts if part)

    telling.result(facts, story)


def stem(where: str) -> str:
    """Return the name of a page for data.

    >>> stem("data/loans.csv.gz"), stem("shop.sqlite::orders"), stem("-"), stem("measurements/")
    ('loans', 'shop.orders', 'data', 'measurements')
    """
    place, _, part = where.partition("::")
    name = Path(place).name.partition(".")[0] if place != "-" else "data"
    inner = "".join(letter if letter.isalnum() or letter in "_-" else "_" for letter in part)[:40]
    return f"{name}.{inner}" if inner else name or "data"
