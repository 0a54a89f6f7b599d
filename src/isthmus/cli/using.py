"""What the commands that apply a model to data have in common."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from isthmus import AnomalyDetector, AutoEncoder, Imputer
from isthmus.cli.applying import applied, columns_table, rows_table
from isthmus.cli.input import Reading
from isthmus.cli.model_options import load_model, refuse_kind
from isthmus.cli.output import Output
from isthmus.cli.telling import Telling

if TYPE_CHECKING:
    import pyarrow


def use_autoencoder(
    model: Path,
    data: str,
    output: Output,
    reading: Reading,
    telling: Telling,
    use: "Callable[[AutoEncoder, object], pyarrow.Table]",
    *,
    purpose: str,
) -> None:
    """Load an autoencoder, apply it to the rows of a file piece by piece, and write the result."""
    output.refuse(model, data)
    autoencoder = load_model(model)
    refuse_kind(autoencoder, AutoEncoder, model, purpose)
    # Codes are no rows: the model's columns are not theirs.
    write_applied(
        lambda rows: use(autoencoder, rows),
        data,
        output,
        reading,
        telling,
        None if purpose == "decode" else autoencoder,
    )


def write_applied(
    use: "Callable[[object], pyarrow.Table]",
    data: str,
    output: Output,
    reading: Reading,
    telling: Telling,
    model: AutoEncoder | AnomalyDetector | None,
) -> None:
    """Apply a function to the rows of a file piece by piece, and write the result."""
    file = reading.open(data, telling, model)
    output.write(applied(file, use), data)
    told = {"rows": file.rows, "files": [output.out]}
    telling.result(told, f"written: {output.out}, {file.rows:,} rows", aside=output.standard)


def reconstructions(autoencoder: AutoEncoder, rows: object) -> "pyarrow.Table":
    """Return reconstructions as a table with the model's own column names."""
    return rows_table(autoencoder.reconstruct(rows), names_of(autoencoder))


def names_of(model: AutoEncoder | Imputer) -> list[str]:
    """Return the names of a model's columns: those of `fit`, or x0, x1, ... where it had none."""
    fitted = model.fitted_model()
    assert fitted is not None
    return [str(name) for name in fitted.schema.labels]


def use_scores(model: Path, data: str, output: Output, reading: Reading, telling: Telling) -> None:
    """Load a model, score the rows of a file piece by piece, and write the scores."""
    output.refuse(model, data)
    loaded = load_model(model)
    if isinstance(loaded, AnomalyDetector):
        write_applied(
            lambda rows: columns_table(-loaded.score_samples(rows), ["score"]), data, output, reading, telling, loaded
        )
        return
    refuse_kind(loaded, AutoEncoder, model, "score")

    def scores(rows: object) -> "pyarrow.Table":
        found = np.column_stack([loaded.score_samples(rows), loaded.reconstruction_error(rows)])
        return columns_table(found, ["log_likelihood", "error"])

    write_applied(scores, data, output, reading, telling, loaded)
