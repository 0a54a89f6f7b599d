"""Training: from parameters and a table to a `FittedModel`, at once or chunk by chunk."""

import dataclasses
import warnings
from collections.abc import Sequence
from copy import copy, deepcopy
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Generator

from isthmus.core.interrupts import uninterrupted
from isthmus.core.network import Network
from isthmus.data.columns import Columns
from isthmus.data.rows import Rows
from isthmus.data.scaling import AffineScaling
from isthmus.data.schema import TableSchema
from isthmus.data.stream_moments import Change
from isthmus.data.table import Table
from isthmus.data.tables import TableScaling
from isthmus.data.weights import weighted
from isthmus.engine import devices
from isthmus.engine.callbacks import Callback
from isthmus.engine.compute import compute
from isthmus.engine.history import History
from isthmus.engine.plan import Plan
from isthmus.engine.progress import ProgressReport
from isthmus.engine.trainer import Trainer
from isthmus.estimators import challenge, checks, rules
from isthmus.estimators.building import Built, build, fix_variance, rows_to_train, threads_to_build
from isthmus.estimators.closed_form import can_return, choice
from isthmus.estimators.cross_validation import LastEpoch, cross_validated
from isthmus.estimators.ending import told, trained_model
from isthmus.estimators.fitted_model import PARTIAL_FIT, Composition, FittedModel, TrainingRecord
from isthmus.estimators.following import follow_numbers
from isthmus.estimators.following_tables import follow_table
from isthmus.estimators.network_input import is_bounded, refuse_outside_of
from isthmus.estimators.parameters import Parameters
from isthmus.estimators.settings import settings_of
from isthmus.estimators.units import Units
from isthmus.estimators.validation import given, held_out, held_out_of_stream

AGAIN = ", again at chunk "
"""Says in `History.init` that a stream began anew at PCA."""


