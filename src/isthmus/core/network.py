"""`Network`, which composes parts and is never subclassed, and the penalties and objectives that see all of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast, final

import torch
from torch import Generator, Tensor, nn

from isthmus.core.contract import Backbone, Code, CodeModule, Prior, Step, Stochastic
from isthmus.core.corruption import CorruptionModule
from isthmus.core.likelihood import LikelihoodModule
from isthmus.core.trainable import Trainable


class PenaltyModule(Stochastic):
    """A term of the objective besides the reconstruction: `forward` maps (step, network) to (B,) or {name: (B,)}.

    Values are in nats and include the penalty's weight. A statistic over the batch is returned once for each row.

    Examples
    --------
    >>> class Small(PenaltyModule):
    ...     def forward(self, step, network):
    ...         return step.code.mean.square().sum(1)
    >>> Small().prior is None
    True
    """

    prior: Prior | None = None
    """The distribution that codes are drawn towards, if there is one; `AutoEncoder.sample` then draws new rows from it.

    A prior that is itself a torch module must be returned by a property, since this attribute would hide it.
    """
    warm_up_share = 0.0
    """Share of the training, in [0, 1), after which `begin` changes nothing any more."""
    in_bound = False
    """Whether a bound on log p(x) contains this term already: KL(q(z|x) ‖ p(z))."""

    def check(self, network: "Network") -> None:
        """Raise a `ValueError` that names both parts and the mend if the penalty does not suit the other parts."""

    def initialise(self, generator: Generator) -> None:
        """Write the first weights of the penalty's own networks, if it has any."""

    def begin(self, progress: float) -> None:
        """Take note of the share of the training that is done, in [0, 1]; it is 1 in validation and in use."""


class ObjectiveModule(PenaltyModule):
    """What replaces -log p(x|z) in the objective: `forward` maps (step, network) to {name: (B,)}, in nats."""


class Wrapped(Backbone):
    """A torch module in the place of an encoder or decoder, with the contract's defaults."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs) to (B, outputs)."""
        result: Tensor = self.module(x)
        return result


@final
class Network(Trainable):
    """An autoencoder: x̃ ~ q(x̃|x), h = e(x̃), z = b(h), θ = g(z), objective -log p(x|θ) + Σ penalties.

    Parameters
    ----------
    encoder
        e: (B, F) to the code's inputs; (B, 2F), values and mask, if the corruption marks what it hides.
    code
        b: the encoder's output to a `Code`.
    decoder
        g: (B, K) to (B, P), the parameters of p(x|z).
    likelihood
        p(x|z), from the decoder's outputs.
    corruption
        q(x̃|x): (B, F) to (B, F); used in training and in validation.
    penalties
        By name; each maps (step, network) to values (B,), its weight included.
    objective
        What replaces -log p(x|θ): a bound that is not a sum of it and penalties.
    """

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
        self.encoder = encoder if isinstance(encoder, Backbone) else Wrapped(encoder)
        self.code = code
        self.decoder = decoder if isinstance(decoder, Backbone) else Wrapped(decoder)
        self.likelihood = likelihood
        self.corruption = corruption
        self.penalties = nn.ModuleDict(penalties or {})
        self.objective = objective

    def forward(self, x: Tensor, weight: Tensor | None = None) -> Step:
        """Pass rows x (B, F) through; in evaluation mode, without a seed, nothing is corrupted or drawn."""
        x_in, mask, cells = x, None, None
        if self.corruption is not None and self.corruption.draws:
            x_in, mask, cells = self.corruption(x)
        code = self.encode(x_in, mask, weight)
        return Step(x, x_in, code, self.decoder(code.z), weight, mask, cells)

    def encode(self, x: Tensor, mask: Tensor | None = None, weight: Tensor | None = None) -> Code:
        """Return the codes of rows (B, F), given the mask of hidden entries (B, F) and sample weights (B,)."""
        code: Code = self.code(self.activate(x, mask), weight)
        return code

    def activate(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the encoder's outputs (B, inputs) for rows (B, F), given the mask of hidden entries (B, F).

        In use, without a mask, missing entries (NaN) are shown as the corruption shows hidden ones, if it marks these
        and the likelihood has no place of its own for them.
        """
        if self.corruption is not None and self.corruption.marks:
            if mask is None and self.likelihood.inputs is None:
                missing = x.isnan()
                x, mask = torch.where(missing, self.corruption.hidden_value, x), missing.to(x)
            elif mask is None:
                mask = torch.zeros_like(x)
            seen = torch.cat([self.likelihood.encoder_input(x), mask], dim=1)
        else:
            seen = self.likelihood.encoder_input(x)
        h: Tensor = self.encoder(seen)
        return h

    @property
    def shows_gaps(self) -> bool:
        """Whether the encoder sees marks of hidden entries beside the values."""
        return self.corruption is not None and self.corruption.marks

    def decode(self, z: Tensor) -> Tensor:
        """Return the mean of p(x|z), (B, F), for codes (B, K)."""
        return self.likelihood.mean(self.decoder(z))

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the reconstructions of rows x (B, F), (B, F), by their noise-free codes."""
        return self.likelihood.reconstruct(x, self.decoder(self.encode(x).mean))

    def terms(self, x: Tensor, weight: Tensor | None = None) -> dict[str, Tensor]:
        """Return every term of the objective, {name: (B,)}; the trainer minimises their sum and knows nothing else."""
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
        """The penalties, after the objective if there is one."""
        # A ModuleDict does not say what kind of module it holds.
        penalties = cast(Iterable[PenaltyModule], self.penalties.values())
        return [*penalties] if self.objective is None else [self.objective, *penalties]

    @property
    def prior(self) -> Prior | None:
        """The distribution that codes are drawn towards, from which new ones can be drawn; None if there is none."""
        return next((demand.prior for demand in self.demands if demand.prior is not None), None)

    def check(self) -> None:
        """Raise a `ValueError` that names both parts and the mend if two parts do not suit each other."""
        for demand in self.demands:
            demand.check(self)

    def begin(self, progress: float) -> None:
        """Tell the parts which share of the training is done, in [0, 1]."""
        self.code.begin(progress)
        for demand in self.demands:
            demand.begin(progress)

    @property
    def warm_up_share(self) -> float:
        """The share of the training after which no term of the objective changes its weight any more."""
        return max([self.code.warm_up_share, *(demand.warm_up_share for demand in self.demands)])

    @property
    def compilable(self) -> Sequence[nn.Module]:
        """Encoder and decoder."""
        return self.encoder, self.decoder
