"""Where rows are too few to hold any out: how many epochs gain most over a closed form, by cross-validation."""

import math
import warnings
from collections.abc import Sequence
from copy import copy
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from isthmus.data.rows import Rows
from isthmus.data.schema import TableSchema
from isthmus.data.table import Table
from isthmus.engine.callbacks import Callback, TrainingRun
from isthmus.engine.plan import Plan
from isthmus.engine.trainer import Trainer
from isthmus.estimators.building import Built, build
from isthmus.estimators.comparison import Comparison, errors_on
from isthmus.estimators.component_forms import is_dense
from isthmus.estimators.floor import Floor
from isthmus.estimators.parameters import Parameters
from isthmus.estimators.validation import HeldOut
from isthmus.parts.backbones import Principal

FOLDS = 5
"""Parts that a small table is cut into; each is held out once."""
GROWTH, PATIENCE = 1.3, 3
"""Ratio of the epochs after which errors are recorded, and how many records in a row may be no better."""
LEAST_EPOCHS = 30
"""Epochs before which training is not given up."""
LEAST_ROWS = 10
"""Different rows from which cross-validation can tell anything: two per fold."""


class CrossValidated(NamedTuple):
    """What training gains over a closed form on rows that are held out."""

    epochs: int
    """Epochs after which the error on held-out rows is least."""
    best: Floor
    """After these epochs."""
    last: Floor
    """After all epochs."""


class Fold(NamedTuple):
    """How training went with one part of the rows held out."""

    method: str
    """The closed form."""
    epochs: list[int]
    """(E,) epochs after which errors were recorded."""
    curve: Tensor
    """(E, n) error of each held-out row after them."""
    last: Comparison
    """After training."""


class ErrorCurve(Callback):
    """Records the error of each held-out row before training and after some epochs, ever further apart.

    Training ends where the last records are no better than those before.

    Parameters
    ----------
    built
        The network in training, its rows, and the closed form in whose measure errors are.
    """

    def __init__(self, built: Built) -> None:
        self.built = built
        self.errors: list[Tensor] = []
        self.epochs = [0]
        self.due = 1

    def on_fit_start(self, run: TrainingRun) -> None:
        """Record the errors of the first weights."""
        self.record()

    def on_epoch_end(self, run: TrainingRun) -> None:
        """Record the errors after an epoch, if it is one of those; end training if it has been of no use for long."""
        if run.epoch < self.due and run.epoch < run.epochs:
            return
        self.due = max(run.epoch + 1, math.ceil(GROWTH * run.epoch))
        self.epochs.append(run.epoch)
        self.record()
        means = [float(errors.mean()) for errors in self.errors]
        if run.epoch >= LEAST_EPOCHS and len(means) - int(np.argmin(means)) > PATIENCE:
            run.stop("no better error on held-out rows")

    def record(self) -> None:
        """Record the errors of the present weights."""
        network, closed_form = self.built.network, self.built.closed_form
        assert closed_form is not None, "folds are compared with a closed form"
        network.eval()
        network.begin(1.0)
        self.errors.append(errors_on(network, closed_form, self.built.rows, self.built.validation))


class LastEpoch(Callback):
    """Ends training after a number of epochs.

    Parameters
    ----------
    epochs
        The number that cross-validation found.
    """

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_epoch_end(self, run: TrainingRun) -> None:
        """End training if these were all."""
        if run.epoch == self.epochs < run.epochs:
            run.stop(f"cross-validation found {self.epochs} epochs best")


def cross_validated(
    parameters: Parameters,
    table: Table,
    schema: TableSchema,
    weight: np.ndarray | None,
    groups: np.ndarray | None,
    plan: Plan,
    built: Built,
) -> CrossValidated | None:
    """Train on four fifths of the rows five times, and compare with a closed form on the other fifth.

    Parameters
    ----------
    parameters, table, schema, weight, plan
        As in `build`.
    groups
        (n,) numbers of groups that stay together; None keeps equal rows together.
    built
        What was built from all rows.

    Returns
    -------
    CrossValidated or None
        None without a closed form, for sparse codes, and of fewer than ten different rows or five groups.
    """
    if built.closed_form is None or table.streamed or not is_dense(built.network.code):
        return None
    own = copy(parameters)
    own.latent, own.random_state = built.network.code.latent, 0
    if isinstance(built.composition.encoder, Principal):
        own.encoder = built.composition.encoder
    folds, together = [], equal_rows(built.rows) if groups is None else groups
    held_out = parts(together, LEAST_ROWS if groups is None else FOLDS)
    for rows in held_out:
        with warnings.catch_warnings():
            # Whatever goes wrong is told of the training on all rows.
            warnings.simplefilter("ignore")
            folds.append(trained(build(own, table, schema, weight, HeldOut(len(rows), rows, apart=True), plan), plan))
    return None if not folds else summary_of(folds, together[np.concatenate(held_out)])


def summary_of(folds: Sequence[Fold], groups: np.ndarray) -> CrossValidated:
    """Return the number of epochs with the least error on held-out rows, and the floors, by groups of rows (n,)."""
    shortest = min(len(fold.curve) for fold in folds)
    curve = torch.cat([fold.curve[:shortest] for fold in folds], 1)
    last = Comparison.joined([fold.last for fold in folds])
    best = int((curve @ last.weight).nan_to_num(nan=torch.inf).argmin())
    method, count = folds[0].method, len(folds)
    floors = (each.by_group(groups).floor(method, count) for each in (last._replace(model=curve[best]), last))
    return CrossValidated(folds[0].epochs[best], *floors)


def trained(built: Built, plan: Plan) -> Fold:
    """Train on the rows that are not held out."""
    network, rows, none = built.network, built.rows, torch.empty(0, dtype=torch.int64)
    assert built.closed_form is not None, "folds are compared with a closed form"
    curve = ErrorCurve(built)
    Trainer(network, rows, built.training, none, plan, built.generator, [curve], whole=True).fit()
    last = Comparison.of(network, built.closed_form, rows, built.validation)
    return Fold(built.closed_form.method, curve.epochs, torch.stack(curve.errors), last)


def equal_rows(rows: Rows) -> np.ndarray:
    """Return a number for each row, (n,), which is the same for equal rows."""
    x, _ = rows.batch(torch.arange(len(rows)))
    return np.unique(x.cpu().numpy(), axis=0, return_inverse=True)[1].reshape(-1)


def parts(groups: np.ndarray, least: int) -> list[np.ndarray]:
    """Return the positions of the rows of each fold, whole groups; nothing if these are fewer than `least`."""
    found = np.unique(groups)
    if len(found) < least or len(groups) < LEAST_ROWS:
        return []
    order = torch.randperm(len(found), generator=Generator().manual_seed(0)).numpy()
    return [np.flatnonzero(np.isin(groups, found[fold])) for fold in np.array_split(order, FOLDS)]
