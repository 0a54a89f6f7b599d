"""`Network`: corrupt, encode, pass the narrow place, decode, score. Composed of parts, never subclassed."""

from collections.abc import Mapping
from typing import Any, final

import torch
from torch import Generator, Tensor, nn

from isthmus.core.contract import (
    Code,
    CodeModule,
    CorruptionModule,
    LikelihoodModule,
    ObjectiveModule,
    PenaltyModule,
    Prior,
    Step,
    Stochastic,
)


@final
class Network(nn.Module):
    """An autoencoder: x̃ ~ q(x̃|x), h = e(x̃), z = b(h), η = g(z), objective -log p(x|η) + Σ penalties.

    Parameters
    ----------
    encoder
        e: (B, F) to what the code takes; (B, 2F), values and mask, where the corruption marks what it hides.
    code
        b: the encoder's output to a `Code`.
    decoder
        g: (B, K) to (B, P), the parameters of p(x|z).
    likelihood
        p(x|z), from the decoder's outputs.
    corruption
        q(x̃|x): (B, F) to (B, F); used in training and where epochs are judged.
    penalties
        By name; each maps (step, network) to (B,) values, its weight included.
    objective
        What stands in the place of -log p(x|η): a bound that is no sum of it and penalties.
    """

    code: CodeModule
    likelihood: LikelihoodModule
    corruption: CorruptionModule | None
    objective: ObjectiveModule | None

    def __init__(
        self,
        encoder: nn.Module,
        code: CodeModule,
        decoder: nn.Module,
        likelihood: LikelihoodModule,
        corruption: CorruptionModule | None = None,
        penalties: Mapping[str, PenaltyModule] | None = None,
        objective: ObjectiveModule | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.code = code
        self.decoder = decoder
        self.likelihood = likelihood
        self.corruption = corruption
        self.penalties = nn.ModuleDict(penalties or {})
        self.objective = objective

    def forward(self, x: Tensor, weight: Tensor | None = None) -> Step:
        """Pass the rows x (B, F) through; in evaluation mode, without a seed, nothing is corrupted or drawn."""
        x_in, mask, cells = x, None, None
        if self.corruption is not None and self.corruption.draws:
            x_in, mask, cells = self.corruption(x)
        code = self.encode(x_in, mask, weight)
        return Step(x, x_in, code, self.decoder(code.z), weight, mask, cells)

    def encode(self, x: Tensor, mask: Tensor | None = None, weight: Tensor | None = None) -> Code:
        """Rows (B, F), which of their entries are hidden (B, F), and the rows' weights (B,), to their codes."""
        code: Code = self.code(self.activate(x, mask), weight)
        return code

    def activate(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Rows (B, F), and which of their entries are hidden (B, F), to what the code takes."""
        seen = self.likelihood.encoder_input(x)
        if self.corruption is not None and self.corruption.marks:
            seen = torch.cat([seen, torch.zeros_like(x) if mask is None else mask], dim=1)
        h: Tensor = self.encoder(seen)
        return h

    def decode(self, z: Tensor) -> Tensor:
        """Codes (B, K) to the mean of p(x|z), (B, F)."""
        return self.likelihood.mean(self.decoder(z))

    def terms(self, x: Tensor, weight: Tensor | None = None) -> dict[str, Tensor]:
        """Return every term of the objective, {name: (B,)}; the trainer minimises their sum and knows only this."""
        step = self(x, weight)
        if self.objective is None:
            terms = {"nll": self.likelihood.loss(x, step.theta, weight, step.cells)}
        else:
            terms = dict(self.objective(step, self))
        terms |= step.code.terms
        for name, penalty in self.penalties.items():
            value = penalty(step, self)
            terms |= value if isinstance(value, dict) else {name: value}
        return terms

    @property
    def demands(self) -> list[PenaltyModule]:
        """The objective, where there is one of its own, and the penalties."""
        penalties: Any = self.penalties.values()
        return [*penalties] if self.objective is None else [self.objective, *penalties]

    @property
    def prior(self) -> Prior | None:
        """The distribution that codes are drawn towards, so that others can be drawn from it; None if there is none."""
        return next((demand.prior for demand in self.demands if demand.prior is not None), None)

    def check(self) -> None:
        """Raise a `ValueError` that names both parts and the mend where two parts do not suit each other."""
        for demand in self.demands:
            demand.check(self)

    def begin(self, progress: float) -> None:
        """Tell the parts how much of the training is done, in [0, 1]."""
        self.code.begin(progress)
        for demand in self.demands:
            demand.begin(progress)

    @property
    def warm_up_share(self) -> float:
        """The share of the training after which no part's share in it changes any more."""
        return max([self.code.warm_up_share, *(demand.warm_up_share for demand in self.demands)])

    def seed(self, generator: Generator | None) -> None:
        """Give every stochastic module the generator to draw from."""
        for module in self.modules():
            if isinstance(module, Stochastic):
                module.generator = generator

    @property
    def generators(self) -> list[Generator]:
        """The generators that stochastic modules draw from now, each once."""
        found = [module.generator for module in self.modules() if isinstance(module, Stochastic)]
        return list({id(generator): generator for generator in found if generator is not None}.values())

    def finite(self) -> bool:
        """Whether every weight, and every statistic kept beside them, is a finite number."""
        return all(bool(torch.isfinite(tensor).all()) for tensor in self.state_dict().values())
