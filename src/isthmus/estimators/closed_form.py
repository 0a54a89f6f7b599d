"""What happens where a trained network is worse than principal components: they are returned, or it is told."""

import dataclasses
import math
import warnings
from copy import deepcopy
from typing import Literal

import numpy as np
import torch

from isthmus.core.choices import refuse_unknown
from isthmus.engine.history import History
from isthmus.engine.training_warning import TrainingWarning
from isthmus.estimators import health
from isthmus.estimators.building import Built
from isthmus.estimators.closed_forms import ClosedForm
from isthmus.estimators.comparison import Comparison
from isthmus.estimators.component_codes import obstacle_to_components
from isthmus.estimators.component_forms import (
    Components,
    LinearNetwork,
    components_for_floor,
    is_dense,
    linear,
    write_components,
)
from isthmus.estimators.corrupted_forms import CorruptedComponents
from isthmus.estimators.cross_validation import LEAST_ROWS, CrossValidated
from isthmus.estimators.floor import Floor
from isthmus.estimators.parameters import Parameters
from isthmus.estimators.spread import fix_held_out_variance
from isthmus.parts.likelihoods import Gaussian

Choice = Literal["return", "tell"]


def choice(parameters: Parameters) -> Choice:
    """Return what `floor` means for these parameters; raise a `ValueError` if it cannot be."""
    refuse_unknown("floor", parameters.floor, ("auto", "return", "tell"))
    obstacle = obstacle_to_components(parameters)
    if parameters.floor == "return" and obstacle:
        raise ValueError(
            "floor='return' puts principal components in place of networks that only reconstruct, and here "
            f"{obstacle}; take floor='tell'"
        )
    return "tell" if parameters.floor == "tell" or obstacle else "return"


def settled(built: Built, floor: Floor | None, on_floor: Choice, history: History) -> tuple[Built, Floor | None]:
    """Let a closed form take the network's place if that is due, set variances, and look at what came of it."""
    if floor is not None:
        built, floor = not_below(floor, on_floor, built)
    network, rows, training, validation = built.network, built.rows, built.training, built.validation
    fix_held_out_variance(network, rows, training, validation)
    history.health = health.report(network, rows, training, validation, history, floor, components_needed(built))
    return built, floor


def floor_of(built: Built, crossed: CrossValidated | None, on_floor: Choice, groups: np.ndarray | None) -> Floor | None:
    """Return the error of the closed form beside that of the network; None where no rows tell."""
    if crossed is not None:
        return crossed.best if on_floor == "return" else crossed.last
    if built.closed_form is None or not len(built.validation):
        return None
    closed_form = of_size_in_use(built.closed_form, built)
    if closed_form is None:
        return None
    held_out = built.validation
    if isinstance(closed_form, CorruptedComponents):
        held_out = held_out[: closed_form.most_rows]
    compared = Comparison.of(built.network, closed_form, built.rows, held_out)
    if groups is not None:
        compared = compared.by_group(groups[held_out.numpy()])
    return compared.floor(closed_form.method)


def of_size_in_use(closed_form: ClosedForm, built: Built) -> ClosedForm | None:
    """Return the closed form with as many components as a sparse code has numbers in use.

    None if these are not known, or no fewer than the components.
    """
    if is_dense(built.network.code) or not isinstance(closed_form, Components):
        return closed_form
    active = math.ceil(health.diagnose(built.network, built.rows, built.validation).get("mean_active", 0))
    fewer = 0 < active < min(built.composition.cells, closed_form.principal.components.shape[1] + 1)
    return Components(closed_form.principal.first(active)) if fewer else None


def components_needed(built: Built) -> int:
    """Return how many principal components hold nearly all of the variance; 0 if they were not computed."""
    closed_form, few = built.closed_form, len(built.training) < LEAST_ROWS
    if few or not isinstance(closed_form, Components) or not is_dense(built.network.code):
        return 0
    return closed_form.principal.rank_for(health.NEARLY_ALL)


def not_below(floor: Floor, chosen: Choice, built: Built) -> tuple[Built, Floor]:
    """Return what was built, or the principal components in its place unless the network is better; warn of it."""
    if chosen == "return" and not floor.won:
        why = (
            "the gain of the network over them is within chance ({}): more rows may show one, and floor='tell' keeps "
            "the network"
            if floor.reached
            else "the network does not reach them ({}): take wider hidden layers, another activation, more epochs or "
            "another learning rate"
        )
        warnings.warn(
            f"the principal components are returned, because {why.format(floor)}", TrainingWarning, stacklevel=5
        )
        return components_in_place(built), dataclasses.replace(floor, returned=True)
    if not floor.kept:
        warnings.warn(
            f"the network does not reach principal components of the same size ({floor}): take more epochs, wider "
            "layers or a weaker penalty, unless it is there for something else than reconstruction",
            TrainingWarning,
            stacklevel=5,
        )
    return built, floor


def can_return(built: Built) -> bool:
    """Return whether the closed form that was chosen by the data can take the place of the network."""
    closed_form = built.closed_form
    gaussian = isinstance(closed_form, Components) and isinstance(built.units.likelihood, Gaussian)
    return gaussian or isinstance(closed_form, LinearNetwork)


def components_in_place(built: Built) -> Built:
    """Return what was built with the linear autoencoder of the principal components in place of the network."""
    closed_form, likelihood = built.closed_form, built.units.likelihood
    if isinstance(closed_form, LinearNetwork):
        return built._replace(composition=closed_form.composition, network=closed_form.network)
    assert isinstance(closed_form, Components), "other closed forms are no networks"
    assert isinstance(likelihood, Gaussian), "other likelihoods have no place for them"
    straight = dataclasses.replace(likelihood, activation="identity")
    composition = dataclasses.replace(linear(built.composition), likelihood=straight)
    network = composition.build(built.units.dtype)
    write_components(network, closed_form.principal, built.rows, built.training)
    return built._replace(composition=composition, network=network.to(built.rows.device))


def use_all_rows(built: Built) -> None:
    """Let returned components be those of all rows in memory; variances stay as they were on held-out rows."""
    if built.rows.table.streamed or not len(built.validation) or not isinstance(built.closed_form, Components):
        return
    network = built.network.cpu()
    variances = deepcopy(network.likelihood.state_dict())
    everything = torch.cat([built.training[:], built.validation])
    write_components(
        network, components_for_floor(built.rows, everything, network.code.latent, None), built.rows, everything
    )
    network.likelihood.load_state_dict(variances)
    network.to(built.rows.device)
