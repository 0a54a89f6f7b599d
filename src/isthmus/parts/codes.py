"""Codes: what the narrow place makes of the encoder's output."""

from dataclasses import dataclass

from torch import Tensor, nn

from isthmus.core import modules
from isthmus.core.contract import Code, Part


class DeterministicCode(nn.Module):
    """z = a(h)."""

    def __init__(self, latent: int, activation: str) -> None:
        super().__init__()
        self.latent = latent
        self.inputs = latent
        self.activation = activation
        self.function = modules.activation(activation).function

    def forward(self, h: Tensor) -> Code:
        """(B, K) to a code without noise."""
        z = self.function(h)
        return Code(z=z, mean=z)


@dataclass
class Deterministic(Part):
    """The plain code z = a(h), with an activation a (none by default; the paper "AutoEncoders" takes the sigmoid).

    Parameters
    ----------
    activation : str
        "identity", "relu", "silu", "gelu", "softplus", "elu", "tanh" or "sigmoid".

    Examples
    --------
    >>> import torch
    >>> code = Deterministic("sigmoid").build(latent=2)(torch.zeros(1, 2))
    >>> code.mean.tolist(), code.posterior
    ([[0.5, 0.5]], None)
    """

    activation: str = "identity"

    def build(self, latent: int) -> DeterministicCode:
        """Return the module (B, latent) to `Code`."""
        return DeterministicCode(latent, self.activation)
