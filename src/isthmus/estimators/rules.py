"""What "auto" means: how to train, from the size of the data; and how what a user gives instead is checked."""

import math
from collections.abc import Callable
from numbers import Integral
from typing import TypeGuard, TypeVar

import numpy as np

from isthmus.core.checks import as_float, flag, fraction, is_number, positive_number, whole_number
from isthmus.core.initialisation import INITIALISATIONS
from isthmus.core.principal import PrincipalComponents
from isthmus.data.moments import Summary
from isthmus.data.scaling import AffineScaling
from isthmus.data.schema import TableSchema
from isthmus.engine.compute import compute
from isthmus.engine.fast.matmul import backend_name
from isthmus.engine.optimisers import optimiser
from isthmus.engine.plan import Plan
from isthmus.engine.schedules import schedule
from isthmus.estimators import checks
from isthmus.estimators.fitted_model import FittedModel
from isthmus.estimators.parameters import Backbone, Parameters, Slot
from isthmus.parts.backbones import Dense, Linear, Tied
from isthmus.parts.by_shape import ByShape
from isthmus.parts.convolution import Convolutional
from isthmus.parts.corruptions import Masking
from isthmus.parts.likelihoods import Bernoulli, Gaussian

Number = TypeVar("Number", int, float)

INITS = (*INITIALISATIONS, "layerwise")
"""Choices of the first weights."""
FULL_BATCH = 256
"""Up to this many rows, one batch holds all of them."""
BATCH = 128
LEAST_EPOCHS = 20
LEAST_STEPS = 1000
LEAST_STEPS_UNVALIDATED = 200
"""Fewer without validation rows: a small table is memorised in a thousand steps."""
LEARNING_RATE = 5e-3
LEAST_VALIDATED = 100
"""Tables with fewer rows have no validation rows."""
MOST_VALIDATION = 2000
PRINCIPAL_ROWS, PRINCIPAL_ROWS_PER_COLUMN = 10_000, 32
"""Rows from which principal components are found; on MNIST the first error is within half a percent of all rows'."""
HIDDEN = 0.1
"""Share of the columns that are hidden in training where some cells are missing."""


def batch_size(rows: int) -> int:
    """Return the batch size: 128, or all rows if there are at most 256."""
    return rows if rows <= FULL_BATCH else BATCH


def epochs(rows: int, batch: int, validated: bool) -> int:
    """Return the number of epochs: 20, or as many as make 1,000 steps (200 steps without validation rows)."""
    steps = LEAST_STEPS if validated else LEAST_STEPS_UNVALIDATED
    return max(LEAST_EPOCHS, math.ceil(steps / math.ceil(rows / batch)))


