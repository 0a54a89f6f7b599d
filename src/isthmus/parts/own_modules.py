"""Torch modules of the user's in the place of an encoder or a decoder."""

from copy import deepcopy

import torch
from torch import nn

from isthmus.core.contract import Part


class Own(Part):
    """A torch module of the user's: an encoder from (B, F) to the code's inputs, or a decoder from (B, K) to (B, P).

    It is copied when a network is built, so that the module stays unchanged and every fit starts from the weights that
    it came with. torch's own `Dropout` draws from the global generator; a module that is an
    `isthmus.core.contract.Stochastic` gets the generator of the run.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def build_encoder(self, features: int, outputs: int) -> nn.Module:
        """Return a copy of the module, tried on two rows of zeros."""
        return tried(self.module, "encoder", features, outputs)

    def build_decoder(self, latent: int, outputs: int, encoder: nn.Module) -> nn.Module:
        """Return a copy of the module, tried on two codes of zeros."""
        return tried(self.module, "decoder", latent, outputs)


@torch.no_grad()
def tried(module: nn.Module, slot: str, inputs: int, outputs: int) -> nn.Module:
    """Return a copy of a module that maps (B, inputs) to (B, outputs); a `ValueError` says what it does instead."""
    copy = deepcopy(module)
    mode = copy.training
    first = next(copy.parameters(), None)
    rows = torch.zeros(2, inputs) if first is None else first.new_zeros(2, inputs)
    try:
        result = copy.eval()(rows)
    except Exception as error:
        raise ValueError(
            f"the {slot} module given does not take rows of the shape (2, {inputs}): {type(error).__name__}: {error}"
        ) from error
    if not isinstance(result, torch.Tensor) or result.shape != (2, outputs):
        came = tuple(result.shape) if isinstance(result, torch.Tensor) else type(result).__name__
        raise ValueError(f"the {slot} module given must map (2, {inputs}) to (2, {outputs}); it gave {came}")
    return copy.train(mode)
