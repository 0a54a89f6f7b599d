"""`isthmus score`: how well a model knows each row."""

from isthmus.cli.input import DataPath, Reading
from isthmus.cli.model_options import ModelPath
from isthmus.cli.output import Output
from isthmus.cli.telling import Telling


def score(model: ModelPath, data: DataPath, output: Output, reading: Reading, telling: Telling) -> None:
    """Write the score of every row: log-likelihood and reconstruction error; of a detector, its anomaly score.

    A higher log-likelihood is more normal; a higher anomaly score is odder.

    Example: isthmus score loans.isthmus loans.csv --id loan_id -o scores.csv
    """
    from isthmus.cli.using import use_scores

    use_scores(model, data, output, reading, telling)
