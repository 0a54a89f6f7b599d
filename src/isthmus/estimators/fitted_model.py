"""`FittedModel`: everything that a trained autoencoder is; what is used and saved, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import torch
from torch import Tensor

from isthmus.core.network import Network
from isthmus.core.registry import name_of
from isthmus.data.columns import Columns, number_columns
from isthmus.data.scaling import AffineScaling, Scaling
from isthmus.data.schema import TableSchema
from isthmus.engine.history import History
from isthmus.engine.report import FitReport
from isthmus.estimators.floor import Floor
from isthmus.estimators.latent_curve import LatentCurve
from isthmus.estimators.marginal import Marginal
from isthmus.estimators.parameters import Backbone, Slot
from isthmus.estimators.stream_state import StreamState
from isthmus.parts.composition import compose
from isthmus.parts.slots import Likelihood

PARTIAL_FIT = "partial_fit"
"""Why training stopped, for a model that was trained chunk by chunk."""


@dataclass(frozen=True, eq=False)
class Composition:
    """The parts of a network, and its sizes: all that it takes to build the network again.

    Parameters
    ----------
    cells : int
        Numbers per row that the network sees.
    latent : int
        Size K of the code.
    encoder, decoder, code, likelihood, corruption, penalty, objective : part, name or None
        As in `AutoEncoder`, with "auto" resolved.
    """

    cells: int
    latent: int
    encoder: Backbone
    decoder: Backbone
    code: Slot
    likelihood: Likelihood
    corruption: Slot
    penalty: Slot | Sequence[Slot]
    objective: Slot

    @property
    def fields(self) -> dict[str, object]:
        """Everything by name."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}

    def build(self, dtype: torch.dtype) -> Network:
        """Return the network on the processor; its weights are still to be written."""
        with torch.device("cpu"):
            network = compose(
                self.cells,
                self.latent,
                encoder=self.encoder,
                decoder=self.decoder,
                code=self.code,
                likelihood=self.likelihood,
                corruption=self.corruption,
                penalty=self.penalty,
                objective=self.objective,
            )
        return network.to(dtype)


@dataclass(frozen=True, eq=False)
class TrainingRecord:
    """How a model was trained, and what it takes to go on with the training.

    Parameters
    ----------
    history : History
        Losses by epoch.
    report : FitReport
        What was chosen for the training.
    epochs : int
        Epochs trained, or calls of `partial_fit`.
    generator : Tensor
        State of the generator that orders rows and seeds noise.
    stream : StreamState
        What is remembered of the rows, for more of them.
    floor : Floor or None
        What a closed form of the same size reached on the validation rows; None where it was not measured.
    marginal : Marginal or None
        The distribution of codes, for log p(x); None if codes have no density, and after `partial_fit`.
    curve : LatentCurve or None
        The scores by which the size of the code was chosen; None if it was given.
    """

    history: History
    report: FitReport
    epochs: int
    generator: Tensor
    stream: StreamState
    floor: Floor | None = None
    marginal: Marginal | None = None
    curve: LatentCurve | None = None

    @property
    def rows(self) -> float:
        """Rows that were last trained on, or validated the training."""
        return float(self.report.rows + self.report.validation_rows)


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A trained autoencoder: from tables to numbers, from numbers to the network, through it, and back.

    Parameters
    ----------
    schema : TableSchema
        What was learned of the table's columns.
    scaling : Scaling
        Between the data's units and the network's.
    composition : Composition
        The parts of the network.
    network : Network
        The torch module, with its trained weights.
    dtype : torch.dtype
        Number type of the weights.
    record : TrainingRecord
        How it was trained.
    """

    schema: TableSchema
    scaling: Scaling
    composition: Composition
    network: Network
    dtype: torch.dtype
    record: TrainingRecord = field(repr=False)

    @property
    def likelihood(self) -> Likelihood:
        """The likelihood p(x|z) that was used: the part."""
        return self.composition.likelihood

    @property
    def columns(self) -> Columns:
        """What each column of the table was taken for; numbers alone have one likelihood for all."""
        if self.schema.columns is not None:
            return self.schema.columns
        assert isinstance(self.scaling, AffineScaling), "tables of numbers have affine scalings"
        return number_columns(self.schema.labels, name_of(self.likelihood, "likelihood"), self.scaling.words())

    @property
    def latent(self) -> int:
        """Size K of the code."""
        return self.network.code.latent

    @property
    def weights(self) -> int:
        """Number of trained weights."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    def operations(self, rows: int) -> float:
        """Return the floating-point operations of a training step on that many rows, about."""
        return 6.0 * rows * self.weights
