"""What a part must have to fill a slot: one builder method. Any object with it will do; it need not be a `Part`."""

from typing import NamedTuple, Protocol

from torch import nn

from isthmus.core.contract import Backbone, CodeModule
from isthmus.core.corruption import CorruptionModule
from isthmus.core.likelihood import LikelihoodModule
from isthmus.core.network import ObjectiveModule, PenaltyModule


class Encoder(Protocol):
    """A part for the slot "encoder"."""

    def build_encoder(self, features: int, outputs: int) -> nn.Module:
        """Return a module from (B, features) to (B, outputs)."""
        ...


class Decoder(Protocol):
    """A part for the slot "decoder"."""

    def build_decoder(self, latent: int, outputs: int, encoder: Backbone) -> nn.Module:
        """Return a module from codes (B, latent) to (B, outputs), the parameters of p(x|z)."""
        ...


class Bottleneck(Protocol):
    """A part for the slot "code"."""

    def build(self, latent: int) -> CodeModule:
        """Return the module for codes of `latent` numbers."""
        ...


class Likelihood(Protocol):
    """A part for the slot "likelihood"."""

    def build(self, features: int) -> LikelihoodModule:
        """Return the module for rows of `features` numbers."""
        ...


class ColumnLikelihood(Protocol):
    """The class of a likelihood that columns of a table can have."""

    def for_columns(self, sizes: tuple[int, ...]) -> Likelihood:
        """Return the part for columns of these numbers of cells."""
        ...


class Corruption(Protocol):
    """A part for the slot "corruption"."""

    def build(self, features: int) -> CorruptionModule:
        """Return the module for rows of `features` numbers."""
        ...


class Penalty(Protocol):
    """A part for the slot "penalty"."""

    def build(self, features: int, latent: int) -> PenaltyModule:
        """Return the module for rows of `features` numbers and codes of `latent`."""
        ...


class Objective(Protocol):
    """A part for the slot "objective"."""

    def build(self, features: int, latent: int) -> ObjectiveModule:
        """Return the module for rows of `features` numbers and codes of `latent`."""
        ...


class Builder(NamedTuple):
    """The method that a part must have to fill a slot."""

    method: str
    """Its name."""
    arguments: str
    """Its arguments."""

    def __str__(self) -> str:
        return f"{self.method}({self.arguments})"


BUILDERS = {
    "encoder": Builder("build_encoder", "features, outputs"),
    "decoder": Builder("build_decoder", "latent, outputs, encoder"),
    "code": Builder("build", "latent"),
    "likelihood": Builder("build", "features"),
    "corruption": Builder("build", "features"),
    "penalty": Builder("build", "features, latent"),
    "objective": Builder("build", "features, latent"),
}
"""The builder method of each slot of a network."""
