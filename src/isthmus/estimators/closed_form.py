"""What happens where a trained network is worse than principal components: they are returned, or it is told."""

import dataclasses
import warnings
from copy import deepcopy
from typing import Literal

import torch
from torch import Generator

from isthmus.core.choices import refuse_unknown
from isthmus.core.initialisation import initialise
from isthmus.core.network import Network
from isthmus.engine.training_warning import TrainingWarning
from isthmus.estimators import rules
from isthmus.estimators.building import Built, components_for_floor
from isthmus.estimators.comparison import Components
from isthmus.estimators.floor import Floor
from isthmus.estimators.parameters import Parameters
from isthmus.parts.backbones import Dense, Linear
from isthmus.parts.codes import Deterministic
from isthmus.parts.composition import part
from isthmus.parts.likelihoods import Gaussian

Choice = Literal["return", "tell"]
LOOKED_AT = 512
"""Rows that the first weights are compared with the mean on."""


def choice(parameters: Parameters) -> Choice:
    """Return what `floor` means for these parameters; raise a `ValueError` if it cannot be."""
    refuse_unknown("floor", parameters.floor, ("auto", "return", "tell"))
    obstacle = obstacle_to_return(parameters)
    if parameters.floor == "return" and obstacle:
        raise ValueError(
            "floor='return' puts principal components in place of networks that only reconstruct, and here "
            f"{obstacle}; take floor='tell'"
        )
    return "tell" if parameters.floor == "tell" or obstacle else "return"


def obstacle_to_return(parameters: Parameters) -> str:
    """Return why principal components cannot take the place of the network; "" if they can."""
    for slot in ("encoder", "decoder"):
        given = getattr(parameters, slot)
        if given is not None and not isinstance(part(slot, given), Dense | Linear):
            return f"the {slot} is not dense"
    if part("code", parameters.code) != Deterministic():
        return "the code is another one"
    if parameters.penalty is not None or parameters.objective is not None:
        return "a penalty or an objective asks for more"
    if not rules.is_auto(parameters.corruption) and parameters.corruption is not None:
        return "a corruption is to be undone"
    likelihood = parameters.likelihood
    if not rules.is_auto(likelihood) and not isinstance(part("likelihood", likelihood), Gaussian):
        return "the likelihood is not Gaussian"
    return ""


def not_below(floor: Floor, chosen: Choice, built: Built) -> tuple[Built, Floor]:
    """Return what was built, or the principal components in its place unless the network is better; warn of it."""
    if chosen == "return" and not floor.won and is_gaussian(built):
        why = (
            "the gain of the network over them is within chance ({}): more rows may show one, and floor='tell' keeps "
            "the network"
            if floor.reached
            else "the network does not reach them ({}): take wider hidden layers, another activation, more epochs or "
            "another learning rate"
        )
        warnings.warn(
            f"the principal components are returned, because {why.format(floor)}", TrainingWarning, stacklevel=4
        )
        return components_in_place(built), dataclasses.replace(floor, returned=True)
    if not floor.kept:
        warnings.warn(
            f"the network does not reach principal components of the same size ({floor}): take more epochs, wider "
            "layers or a weaker penalty, unless it is there for something else than reconstruction",
            TrainingWarning,
            stacklevel=4,
        )
    return built, floor


def is_gaussian(built: Built) -> bool:
    """Return whether the likelihood that was chosen by the data has a mean that principal components give."""
    return isinstance(built.units.likelihood, Gaussian)


def components_in_place(built: Built) -> Built:
    """Return what was built with the linear autoencoder of the principal components in place of the network."""
    assert built.closed_form is not None, "there is no floor without principal components"
    likelihood = built.units.likelihood
    assert isinstance(likelihood, Gaussian), "other likelihoods have no place for them"
    composition = dataclasses.replace(
        built.composition,
        encoder=Linear(),
        decoder=Linear(),
        likelihood=dataclasses.replace(likelihood, activation="identity"),
    )
    network = composition.build(built.units.dtype)
    write_components(network, built.closed_form, built)
    return built._replace(composition=composition, network=network.to(built.rows.device))


def write_components(network: Network, closed_form: Components, built: Built) -> None:
    """Write principal components to a linear network on the processor."""
    x, weight = built.rows.batch(built.training[:LOOKED_AT])
    generator = Generator().manual_seed(0)
    principal = closed_form.principal
    initialise(network, "pca", generator, principal, x.cpu(), None if weight is None else weight.cpu())


def use_all_rows(built: Built) -> None:
    """Let returned components be those of all rows in memory; variances stay as they were on held-out rows."""
    if built.rows.table.streamed or not len(built.validation):
        return
    network = built.network.cpu()
    variances = deepcopy(network.likelihood.state_dict())
    everything = torch.cat([built.training[:], built.validation])
    write_components(network, components_for_floor(network, built.rows, everything, None), built)
    network.likelihood.load_state_dict(variances)
    network.to(built.rows.device)
