"""`FitReport`: what was chosen for a training run, and why."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class FitReport:
    """How a model was trained: what was asked for or chosen, and why. ``print`` shows it in a line.

    Attributes
    ----------
    rows, judges
        Rows that were trained on, and that judged.
    epochs, batches
        Epochs at most, and steps in each.
    batch_size
        Rows a step.
    learning_rate, schedule
        Its greatest, and how it changes.
    device, data
        Where the arithmetic was, and where the rows waited.
    precision
        Of weights and products, in words.
    threads
        How many in the end, and what trials said, in words.
    steps
        How steps were taken: with the gradient written out, by autograd, compiled, recorded.

    Examples
    --------
    >>> from isthmus import AutoEncoder
    >>> from sklearn.datasets import load_iris
    >>> report = AutoEncoder(2, epochs=3, random_state=0).fit(load_iris().data).fit_report_
    >>> report.batch_size, report.batches, report.device
    (135, 1, 'cpu')
    """

    rows: int
    judges: int
    epochs: int
    batches: int
    batch_size: int
    learning_rate: float
    schedule: str
    device: str
    data: str
    precision: str
    threads: str
    steps: str

    def __str__(self) -> str:
        return (
            f"{self.rows} rows to train on and {self.judges} to judge by, up to {self.epochs} epochs of {self.batches} "
            f"batches of {self.batch_size}, learning rate {self.learning_rate:g} ({self.schedule}); on {self.device}, "
            f"data {self.data}; {self.precision}; {self.steps}; threads: {self.threads}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and strings, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "FitReport":
        """Undo `to_dict`."""
        return cls(**plain)
