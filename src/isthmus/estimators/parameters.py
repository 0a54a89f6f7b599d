"""`Parameters`: what building and training read of an `AutoEncoder`, by name and type."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np
from torch import nn

from isthmus.core.contract import Part
from isthmus.engine.callbacks import Callback
from isthmus.engine.compute import Compute
from isthmus.engine.optimisers import Adam

Slot: TypeAlias = Part | str | object | None
"""A part, its name, a user's own object with the contract's methods, or None."""
Backbone: TypeAlias = Part | nn.Module | str | object | None
"""A part that builds an encoder or decoder, its name, or a torch module."""
RandomState: TypeAlias = int | np.random.RandomState | np.random.Generator | None
"""What a `random_state` can be."""
Machine: TypeAlias = str | Compute
"""The settings of the machine, or the name of a device."""


class Parameters(Protocol):
    """The constructor parameters of `AutoEncoder`, which documents them."""

    latent: int | float | str
    hidden: tuple[int, ...]
    activation: str
    encoder: Backbone
    decoder: Backbone
    code: Slot
    likelihood: Slot
    penalty: Slot | Sequence[Slot]
    corruption: Slot
    objective: Slot
    init: str
    scale: str | None
    columns: Mapping[object, str] | Sequence[str] | str | None
    epochs: int | str
    batch_size: int | str
    learning_rate: float | str
    schedule: str
    optimizer: Adam | str | object
    validation: object
    patience: int | None
    floor: str
    compute: Machine
    random_state: RandomState
    verbose: int
    callbacks: Sequence[Callback]
