"""`isthmus encode`: rows to codes."""

from typing import TYPE_CHECKING

from isthmus.cli.input import DataPath, Reading
from isthmus.cli.model_options import ModelPath
from isthmus.cli.output import Output
from isthmus.cli.telling import Telling

if TYPE_CHECKING:
    import pyarrow

    from isthmus import AutoEncoder


def encode(model: ModelPath, data: DataPath, output: Output, reading: Reading, telling: Telling) -> None:
    """Write the code of every row: a few numbers that stand for it.

    Example: isthmus encode loans.isthmus loans.csv --id loan_id -o codes.parquet
    """
    from isthmus.cli.applying import columns_table
    from isthmus.cli.using import use_autoencoder

    def codes(autoencoder: "AutoEncoder", rows: object) -> "pyarrow.Table":
        return columns_table(autoencoder.transform(rows), list(autoencoder.get_feature_names_out()))

    use_autoencoder(model, data, output, reading, telling, codes, purpose="encode")
