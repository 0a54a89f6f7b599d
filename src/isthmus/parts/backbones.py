"""Encoders and decoders: `Dense`, `Principal`, `Linear`, `Tied`."""

from dataclasses import dataclass

from isthmus.core.checks import fraction, is_number, whole_number
from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Backbone, Part
from isthmus.core.modules import NORMS, FixedComponents, Stack, TiedStack, activation
from isthmus.core.registry import register


@register("encoder", "decoder")
@dataclass
class Dense(Part):
    """Fully connected layers; as a decoder, the same widths in reverse.

    Undercomplete, overcomplete and linear autoencoders are special cases: with hidden layers narrower than the input,
    wider than the input, or none.

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

    Raises
    ------
    ValueError
        In `fit`, if a width, a name or the probability is not one of these.

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
        """Return fully connected layers: features, hidden..., outputs."""
        return self._stack(features, *self._widths(), outputs)

    def build_decoder(self, latent: int, outputs: int, encoder: Backbone) -> Stack:
        """Return fully connected layers: latent, reversed hidden..., outputs."""
        return self._stack(latent, *reversed(self._widths()), outputs)

    def _widths(self) -> tuple[int, ...]:
        hidden = (self.hidden,) if is_number(self.hidden) else self.hidden
        try:
            return tuple(whole_number("hidden", width, 1) for width in hidden)
        except (TypeError, ValueError):
            raise ValueError(
                f"hidden must be whole numbers of at least 1, one width per layer; got {self.hidden!r}"
            ) from None

    def _stack(self, *widths: int) -> Stack:
        activation(self.activation)
        if self.norm is not None:
            refuse_unknown("norm", self.norm, NORMS)
        return Stack(widths, self.activation, self.norm, fraction("dropout", self.dropout))


@register("encoder", "decoder")
@dataclass
class Principal(Dense):
    """The principal components of all rows, which training leaves as they are, and a dense decoder that is trained.

    Neighbours and linear models then find in the codes exactly what PCA gives them, and the decoder reconstructs from
    them what is not linear: z = Pᵀ(x - m), x̂ = g(z).

    Parameters
    ----------
    hidden : tuple of int
        Units of each hidden layer of the decoder, from the output to the code.
    activation, norm, dropout
        Of the decoder, as in `Dense`.

    Raises
    ------
    ValueError
        In `fit`, as `Dense`, and if the network cannot start at PCA.

    Examples
    --------
    >>> encoder = Principal(hidden=(128,)).build_encoder(784, 64)
    >>> [tuple(weight.shape) for weight in encoder.weights], list(encoder.parameters())
    ([(64, 784)], [])
    """

    def build_encoder(self, features: int, outputs: int) -> FixedComponents:  # type: ignore[override]
        """Return one fixed layer from features to outputs."""
        return FixedComponents(features, outputs)


@register("encoder", "decoder")
@dataclass
class Linear(Part):
    """One matrix and a bias: the encoder or decoder of a linear autoencoder.

    With the Gaussian likelihood its optimum spans the principal subspace (Baldi and Hornik 1989).

    Examples
    --------
    >>> Linear().build_encoder(784, 64).weights[0].shape
    torch.Size([64, 784])
    """

    def build_encoder(self, features: int, outputs: int) -> Stack:
        """Return one layer from features to outputs."""
        return Stack((features, outputs), "identity")

    def build_decoder(self, latent: int, outputs: int, encoder: Backbone) -> Stack:
        """Return one layer from latent to outputs."""
        return Stack((latent, outputs), "identity")


@register("decoder")
@dataclass
class Tied(Part):
    """A decoder of the transposed matrices of the encoder: half the weights, and no scale that can shift between them.

    Raises
    ------
    ValueError
        In `fit`, if the encoder is not `Dense` or `Linear`, has a normalisation, or does not fit the likelihood.

    Examples
    --------
    >>> encoder = Linear().build_encoder(784, 64)
    >>> Tied().build_decoder(64, 784, encoder).weights[0].shape
    torch.Size([784, 64])
    """

    def build_decoder(self, latent: int, outputs: int, encoder: Backbone) -> TiedStack:
        """Return the transpose of the encoder."""
        if not isinstance(encoder, Stack):
            raise ValueError("a Tied decoder needs a Dense or Linear encoder, whose matrices it transposes")
        if encoder.normalised:
            raise ValueError("a Tied decoder has no normalisation of its own: take norm=None in the encoder")
        features, code = encoder.weights[0].shape[1], encoder.weights[-1].shape[0]
        if (code, features) != (latent, outputs):
            raise ValueError(
                f"a Tied decoder maps {code} to {features} numbers, the reverse of its encoder, but this code and "
                f"likelihood need {latent} to {outputs}: take an untied decoder, or another code or likelihood"
            )
        return TiedStack(encoder)
