"""From a network that is about to be trained to a `FittedModel`, by a training that Ctrl-C may end early."""

import dataclasses
import warnings
from contextlib import AbstractContextManager

from isthmus.core.interrupts import uninterrupted
from isthmus.core.network import Network
from isthmus.core.torch_threads import threads
from isthmus.data.schema import TableSchema
from isthmus.engine import devices
from isthmus.engine.compute import compute
from isthmus.engine.history import History
from isthmus.engine.inference import BLOCK
from isthmus.engine.trainer import Trainer
from isthmus.engine.training_warning import TrainingWarning
from isthmus.estimators.building import Built
from isthmus.estimators.closed_form import Choice, components_in_place, floor_of, settled, use_all_rows
from isthmus.estimators.cross_validation import CrossValidated
from isthmus.estimators.denser import is_denser
from isthmus.estimators.fitted_model import FittedModel, TrainingRecord
from isthmus.estimators.floor import Floor
from isthmus.estimators.marginal import Marginal, learned_marginal
from isthmus.estimators.parameters import Parameters
from isthmus.estimators.ready_model import ReadyModel
from isthmus.estimators.validation import HeldOut


def trained_model(
    parameters: Parameters,
    schema: TableSchema,
    built: Built,
    trainer: Trainer,
    crossed: CrossValidated | None,
    on_floor: Choice,
    held: HeldOut,
    density: bool,
) -> FittedModel:
    """Train, and look at what came of it.

    What follows the training is not interrupted: Ctrl-C then ends nothing any more, and is told of.

    Parameters
    ----------
    parameters, schema, held
        What was built from.
    built, trainer
        The network with its first weights, and what trains it.
    crossed
        What cross-validation found, for few rows.
    on_floor
        Whether a closed form may take the place of the network.
    density
        Whether to learn the distribution of codes.
    """
    with uninterrupted() as interrupts:
        history = trainer.fit()
        epochs, state = max(trainer.epoch, 1), built.generator.get_state()
        record = TrainingRecord(history, trainer.report, epochs, state, built.units.stream)
        floor: Floor | None = None
        marginal: Marginal | None = None
        late = False
        try:
            with threads_to_use(parameters, built.network):
                floor = floor_of(built, crossed, on_floor, held.groups)
                plain = parameters.floor == "auto" and schema.columns is None
                open_to_density = plain and is_within_chance(floor, crossed, on_floor)
                if open_to_density and is_denser(
                    built, components_in_place(built), schema, record, compute(parameters.compute)
                ):
                    on_floor = "tell"
                built, floor = settled(built, floor, on_floor, history)
                if floor is not None and floor.returned and held.drawn:
                    use_all_rows(built)
                if density:
                    marginal = learned_marginal(built.network, built.rows, built.training, built.validation)
        except KeyboardInterrupt:  # raised by batches of the user's own, since signals are kept
            if trainer.whole:
                raise
            late = True
        report = dataclasses.replace(trainer.report, floor="" if floor is None else str(floor))
        if floor is not None and parameters.verbose:
            print(floor)
        record = dataclasses.replace(record, report=report, floor=floor, marginal=marginal, curve=built.curve)
        model = FittedModel(schema, built.units.scaling, built.composition, built.network, built.units.dtype, record)
        told(trainer, parameters, model)
        if not trainer.whole and (interrupts.taken() or late):
            note_late(history)
    return model


def told(trainer: Trainer, parameters: Parameters, model: FittedModel) -> None:
    """Tell the callbacks that a model is complete."""
    ready = ReadyModel(parameters, model)
    for callback in trainer.callbacks:
        callback.on_model_ready(trainer, ready)


def is_within_chance(floor: Floor | None, crossed: CrossValidated | None, on_floor: Choice) -> bool:
    """Whether a network has no more error than the closed form that may take its place, but no less beyond chance."""
    return on_floor == "return" and crossed is None and floor is not None and floor.reached and not floor.won


def note_late(history: History) -> None:
    """Note that Ctrl-C came after training, and warn of it, unless an earlier one was told of already."""
    if history.interrupted:
        return
    history.stopped = f"interrupted after training ({history.stopped})"
    warnings.warn(f"the fit was {history.stopped}; the best weights are kept", TrainingWarning, stacklevel=5)


def threads_to_use(parameters: Parameters, network: Network) -> AbstractContextManager[None]:
    """Return the context in which rows pass through a network once."""
    operations = 6.0 * BLOCK * sum(parameter.numel() for parameter in network.parameters())
    return threads(devices.thread_count(compute(parameters.compute).threads, operations))
