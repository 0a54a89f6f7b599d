"""What can go wrong in a code without an error: it carries no information, or parts of it are never used."""

import warnings
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from isthmus.core.network import Network
from isthmus.data.rows import Rows
from isthmus.data.table import Index
from isthmus.engine.history import History
from isthmus.engine.inference import BLOCK
from isthmus.engine.training_warning import TrainingWarning

LEAST_VARIANCE = 0.01
"""A coordinate of the posterior mean with a smaller variance is inactive (Burda, Grosse and Salakhutdinov 2016)."""
LEAST_EPOCHS = 3
"""Epochs from which the course of the validation loss is judged."""
SOON = 20
"""Epochs after the best one that are not many."""
LEAST_RISE = 0.2
"""Nats per cell by which the validation loss must rise to be a problem: half as much error again, for a Gaussian."""
MOST = 4096
"""Rows that are examined."""


@torch.no_grad()
def diagnose(network: Network, rows: Rows, index: Index) -> dict[str, float]:
    """Count what the code uses, over some of the rows at these positions.

    Returns
    -------
    dict
        `active_units`: coordinates that vary (with a posterior: whose mean has a variance above 0.01). For sparse
        codes `used_units` and `mean_active`, how many of them a row has on average; with a codebook `used_codes` and
        `codes`. `dead_outputs`: columns that a relu on the output leaves at 0 for every row.
    """
    network.eval()
    codes: list[Tensor] = []
    dead: Tensor | None = None
    used: Tensor | None = None
    active = 0
    for chunk in index[:MOST].split(BLOCK):
        x, _ = rows.batch(chunk)
        code = network.encode(x)
        codes.append(code.mean.double())
        active += int((code.mean != 0).sum())
        now = network.code.usage(code)
        if now is not None:
            used = now if used is None else used | now
        if network.likelihood.activation == "relu":
            zero = (network.decode(code.mean) == 0).all(0)
            dead = zero if dead is None else dead & zero
    z = torch.cat(codes)
    least = LEAST_VARIANCE if network.code.has_posterior else 1e-12 * float(z.square().mean())
    found = {"active_units": float((z.var(0, correction=0) > least).sum())}
    if used is not None and network.code.codewords:
        found |= {"used_codes": float(used.sum()), "codes": float(len(used))}
    elif used is not None:
        found |= {"used_units": float(used.sum()), "mean_active": active / len(z)}
    return found if dead is None else found | {"dead_outputs": float(dead.sum())}


def problems(health: dict[str, float], network: Network, rows: int) -> Iterable[str]:
    """Yield a sentence for each problem: what is wrong, and what to do."""
    latent, active = network.code.latent, int(health["active_units"])
    if active == 0 and network.code.has_posterior:
        yield (
            f"the posterior collapsed: none of the {latent} coordinates of the code tells rows apart; take a smaller "
            "beta, KL(free_bits=0.1) or KL(warm_up=0.3)"
        )
    elif active == 0:
        yield (
            f"the code is the same for every row: none of its {latent} coordinates varies; take init='pca', a smaller "
            "penalty, another activation or learning_rate, or look whether the rows differ"
        )
    unused = latent - int(health.get("used_units", latent))
    if unused > 0.1 * latent:
        yield (
            f"{unused} of the {latent} units of {network.code.made_by} are dead: no row looked at uses them; take a "
            "larger k or rate, a smaller latent, or anneal"
        )
    codes = int(health.get("codes", 0))
    if codes and health["used_codes"] < 0.5 * min(codes, rows):
        yield (
            f"only {int(health['used_codes'])} of the {codes} codewords of {network.code.made_by} are used; take fewer "
            "of them, or longer training"
        )


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


def problems_of_course(health: dict[str, float], history: History) -> Iterable[str]:
    """Yield a sentence for each problem that the validation losses show."""
    above, rise = health.get("loss_above_start", 0.0), health.get("loss_rise", 0.0)
    if max(above, rise) <= LEAST_RISE:
        return
    losses, best = history["val_loss"], history.best_epoch
    if above > LEAST_RISE:
        yield (
            f"no epoch was better than the start: the validation loss was {losses[0]:.5g} there and at least "
            f"{losses[1:].min():.5g} later; take a learning_rate below {history['learning_rate'].max():.3g}"
        )
    else:
        yield (
            f"the validation loss rose from {losses[best]:.5g} in epoch {best} to {losses[-1]:.5g} at the end: the "
            f"weights of epoch {best} are kept; take fewer epochs, patience=10, more rows, a smaller network or a "
            "corruption"
        )


def report(network: Network, rows: Rows, index: Index, history: History) -> dict[str, float]:
    """Diagnose, and warn once about all problems."""
    health = diagnose(network, rows, index)
    cells = rows.batch(index[:1])[0].shape[1]
    if network.code.latent < cells:
        # A code as wide as the table starts without error, and is told of before training.
        health |= course_of(history, cells)

    wrong = [*problems(health, network, min(len(index), MOST)), *problems_of_course(health, history)]
    if wrong and differ(rows, index[:MOST]):
        warnings.warn("; ".join(wrong), TrainingWarning, stacklevel=4)
    return health


def differ(rows: Rows, index: Tensor) -> bool:
    """Whether the rows at these positions differ: identical rows cannot be told apart by any code."""
    first, _ = rows.batch(index[:1])
    return any(bool((rows.batch(chunk)[0] != first).any()) for chunk in index.split(BLOCK))
