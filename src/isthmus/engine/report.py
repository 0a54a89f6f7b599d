"""`FitReport`: the settings of a training run and the reasons for them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from isthmus.core.json_type import Json
from isthmus.core.typed_json import typed
from isthmus.engine.html_tables import html_pairs


@dataclass
class FitReport:
    """How a model was trained: every setting, whether given or chosen, and the reasons for those that were chosen.

    `print` shows it in one line, a notebook as a table.

    Attributes
    ----------
    rows, validation_rows : int
        Number of training rows and of validation rows.
    epochs, batches : int
        Epochs at most, and training steps per epoch.
    batch_size : int
        Rows of the largest batch.
    learning_rate : float
        Peak learning rate.
    schedule : str
        How the learning rate changes.
    device, data : str
        The device, and where the rows were kept.
    precision : str
        Number type of the weights and of the matrix products.
    threads : str
        Number of threads at the end of training, and the times of the trial that chose it.
    steps : str
        How steps were taken: by autograd, compiled, by the fused backward pass, by a CUDA graph.
    scale : str
        How the columns were scaled, and why.
    floor : str
        Held-out error of the model beside that of principal components.

    Examples
    --------
    >>> from isthmus import AutoEncoder
    >>> from sklearn.datasets import load_iris
    >>> report = AutoEncoder(2, epochs=3, random_state=0).fit(load_iris().data).fit_report_
    >>> report.batch_size, report.batches, report.device
    (135, 1, 'cpu')
    """

    rows: int
    validation_rows: int
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
    scale: str = ""
    floor: str = ""

    def __str__(self) -> str:
        return (
            f"{counted(self.rows, 'training row')}, {counted(self.validation_rows, 'validation row')}, up to "
            f"{counted(self.epochs, 'epoch')} of {counted(self.batches, 'batch', 'batches')} of "
            f"{counted(self.batch_size, 'row')}, learning rate {self.learning_rate:g} ({self.schedule}); on "
            f"{self.device}, data {self.data}; {self.precision}; {self.steps}; threads: {self.threads}"
            + (f"; scale: {self.scale}" if self.scale else "")
            + (f"; {self.floor}" if self.floor else "")
        )

    def _repr_html_(self) -> str:
        return html_pairs(
            [
                ("training rows", f"{self.rows:,}"),
                ("validation rows", f"{self.validation_rows:,}"),
                ("epochs (at most)", f"{self.epochs:,}"),
                ("batches per epoch", f"{self.batches:,}"),
                ("rows per batch", f"{self.batch_size:,}"),
                ("peak learning rate", f"{self.learning_rate:g}"),
                ("schedule", self.schedule),
                ("device", self.device),
                ("data", self.data),
                ("precision", self.precision),
                ("steps", self.steps),
                ("threads", self.threads),
                ("scale", self.scale),
                ("beside a closed form", self.floor),
            ]
        )

    def to_dict(self) -> dict[str, Json]:
        """Return plain numbers and strings by field, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "FitReport":
        """Return the report of which `to_dict` returned `plain`."""
        return typed(cls, plain)


def counted(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun, such as "1 row" and "1,442 rows"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
