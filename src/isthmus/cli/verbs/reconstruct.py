"""`isthmus reconstruct`: rows through the code and back."""

from isthmus.cli.input import DataPath, Reading
from isthmus.cli.model_options import ModelPath
from isthmus.cli.output import Output
from isthmus.cli.telling import Telling


def reconstruct(model: ModelPath, data: DataPath, output: Output, reading: Reading, telling: Telling) -> None:
    """Write what the model makes of every row, in the data's own columns and units.

    Example: isthmus reconstruct loans.isthmus loans.csv --id loan_id -o back.csv
    """
    from isthmus.cli.using import reconstructions, use_autoencoder

    use_autoencoder(model, data, output, reading, telling, reconstructions, purpose="reconstruct")
