"""What "auto" means, and how what a user gives instead is checked: how to train, from the size of the data."""

import math
from collections.abc import Callable
from numbers import Integral
from typing import Any

from isthmus.core.checks import flag, fraction, is_number, positive_number, whole_number
from isthmus.core.initialisation import INITIALISATIONS
from isthmus.core.principal import PrincipalComponents
from isthmus.data.scaling import Scaling, Summary
from isthmus.engine.compute import compute
from isthmus.engine.fast.matmul import maker
from isthmus.engine.optimisers import optimiser
from isthmus.engine.schedules import schedule
from isthmus.engine.trainer import Plan
from isthmus.estimators import validation
from isthmus.parts.backbones import Dense, Linear, Tied
from isthmus.parts.convolution import Convolutional
from isthmus.parts.corruptions import Masking
from isthmus.parts.likelihoods import Bernoulli, Gaussian

INITS = (*INITIALISATIONS, "layerwise")
"""Where training can start."""
FULL_BATCH = 256
"""Up to as many rows one batch holds them all."""
BATCH = 128
LEAST_EPOCHS = 20
LEAST_STEPS = 1000
LEAST_STEPS_UNJUDGED = 200
"""Fewer where no rows judge the training: a small table is learned by heart in a thousand steps."""
LEARNING_RATE = 5e-3
LEAST_JUDGED = 100
"""From as many rows on, some of them judge the others' training."""
MOST_JUDGED = 2000
PRINCIPAL_ROWS, PRINCIPAL_ROWS_A_COLUMN = 10_000, 32
"""Rows of which principal components are found; on MNIST the first error is within half a percent of all rows'."""
HIDDEN = 0.1
"""Share of the columns that are hidden in training where some cells are missing."""


def batch_size(rows: int) -> int:
    """128 rows; all of them where there are at most 256."""
    return rows if rows <= FULL_BATCH else BATCH


def epochs(rows: int, batch: int, judged: bool) -> int:
    """20 epochs, or as many as make 1,000 steps; 200 steps where no rows judge the training."""
    steps = LEAST_STEPS if judged else LEAST_STEPS_UNJUDGED
    return max(LEAST_EPOCHS, math.ceil(steps / math.ceil(rows / batch)))


def judged_rows(rows: int) -> int:
    """None of fewer than 100 rows; else a tenth, and at most 2,000."""
    return 0 if rows < LEAST_JUDGED else min(rows // 10, MOST_JUDGED)


def principal_rows(features: int) -> int:
    """32 rows a column, and at least 10,000."""
    return max(PRINCIPAL_ROWS, PRINCIPAL_ROWS_A_COLUMN * features)


def likelihood(summary: Summary, scaling: Scaling) -> Gaussian | Bernoulli:
    """Bernoulli for zeros and ones; Gaussian with a sigmoid on its mean for other values in [0, 1]; else Gaussian."""
    least = ((summary.smallest - scaling.shift) / scaling.scale).min()
    greatest = ((summary.largest - scaling.shift) / scaling.scale).max()
    if summary.binary and not scaling.shifted and scaling.common == 1:
        return Bernoulli()
    if least >= 0 and greatest <= 1 + 1e-9:
        return Gaussian(activation="sigmoid")
    return Gaussian()


def judges(validation_fraction: Any, rows: int) -> int:
    """Return how many rows judge the training of the others."""
    if is_auto(validation_fraction):
        return judged_rows(rows)
    return min(round(fraction("validation_fraction", validation_fraction) * rows), rows - 1)


def latent_size(estimator: Any, features: int, principal: PrincipalComponents | None) -> int:
    """Return the size of the code: the number given, or as many components as explain the share given."""
    latent = estimator.latent
    if is_share(latent):
        if not 0 < latent < 1 or principal is None:
            raise ValueError(
                f"latent has to be a whole number of at least 1, or a share of the variance in (0, 1); got {latent!r}"
            )
        return principal.rank_for(float(latent))
    latent = whole_number("latent", latent, 1)
    hidden = estimator.hidden if estimator.encoder is None else getattr(estimator.encoder, "hidden", ())
    validation.refuse_too_large(features, hidden, latent)
    if corruption(estimator) is None:
        validation.warn_if_it_can_copy(latent, features, estimator)
    return latent


def plan(estimator: Any, rows: int, judged: int) -> Plan:
    """Return how to train on so many rows, with so many others to judge by."""
    batch = given(estimator, "batch_size", lambda: batch_size(rows), whole_number, 1)
    schedule(estimator.schedule)
    machine = compute(estimator.compute)
    return Plan(
        epochs=given(estimator, "epochs", lambda: epochs(rows, batch, judged > 0), whole_number, 1),
        batch_size=batch,
        learning_rate=given(estimator, "learning_rate", lambda: LEARNING_RATE, positive_number),
        schedule=estimator.schedule,
        optimiser=optimiser(estimator.optimizer),
        patience=None if estimator.patience is None else whole_number("patience", estimator.patience, 1),
        precision=machine.precision,
        repeatable=estimator.random_state is not None,
        compiled=flag("compile", machine.compile),
        recorded=flag("cuda_graph", machine.cuda_graph),
        products=maker(machine.matmul, machine.on),
    )


def given(estimator: Any, name: str, automatic: Callable[[], Any], check: Callable[..., Any], *least: int) -> Any:
    """Return a parameter: checked, or the automatic value."""
    value = getattr(estimator, name)
    return automatic() if is_auto(value) else check(name, value, *least)


def corruption(estimator: Any) -> Any:
    """Return what is done to the input: what was given, or more cells hidden where some are missing."""
    if not is_auto(estimator.corruption):
        return estimator.corruption
    gaps = any(column.missing and column.likelihood for column in getattr(estimator, "columns_", ()))
    return Masking(HIDDEN, value=None) if gaps else None


def takes_gaps(estimator: Any) -> bool:
    """Whether cells may be missing: where the likelihood is found by looking, and the network has room for marks."""
    dense = estimator.encoder is None or estimator.encoder in ("dense", "linear")
    dense = dense or isinstance(estimator.encoder, Dense | Linear)
    return is_auto(estimator.likelihood) and dense and not obstacle_to_columns(estimator)


def obstacle_to_columns(estimator: Any) -> str:
    """Say what keeps an estimator from a table of several kinds of columns, or with gaps, and the mend; "" if nothing.

    The likelihood is a matter of its own.
    """
    parts = (estimator.encoder, estimator.decoder)
    if any(isinstance(part, Tied) or (isinstance(part, str) and part == "tied") for part in parts):
        return "a Tied decoder gives back what the encoder sees, marks of gaps and all: take decoder=None"
    if any(isinstance(part, Convolutional) or (isinstance(part, str) and part == "convolutional") for part in parts):
        return "a Convolutional network takes images and signals: take encoder='dense'"
    if isinstance(estimator.init, str) and estimator.init == "layerwise":
        return "init='layerwise' trains layers for one kind of column: take init='pca'"
    return ""


def is_share(latent: Any) -> bool:
    """Whether a size of the code is meant as a share of the variance."""
    return is_number(latent) and not isinstance(latent, Integral)


def is_auto(value: Any) -> bool:
    """Whether a parameter leaves the choice to us."""
    return isinstance(value, str) and value == "auto"
