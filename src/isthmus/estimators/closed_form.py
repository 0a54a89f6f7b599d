"""What happens where a trained network is worse than principal components: they are returned, or it is told."""

import dataclasses
import warnings
from typing import Literal

from torch import Generator

from isthmus.core.choices import refuse_unknown
from isthmus.core.initialisation import initialise
from isthmus.core.modules import FixedComponents
from isthmus.core.network import Network
from isthmus.engine.training_warning import TrainingWarning
from isthmus.estimators.building import Built
from isthmus.estimators.component_codes import obstacle_to_components
from isthmus.estimators.floor import Floor
from isthmus.estimators.parameters import Parameters
from isthmus.parts.backbones import Linear
from isthmus.parts.likelihoods import Gaussian

Choice = Literal["return", "tell"]
LOOKED_AT = 512
"""Rows that the first weights are compared with the mean on."""


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


def not_below(floor: Floor, chosen: Choice, built: Built) -> tuple[Built, Floor]:
    """Return what was built, or the principal components in its place where the network is worse; warn of it."""
    if chosen == "return" and not floor.reached and is_gaussian(built):
        warnings.warn(
            f"the principal components are returned, because the network does not reach them ({floor}): take wider "
            "hidden layers, another activation, more epochs or another learning rate",
            TrainingWarning,
            stacklevel=4,
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
    likelihood = built.units.likelihood
    assert isinstance(likelihood, Gaussian), "other likelihoods have no place for them"
    composition = dataclasses.replace(
        built.composition,
        encoder=Linear(),
        decoder=Linear(),
        likelihood=dataclasses.replace(likelihood, activation="identity"),
    )
    network = composition.build(built.units.dtype)
    write_components(built, network)
    return built._replace(composition=composition, network=network.to(built.rows.device))


def decode_by_all_rows(built: Built) -> None:
    """Let components of all rows decode themselves, where they are the codes and no epoch was better than the start.

    While epochs were compared, training rows alone decoded them; all rows do it better.
    """
    if isinstance(built.network.encoder, FixedComponents) and built.closed_form is not None:
        write_components(built, built.network.cpu())
        built.network.to(built.rows.device)


def write_components(built: Built, network: Network) -> None:
    """Write the first weights of a network that starts at the principal components, decoded by themselves."""
    assert built.closed_form is not None, "there is no floor without principal components"
    principal = built.closed_form._replace(decoder=None)
    x, weight = built.rows.batch(built.training[:LOOKED_AT])
    initialise(network, "pca", Generator().manual_seed(0), principal, x.cpu(), None if weight is None else weight.cpu())