def fit(
    parameters: Parameters,
    table: Table,
    schema: TableSchema,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    validation: np.ndarray | None = None,
    compare: bool = True,
    density: bool = False,
    whole: bool = False,
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
    groups
        (n,) labels; rows of one label are either all trained on or all held out.
    validation
        Positions of the rows that are held out of training to validate it, for rows in memory; none of them trains
        without validation. None does as `parameters.validation` says.
    compare
        Whether the network is compared with a closed form (`Floor`), which may take its place.
    density
        Whether to learn the distribution of codes, for log p(x).
    whole
        Whether the model is a member of something that Ctrl-C ends as a whole.

    Returns
    -------
    FittedModel

    Raises
    ------
    ValueError
        If data or parameters are invalid; raised before training starts.
    KeyboardInterrupt
        After Ctrl-C, if `whole`, or before training starts. Later the best weights so far are returned, with a warning.
    """
    reports: list[Callback] = [ProgressReport()] if checks.verbosity(parameters.verbose) else []
    callbacks = checks.callbacks(parameters.callbacks)
    choice(parameters)
    held = held_out(parameters.validation, table, sample_weight, groups) if validation is None else given(validation)
    table, weight = weighted(table, sample_weight, least=2)
    plan = rules.plan(parameters, len(table) - held.count, held.count)
    crossable = validation is None and rules.is_auto(parameters.validation) and not held.count
    with threads_to_build(parameters, table):
        built = build(parameters, table, schema, weight, held, plan, compare and (held.count > 0 or crossable))
    plan = planned(plan, parameters, built)
    on_floor = choice(parameters) if can_return(built) else "tell"
    crossed = None
    if crossable:
        crossed = cross_validated(parameters, table, schema, weight, held.groups, plan, built)
    if crossed is not None and on_floor == "return":
        callbacks = [*callbacks, LastEpoch(crossed.epochs)]
    trainer = Trainer(
        built.network,
        built.rows,
        built.training,
        built.validation,
        plan,
        built.generator,
        [*reports, *callbacks],
        whole=whole,
    )
    trainer.history.init, trainer.scale = built.start, built.units.scale
    trainer.settings = settings_of(parameters)
    if leaves_no_error(built.network):
        trainer.stop("the first weights leave no error that training could lower")
    elif crossed is not None and on_floor == "return" and not (crossed.best.won and crossed.epochs):
        trainer.stop("cross-validation found no gain in training")
    return trained_model(parameters, schema, built, trainer, crossed, on_floor, held, density)


class Begun(NamedTuple):
    """A model that is about to be trained on a chunk of rows."""

    schema: TableSchema
    composition: Composition
    network: Network
    units: Units
    rows: Rows
    generator: Generator
    history: History
    epochs: int


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
        begun = begin(parameters, table, schema, weight, plan)
        with uninterrupted() as interrupts:
            found = trained_more(parameters, begun, plan, callbacks)
            interrupts.taken()
        return found
    # The model follows the rows in place: it must not stop half-way, nor go on without what it has learned then.
    with uninterrupted() as interrupts:
        begun = go_on(parameters, model, table, schema, weight, plan)
        found = trained_more(parameters, begun, plan, callbacks)
        interrupts.taken()
    return found


def trained_more(parameters: Parameters, begun: Begun, plan: Plan, callbacks: Sequence[Callback]) -> FittedModel:
    """Train once over a chunk of rows."""
    network, units = begun.network, begun.units
    plan = dataclasses.replace(
        plan,
        learning_rate=plan.learning_rate * units.stream.pace,
        threads=thread_counts(parameters, network, plan.batch_size),
    )
    index, none = begun.rows.everything(), torch.empty(0, dtype=torch.int64)
    trainer = Trainer(network, begun.rows, index, none, plan, begun.generator, callbacks, units.stream.optimiser)
    trainer.settings, trainer.earlier, trainer.history.init = settings_of(parameters), begun.epochs, begun.history.init
    history, epochs = begun.history, begun.epochs + 1
    for row in trainer.fit():  # no row if training was interrupted
        history.append(row | {"epoch": epochs})
    history.stopped, history.best_epoch = PARTIAL_FIT, epochs
    units.stream.optimiser = trainer.optimiser
    record = TrainingRecord(history, trainer.report, epochs, begun.generator.get_state(), units.stream)
    model = FittedModel(begun.schema, units.scaling, begun.composition, network, units.dtype, record)
    told(trainer, parameters, model)
    return model


def begin(parameters: Parameters, table: Table, schema: TableSchema, weight: np.ndarray | None, plan: Plan) -> Begun:
    """Build a model from the first chunk of a stream."""
    with threads_to_build(parameters, table):
        built = build(parameters, table, schema, weight, held_out_of_stream(parameters.validation, len(table)), plan)
    history = History()
    history.init = built.start
    stream = built.units.stream
    stream.components = challenge.floor_of(parameters, built.network, built.composition.cells)
    rows = rows_to_train(parameters, table, weight, built.units)
    if stream.components is not None:
        chunk = challenge.sketch_of(built.network, stream.components, rows)
        stream.components.add(chunk, Change.none(rows.features))
    return Begun(schema, built.composition, built.network, built.units, rows, built.generator, history, 0)


def go_on(
    parameters: Parameters,
    model: FittedModel,
    table: Table,
    schema: TableSchema,
    weight: np.ndarray | None,
    plan: Plan,
) -> Begun:
    """Let a model follow one more chunk of a stream."""
    if has_outgrown(parameters, model, table):
        return begin_again(parameters, model, table, weight, plan)
    if is_bounded(model.network.likelihood):
        refuse_outside_of(model, table.summary().ends)
    network, record, scaling = model.network.to(compute(parameters.compute).on), model.record, model.scaling
    stream, history = record.stream, record.history
    stream.wake(plan.optimiser, network, plan.learning_rate)
    raw = Rows(table, weight)
    if isinstance(scaling, AffineScaling):
        # In place, so that a model whose training fails later is still consistent.
        change, jumped = follow_numbers(network, scaling, stream, raw)
    else:
        assert schema.columns is not None, "tables of several kinds know their columns"
        # Copies, since the columns change with them: a model whose training fails later stays as it was.
        network, stream, history = deepcopy((network, stream, history))
        scaling, change, jumped = follow_table(network, TableScaling(schema.columns), stream, raw, record.rows)
        schema = dataclasses.replace(schema, columns=Columns(scaling.columns))
    units = Units(scaling, model.likelihood, model.dtype, stream)
    rows = rows_to_train(parameters, table, weight, units)
    if stream.components is None:
        stream.components = challenge.floor_of(parameters, network, model.composition.cells)
    stream.count(changed=jumped or bool((change.grown | change.shrunk).any()))
    if jumped:
        fix_variance(network, rows, challenge.compared_rows(rows))
    if stream.components is not None and stream.is_due:
        if challenge.challenge(network, stream.components, rows, change, record.epochs):
            stream.slow_down()
            history.init = f"{history.init.partition(AGAIN)[0]}{AGAIN}{record.epochs + 1}"
        else:
            stream.speed_up()
    elif stream.components is not None:
        stream.components.add(challenge.sketch_of(network, stream.components, rows), change)
    generator = Generator()
    generator.set_state(record.generator)
    return Begun(schema, model.composition, network, units, rows, generator, history, record.epochs)


def begin_again(
    parameters: Parameters, model: FittedModel, table: Table, weight: np.ndarray | None, plan: Plan
) -> Begun:
    """Build a model anew, with codes of the same size, from a chunk whose values the first choices do not suit."""
    record, sized = model.record, copy(parameters)
    sized.latent = model.latent
    begun = begin(sized, table, model.schema, weight, plan)
    record.history.init = f"{begun.history.init}{AGAIN}{record.epochs + 1}"
    return begun._replace(history=record.history, epochs=record.epochs)


def has_outgrown(parameters: Parameters, model: FittedModel, table: Table) -> bool:
    """Whether a chunk leaves [0, 1], for which scale and likelihood were chosen by the values before; warns if so."""
    chosen = rules.is_auto(parameters.scale) and rules.is_auto(parameters.likelihood)
    own, module = model.scaling, model.network.likelihood
    unscaled = isinstance(own, AffineScaling) and not own.shifted and own.common == 1
    if not (chosen and unscaled and module.activation == "sigmoid" and len(table) > 1):
        return False
    summary = Rows(table).summary()
    outside = ((summary.smallest < -checks.TOLERANCE) | (summary.largest > 1 + checks.TOLERANCE)).nonzero().flatten()
    if not len(outside):
        return False
    j = int(outside[0])
    warnings.warn(
        f"all values before this chunk were in [0, 1], and {checks.column_label(j, model.schema.names)} now goes from "
        f"{summary.smallest[j]:g} to {summary.largest[j]:g}: training begins again with this chunk, its columns scaled "
        "to mean 0 and standard deviation 1; scale='standard', likelihood='gaussian' does so from the first chunk",
        UserWarning,
        stacklevel=5,
    )
    return True


def planned(plan: Plan, parameters: Parameters, built: Built) -> Plan:
    """Return the plan with the numbers of threads to choose from."""
    return dataclasses.replace(plan, threads=thread_counts(parameters, built.network, plan.batch_size))


def thread_counts(parameters: Parameters, network: torch.nn.Module, rows: int) -> list[int]:
    """Return the numbers of threads to choose from for training steps on that many rows."""
    weights = sum(parameter.numel() for parameter in network.parameters())
    return devices.thread_counts(compute(parameters.compute).threads, 6.0 * rows * weights)


def leaves_no_error(network: Network) -> bool:
    """Return whether first weights are as good as they can be, so that training would only follow rounding errors.

    Principal components of a table whose rank is that of the code leave nothing; Adam's first steps are as long as its
    learning rate, however small the gradient.
    """
    alone = not network.demands and network.corruption is None
    return alone and network.likelihood.exhausted
