"""What the losses of the epochs say: a learning rate that is too high, and overfitting."""

from collections.abc import Iterable, Mapping

import numpy as np

from isthmus.engine.history import History
from isthmus.estimators.problem import Problem

LEAST_EPOCHS = 3
"""Epochs from which the course of the validation loss is judged."""
SOON = 20
"""Epochs after the best one that are not many."""
LEAST_RISE = 0.2
"""Nats per cell by which the validation loss must rise to be a problem: half as much error again, for a Gaussian."""


def course_of(history: History, cells: int) -> dict[str, float]:
    """Return what the validation losses of the epochs say, in nats per cell.

    Returns
    -------
    dict
        `loss_above_start`: if no epoch was better than the start, by how much the best of them was worse.
        `loss_rise`: if training went on for long after the best epoch, by how much the last one was worse.
    """
    if "val_loss" not in history.columns or len(history) <= LEAST_EPOCHS:
        return {}
    losses = history["val_loss"] / cells
    if not np.isfinite(losses).all():
        return {}
    best = int(np.argmin(losses))
    if best == 0:
        return {"loss_above_start": float(losses[1:].min() - losses[0])}
    # Patience ends a rise soon enough for the best weights to be all that matters.
    return {"loss_rise": float(losses[-1] - losses[best])} if len(losses) - best > SOON else {}


def problems_of_course(health: Mapping[str, float], history: History) -> Iterable[Problem]:
    """Yield the problems that the validation losses show."""
    above, rise = health.get("loss_above_start", 0.0), health.get("loss_rise", 0.0)
    if max(above, rise) <= LEAST_RISE:
        return
    losses, best = history["val_loss"], history.best_epoch
    if above > LEAST_RISE:
        yield Problem(
            "learning-rate",
            f"no epoch was better than the start: the validation loss was {losses[0]:.5g} there and at least "
            f"{losses[1:].min():.5g} later",
            f"take a learning_rate below {history['learning_rate'].max():.3g}",
            above,
        )
    else:
        yield Problem(
            "overfitting",
            f"the validation loss rose from {losses[best]:.5g} in epoch {best} to {losses[-1]:.5g} at the end: the "
            f"weights of epoch {best} are kept",
            "take fewer epochs, patience=10, more rows, a smaller network or a corruption",
            rise,
        )
