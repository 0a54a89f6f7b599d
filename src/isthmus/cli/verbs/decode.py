"""`isthmus decode`: codes to rows."""

from typing import TYPE_CHECKING

from isthmus.cli.input import DataPath, Reading
from isthmus.cli.model_options import ModelPath
from isthmus.cli.output import Output
from isthmus.cli.telling import Telling

if TYPE_CHECKING:
    import pyarrow

    from isthmus import AutoEncoder


def decode(model: ModelPath, data: DataPath, output: Output, reading: Reading, telling: Telling) -> None:
    """Write the row that each code stands for; DATA holds codes, as `isthmus encode` writes them.

    Example: isthmus decode loans.isthmus codes.parquet --id loan_id -o rows.csv
    """
    from isthmus.cli.applying import numbers, rows_table
    from isthmus.cli.using import names_of, use_autoencoder

    def rows(autoencoder: "AutoEncoder", codes: object) -> "pyarrow.Table":
        return rows_table(autoencoder.inverse_transform(numbers(codes)), names_of(autoencoder))

    use_autoencoder(model, data, output, reading, telling, rows, purpose="decode")
