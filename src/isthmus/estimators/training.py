"""Training: from parameters and a table to a `FittedModel`, at once or chunk by chunk."""

import dataclasses

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Generator

from isthmus.data.moments import RunningMoments
from isthmus.data.rows import Rows
from isthmus.data.scaling import AffineScaling, scaling
from isthmus.data.schema import TableSchema
from isthmus.data.table import Table
from isthmus.data.weights import weighted
from isthmus.engine import devices
from isthmus.engine.callbacks import Callback
from isthmus.engine.compute import compute
from isthmus.engine.history import History
from isthmus.engine.inference import BLOCK
from isthmus.engine.plan import Plan
from isthmus.engine.progress import ProgressReport
from isthmus.engine.trainer import Trainer
from isthmus.estimators import checks, health, rules
from isthmus.estimators.building import Built, Units, build, fix_variance, rows_to_train, threads_to_build
from isthmus.estimators.fitted_model import FittedModel, TrainingRecord
from isthmus.estimators.network_input import is_bounded, refuse_outside_of
from isthmus.estimators.parameters import Parameters
from isthmus.estimators.rescaling import can_rescale, rescale


def fit(
    parameters: Parameters,
    table: Table,
    schema: TableSchema,
    sample_weight: ArrayLike | None = None,
    validation: np.ndarray | None = None,
) -> FittedModel:
    """Train an autoencoder on a table.

    Parameters
    ----------
    parameters
        Of an `AutoEncoder`, or any object with the same attributes.
    table
        (n, R) rows, as `read_table` returns them.
    schema
        What was learned of the table.
    sample_weight
        (n,) weights, at least 0; None for equal ones.
    validation
        Positions of the rows that are kept out of training to validate it, for rows in memory of equal weight; None
        for as many as `validation_fraction` says, drawn at random.

    Returns
    -------
    FittedModel

    Raises
    ------
    ValueError
        If data or parameters are invalid; raised before training starts.
    """
    reports: list[Callback] = [ProgressReport()] if checks.verbosity(parameters.verbose) else []
    callbacks = checks.callbacks(parameters.callbacks)
    table, weight = weighted(table, sample_weight, least=2)
    drawn = rules.validation_rows(parameters.validation_fraction, len(table))
    n_validation = drawn if validation is None else len(validation)
    plan = rules.plan(parameters, len(table) - n_validation, n_validation)
    with threads_to_build(parameters, table):
        built = build(parameters, table, schema, weight, drawn if validation is None else validation, plan)
    trainer = Trainer(
        built.network,
        built.rows,
        built.training,
        built.validation,
        planned(plan, parameters, built),
        built.generator,
        [*reports, *callbacks],
    )
    trainer.history.init = built.start
    history = trainer.fit()
    finish(parameters, built, history)
    record = TrainingRecord(
        history, trainer.report, max(trainer.epoch, 1), built.generator.get_state(), built.units.moments
    )
    return model_of(built, schema, record)


def fit_more(
    parameters: Parameters,
    model: FittedModel | None,
    table: Table,
    schema: TableSchema,
    sample_weight: ArrayLike | None = None,
) -> FittedModel:
    """Train once over one more chunk of rows; without a model yet, build one from the chunk.

    Parameters
    ----------
    parameters
        Of an `AutoEncoder`.
    model
        What was trained on the chunks before, or None.
    table, schema, sample_weight
        As in `fit`.
    """
    callbacks = checks.callbacks(parameters.callbacks)
    table, weight = weighted(table, sample_weight, least=2 if model is None else 1)
    plan = dataclasses.replace(rules.plan(parameters, len(table), 0), epochs=1, schedule="constant", open_ended=True)
    if model is None:
        with threads_to_build(parameters, table):
            n_validation = rules.validation_rows(parameters.validation_fraction, len(table))
            built = build(parameters, table, schema, weight, n_validation, plan)
        history = History()
        history.init = built.start
        generator, epochs, optimiser = built.generator, 0, None
        network, composition, units = built.network, built.composition, built.units
    else:
        network, composition, record = model.network, model.composition, model.record
        history, epochs, optimiser = record.history, record.epochs, record.optimiser
        generator = Generator()
        generator.set_state(record.generator)
        if is_bounded(network.likelihood):
            refuse_outside_of(model, table.summary().ends)
        follow(model, Rows(table, weight))
        units = Units(model.scaling, model.composition.likelihood, model.dtype, record.moments)
    rows = rows_to_train(parameters, table, weight, units)
    plan = dataclasses.replace(plan, threads=thread_counts(parameters, network, plan.batch_size))
    none = torch.empty(0, dtype=torch.int64)
    trainer = Trainer(network, rows, rows.everything(), none, plan, generator, callbacks, optimiser)
    for row in trainer.fit():  # no row if training was interrupted
        history.append(row | {"epoch": epochs + 1})
    history.stopped, history.best_epoch = "partial_fit", epochs + 1
    record = TrainingRecord(
        history, trainer.report, epochs + 1, generator.get_state(), units.moments, trainer.optimiser
    )
    return FittedModel(schema, units.scaling, composition, network, units.dtype, record)


def planned(plan: Plan, parameters: Parameters, built: Built) -> Plan:
    """Return the plan with the numbers of threads to choose from."""
    return dataclasses.replace(plan, threads=thread_counts(parameters, built.network, plan.batch_size))


def thread_counts(parameters: Parameters, network: torch.nn.Module, rows: int) -> list[int]:
    """Return the numbers of threads to choose from for training steps on that many rows."""
    weights = sum(parameter.numel() for parameter in network.parameters())
    return devices.thread_counts(compute(parameters.compute).threads, 6.0 * rows * weights)


def finish(parameters: Parameters, built: Built, history: History) -> None:
    """Fix optimal variances on the rows that validated the training, or trained it, and look for dead parts."""
    index = built.validation if len(built.validation) else built.training
    operations = 6.0 * BLOCK * sum(parameter.numel() for parameter in built.network.parameters())
    with devices.threads(devices.thread_count(compute(parameters.compute).threads, operations)):
        fix_variance(built.network, built.rows, index)
        history.health = health.report(built.network, built.rows, index)


def model_of(built: Built, schema: TableSchema, record: TrainingRecord) -> FittedModel:
    """Return the model of a network that was built and trained."""
    units = built.units
    return FittedModel(schema, units.scaling, built.composition, built.network, units.dtype, record)


def follow(model: FittedModel, rows: Rows) -> None:
    """Add rows to the running moments, and let a standard scaling follow them; other scalings stay.

    Everything is changed in place, so that a model whose training fails later is still consistent.
    """
    if model.schema.columns is not None:
        return
    moments: RunningMoments = model.record.moments
    own = model.scaling
    assert isinstance(own, AffineScaling), "numbers alone are scaled by column"
    before, _ = scaling("standard", moments.summary, rows.table.dtype)
    pairs = (before.shift, own.shift), (before.scale, own.scale)
    standard = all(torch.allclose(one, other, rtol=1e-9, atol=0) for one, other in pairs)
    moments.join(rows.running())
    if standard and can_rescale(model.network):
        after, _ = scaling("standard", moments.summary, rows.table.dtype)
        rescale(model.network, model.record.optimiser, own, after)
        own.load_state_dict(after.state_dict())
        own.refresh()
