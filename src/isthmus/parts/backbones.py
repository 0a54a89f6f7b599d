"""Encoders and decoders: `Dense`, `Linear`, `Tied`."""

from dataclasses import dataclass
from typing import Protocol

from torch import nn

from isthmus.core.checks import fraction, is_number, whole_number
from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Part
from isthmus.core.modules import NORMS, Stack, TiedStack, activation


class Encoder(Protocol):
    """A part that can stand in the encoder's slot."""

    def build_encoder(self, features: int, outputs: int) -> nn.Module:
        """Return a module that maps (B, features) to (B, outputs)."""
        ...


class Decoder(Protocol):
    """A part that can stand in the decoder's slot."""

    def build_decoder(self, latent: int, outputs: int, encoder: nn.Module) -> nn.Module:
        """Return a module that maps codes (B, latent) to (B, outputs), the parameters of p(x|z)."""
        ...


@dataclass
class Dense(Part):
    """Fully connected layers; as a decoder, the same widths in reverse.

    Undercomplete, overcomplete and linear autoencoders are settings of it: hidden layers narrower than the input,
    wider than it, or none.

    Parameters
    ----------
    hidden : tuple of int
        Units of each hidden layer of the encoder, from the input to the code.
    activation : str
        "relu", "silu", "gelu", "softplus", "elu", "tanh", "sigmoid" or "identity", after every hidden layer.
    norm : str, optional
        "batch" or "layer": normalisation before every activation.
    dropout : float
        Probability in [0, 1) with which a hidden unit is zeroed in training.

    Examples
    --------
    >>> import torch
    >>> encoder = Dense(hidden=(128,), activation="relu").build_encoder(784, 64)
    >>> encoder(torch.zeros(5, 784)).shape
    torch.Size([5, 64])
    """

    hidden: tuple[int, ...] = (128,)
    activation: str = "silu"
    norm: str | None = None
    dropout: float = 0.0

    def build_encoder(self, features: int, outputs: int) -> Stack:
        """Return the stack features, hidden..., outputs."""
        return self._stack(features, *self._widths(), outputs)

    def build_decoder(self, latent: int, outputs: int, encoder: nn.Module) -> Stack:
        """Return the stack latent, reversed hidden..., outputs."""
        return self._stack(latent, *reversed(self._widths()), outputs)

    def _widths(self) -> tuple[int, ...]:
        hidden = (self.hidden,) if is_number(self.hidden) else self.hidden
        try:
            return tuple(whole_number("hidden", width, 1) for width in hidden)
        except (TypeError, ValueError):
            raise ValueError(
                f"hidden has to be whole numbers of at least 1, a width a layer; got {self.hidden!r}"
            ) from None

    def _stack(self, *widths: int) -> Stack:
        activation(self.activation)
        if self.norm is not None:
            refuse_unknown("norm", self.norm, NORMS)
        return Stack(widths, self.activation, self.norm, fraction("dropout", self.dropout))


@dataclass
class Linear(Part):
    """One matrix and a bias: the encoder or decoder of a linear autoencoder.

    With the Gaussian likelihood its optimum spans the principal subspace (Baldi and Hornik 1989).
    """

    def build_encoder(self, features: int, outputs: int) -> Stack:
        """Return one layer from features to outputs."""
        return Stack((features, outputs), "identity")

    def build_decoder(self, latent: int, outputs: int, encoder: nn.Module) -> Stack:
        """Return one layer from latent to outputs."""
        return Stack((latent, outputs), "identity")


@dataclass
class Tied(Part):
    """A decoder made of the encoder's matrices, transposed: half the weights, and no scale to hide in."""

    def build_decoder(self, latent: int, outputs: int, encoder: nn.Module) -> TiedStack:
        """Return the transpose of the encoder."""
        if not isinstance(encoder, Stack):
            raise ValueError("a Tied decoder needs a Dense or Linear encoder, whose matrices it transposes")
        if encoder.norms is not None:
            raise ValueError("a Tied decoder has no normalisation of its own: take norm=None in the encoder")
        features, code = encoder.weights[0].shape[1], encoder.weights[-1].shape[0]
        if (code, features) != (latent, outputs):
            raise ValueError(
                f"a Tied decoder maps {code} to {features} numbers, as its encoder's matrices say, but this code and "
                f"likelihood need {latent} to {outputs}: take an untied decoder, or others of them"
            )
        return TiedStack(encoder)
