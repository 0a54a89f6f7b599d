"""`isthmus train`: data to a model file."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.input import DataPath, Reading
from isthmus.cli.model_options import Building
from isthmus.cli.output import Force, refuse_output
from isthmus.cli.telling import Telling


class Kind(StrEnum):
    """What can be trained."""

    AUTOENCODER = "autoencoder"
    DETECTOR = "detector"
    IMPUTER = "imputer"


CLASSES = {Kind.AUTOENCODER: "AutoEncoder", Kind.DETECTOR: "AnomalyDetector", Kind.IMPUTER: "Imputer"}


def train(
    data: DataPath,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="MODEL", help="The model file, such as m.isthmus.")],
    reading: Reading,
    building: Building,
    telling: Telling,
    kind: Annotated[
        Kind | None, typer.Option("--as", help="What is trained.  [default: an autoencoder, or what --config says]")
    ] = None,
    records: Annotated[
        bool, typer.Option("--records/--no-records", help="Write the course of training beside the model.")
    ] = True,
    force: Force = False,
) -> None:
    """Train a model on data, and write it to a file.

    Ctrl-C ends training; the best weights so far are kept and written.

    Example: isthmus train loans.csv --id loan_id --target default --latent 8 -o loans.isthmus
    """
    from isthmus import AutoEncoder
    from isthmus.cli.summary import facts_of, summary_of
    from isthmus.estimators.records import write_records

    refuse_output(out, data, force=force)
    estimator = building.estimator(None if kind is None else CLASSES[kind])
    file = building.reading(reading).open(data, telling)
    telling.training(each_epoch=isinstance(estimator, AutoEncoder))
    estimator.fit(file.data)
    estimator.save(out)
    written = [str(out), *map(str, write_records(estimator, out) if records else [])]
    telling.result(
        {**facts_of(estimator), "rows": file.rows, "files": written},
        lambda: f"{summary_of(estimator)}\nwritten: {', '.join(written)}",
    )
