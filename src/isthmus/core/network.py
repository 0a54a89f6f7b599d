"""`Network`: corrupt, encode, pass the narrow place, decode, score. Composed of parts, never subclassed."""

from collections.abc import Mapping
from typing import final

import torch
from torch import Generator, Tensor, nn

from isthmus.core.contract import Code, CodeModule, LikelihoodModule, Step, Stochastic


@final
class Network(nn.Module):
    """An autoencoder: x̃ ~ q(x̃|x), h = e(x̃), z = b(h), η = g(z), objective -log p(x|η) + Σ penalties.

    Parameters
    ----------
    encoder
        e: (B, F) to what the code takes.
    code
        b: the encoder's output to a `Code`.
    decoder
        g: (B, K) to (B, P), the parameters of p(x|z).
    likelihood
        p(x|z), from the decoder's outputs.
    corruption
        q(x̃|x): (B, F) to (B, F); used in training only.
    penalties
        By name; each maps (step, network) to (B,) values, its weight included.
    """

    code: CodeModule
    likelihood: LikelihoodModule

    def __init__(
        self,
        encoder: nn.Module,
        code: CodeModule,
        decoder: nn.Module,
        likelihood: LikelihoodModule,
        corruption: nn.Module | None = None,
        penalties: Mapping[str, nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.code = code
        self.decoder = decoder
        self.likelihood = likelihood
        self.corruption = corruption or nn.Identity()
        self.penalties = nn.ModuleDict(penalties or {})

    def forward(self, x: Tensor, weight: Tensor | None = None) -> Step:
        """Pass the rows x (B, F) through; in evaluation mode nothing is corrupted and nothing is drawn."""
        x_in = self.corruption(x) if self.training else x
        code = self.encode(x_in)
        return Step(x, x_in, code, self.decoder(code.z), weight)

    def encode(self, x: Tensor) -> Code:
        """Rows (B, F) to their codes."""
        return self.code(self.encoder(x))

    def decode(self, z: Tensor) -> Tensor:
        """Codes (B, K) to the mean of p(x|z), (B, F)."""
        return self.likelihood.mean(self.decoder(z))

    def terms(self, x: Tensor, weight: Tensor | None = None) -> dict[str, Tensor]:
        """Return every term of the objective, {name: (B,)}; the trainer minimises their sum and knows only this."""
        step = self(x, weight)
        terms = {"nll": self.likelihood.nll(x, step.theta, weight)}
        for name, penalty in self.penalties.items():
            terms[name] = penalty(step, self)
        return terms

    def seed(self, generator: Generator | None) -> None:
        """Give every stochastic module the generator to draw from."""
        for module in self.modules():
            if isinstance(module, Stochastic):
                module.generator = generator

    def finite(self) -> bool:
        """Whether every weight, and every statistic kept beside them, is a finite number."""
        return all(bool(torch.isfinite(tensor).all()) for tensor in self.state_dict().values())