def automatic_validation(rows: int) -> int:
    """Return the number of validation rows: a tenth, at most 2,000, and none of fewer than 100 rows."""
    return 0 if rows < LEAST_VALIDATED else min(rows // 10, MOST_VALIDATION)


def principal_rows(features: int) -> int:
    """Return how many rows principal components are found from: 32 per column, at least 10,000."""
    return max(PRINCIPAL_ROWS, PRINCIPAL_ROWS_PER_COLUMN * features)


def likelihood(summary: Summary, scaling: AffineScaling) -> Gaussian | Bernoulli:
    """Return Bernoulli for zeros and ones, else Gaussian, with a sigmoid on its mean for values in [0, 1]."""
    least = ((summary.smallest - scaling.shift) / scaling.scale).min()
    greatest = ((summary.largest - scaling.shift) / scaling.scale).max()
    if summary.binary and not scaling.shifted and scaling.common == 1:
        return Bernoulli()
    if least >= 0 and greatest <= 1 + 1e-9:
        return Gaussian(activation="sigmoid")
    return Gaussian()


def validation_rows(validation: object, rows: int) -> int:
    """Return how many rows are drawn to validate a training: a share of them, or as many as suits their number."""
    if is_auto(validation):
        return automatic_validation(rows)
    return min(round(fraction("validation", validation) * rows), rows - 1)


def latent_size(
    parameters: Parameters, schema: TableSchema, features: int, principal: PrincipalComponents | None
) -> int:
    """Return the size of the code: the number given, or as many components as explain the share given."""
    latent = parameters.latent
    refuse_latent(latent)
    if is_share(latent):
        assert principal is not None, "a share is one of the variance of principal components"
        return principal.rank_for(float(latent))
    size = whole_number("latent", latent, 1)
    checks.refuse_too_large(features, hidden_widths(parameters), size)
    if corruption(parameters, schema) is None:
        checks.warn_if_it_can_copy(size, features, parameters)
    return size


def refuse_latent(latent: object) -> None:
    """Raise a `ValueError` if a size of the code is neither a whole number nor a share."""
    share = is_number(latent) and not isinstance(latent, Integral) and 0 < as_float(latent) < 1
    if not share and (not is_number(latent) or not isinstance(latent, Integral) or int(latent) < 1):
        raise ValueError(
            f"latent must be a whole number of at least 1, 'auto', or a share of the variance in (0, 1); got {latent!r}"
        )


def refuse_layers_beside_encoder(parameters: Parameters) -> None:
    """Raise a `ValueError` if `hidden` or `activation` is set although an `encoder` replaces them."""
    if parameters.encoder is None:
        return
    default = Dense()
    widths = tuple(np.atleast_1d(np.asarray(parameters.hidden, dtype=object)).tolist())
    beside = [f"hidden={parameters.hidden!r}"] * (widths != default.hidden)
    beside += [f"activation={parameters.activation!r}"] * (parameters.activation != default.activation)
    if beside:
        raise ValueError(
            f"encoder= replaces hidden and activation, and {' and '.join(beside)} came beside it: leave them out, or "
            f"give them to the encoder, such as encoder=Dense({', '.join(beside)})"
        )


def hidden_widths(parameters: Parameters) -> tuple[int, ...]:
    """Return the widths of the hidden layers, as far as they are known."""
    if parameters.encoder is None:
        return parameters.hidden
    return parameters.encoder.hidden if isinstance(parameters.encoder, Dense) else ()


def plan(parameters: Parameters, rows: int, n_validation: int) -> Plan:
    """Return how to train on that many rows, with that many others for validation."""
    batch = given("batch_size", parameters.batch_size, lambda: batch_size(rows), at_least_one)
    schedule(parameters.schedule)
    machine = compute(parameters.compute)
    return Plan(
        epochs=given(
            "epochs",
            parameters.epochs,
            lambda: epochs(rows, batch, n_validation > 0),
            at_least_one,
        ),
        batch_size=batch,
        learning_rate=given("learning_rate", parameters.learning_rate, lambda: LEARNING_RATE, positive_number),
        schedule=parameters.schedule,
        optimiser=optimiser(parameters.optimizer),
        patience=None if parameters.patience is None else whole_number("patience", parameters.patience, 1),
        precision=machine.precision,
        repeatable=parameters.random_state is not None,
        compile=flag("compile", machine.compile),
        cuda_graph=flag("cuda_graph", machine.cuda_graph),
        matmul=backend_name(machine.matmul, machine.on),
    )


def at_least_one(name: str, value: object) -> int:
    """Return a whole number of at least 1."""
    return whole_number(name, value, 1)


def given(
    name: str, value: Number | str, automatic: Callable[[], Number], check: Callable[[str, object], Number]
) -> Number:
    """Return a parameter: checked, or the automatic value."""
    return automatic() if is_auto(value) else check(name, value)


def corruption(parameters: Parameters, schema: TableSchema) -> Slot:
    """Return the corruption: the one given, or a tenth of the columns hidden where cells are missing."""
    if not is_auto(parameters.corruption):
        return parameters.corruption
    gaps = any(column.missing and column.likelihood for column in schema.columns or ())
    return Masking(HIDDEN, value=None) if gaps else None


def takes_gaps(parameters: Parameters) -> bool:
    """Whether cells may be missing: the likelihood is automatic, and the encoder has room for marks of gaps."""
    encoder = parameters.encoder.rows if isinstance(parameters.encoder, ByShape) else parameters.encoder
    dense = encoder is None or isinstance(encoder, Dense | Linear) or (encoder in ("dense", "linear"))
    return is_auto(parameters.likelihood) and dense and not obstacle_of_network(parameters)


def takes_gaps_in_use(parameters: Parameters, model: FittedModel) -> bool:
    """Whether cells may be missing in use: of images those that count nothing, and of rows as in `fit`.

    A network whose encoder sees what is missing takes gaps in any rows.
    """
    if takes_gaps(parameters):
        return True
    images = model.schema.row_shape is not None or model.network.shows_gaps
    return images and not model.network.likelihood.whole


def obstacle_to_columns(parameters: Parameters) -> str:
    """Say what keeps a model from a table of several kinds of columns, or with gaps, and what to do; "" if nothing."""
    if not is_auto(parameters.likelihood):
        return (
            f"likelihood={parameters.likelihood!r} is one for all columns: leave likelihood='auto', and say what "
            "columns are by columns={'name': 'count', ...}"
        )
    return obstacle_of_network(parameters)


def obstacle_of_network(parameters: Parameters) -> str:
    """Say which part of a network keeps a model from such tables, and what to do; "" if none."""
    backbones = (parameters.encoder, parameters.decoder)
    if any(is_backbone(part, Tied, "tied") for part in backbones):
        return "a Tied decoder gives back what the encoder sees, marks of gaps and all: take decoder=None"
    if any(is_backbone(part, Convolutional, "convolutional") for part in backbones):
        return "a Convolutional network takes images and signals: take encoder='dense'"
    if isinstance(parameters.init, str) and parameters.init == "layerwise":
        return "init='layerwise' trains layers for one kind of column: take init='pca'"
    return ""


def is_backbone(part: Backbone, kind: type, name: str) -> bool:
    """Whether a parameter means a backbone of that kind: the part, or its name."""
    return isinstance(part, kind) or (isinstance(part, str) and part == name)


def is_share(latent: int | float | str) -> TypeGuard[float]:
    """Whether the size of the code is given as a share of the variance."""
    return is_number(latent) and not isinstance(latent, Integral)


def is_auto(value: object) -> TypeGuard[str]:
    """Whether a parameter leaves the choice to the library."""
    return isinstance(value, str) and value == "auto"
