"""`Trainable`: a module with an objective, which is all that the engine knows of what it trains."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from isthmus.core.contract import Stochastic


class Trainable(nn.Module):
    """A module with an objective; subclasses define `terms`.

    Examples
    --------
    >>> class Mean(Trainable):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.centre = nn.Parameter(torch.zeros(2))
    ...     def terms(self, x, weight=None):
    ...         return {"distance": (x - self.centre).square().sum(1)}
    >>> Mean().terms(torch.ones(3, 2))["distance"].tolist(), Mean().finite()
    ([2.0, 2.0, 2.0], True)
    """

    def terms(self, x: Tensor, weight: Tensor | None = None) -> dict[str, Tensor]:
        """Return every term of the objective for rows x (B, F) with sample weights (B,), {name: (B,)}."""
        raise NotImplementedError

    def begin(self, progress: float) -> None:
        """Take note of the share of the training that is done, in [0, 1]."""

    @property
    def warm_up_share(self) -> float:
        """The share of the training after which no term of the objective changes its weight any more."""
        return 0.0

    @property
    def compilable(self) -> Sequence[nn.Module]:
        """The modules that `torch.compile` compiles if the user asks for it."""
        return ()

    def seed(self, generator: Generator | None) -> None:
        """Give every stochastic module the generator to draw from."""
        for module in self.modules():
            if isinstance(module, Stochastic):
                module.generator = generator

    @property
    def generators(self) -> list[Generator]:
        """The generators that stochastic modules draw from at present, each listed once."""
        found = [module.generator for module in self.modules() if isinstance(module, Stochastic)]
        return list({id(generator): generator for generator in found if generator is not None}.values())

    def finite(self) -> bool:
        """Whether every weight and every stored statistic is a finite number."""
        return all(bool(torch.isfinite(tensor).all()) for tensor in self.state_dict().values())
