"""`OrderedCode`: coordinates in the order of their importance."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from isthmus.core import modules
from isthmus.core.checks import fraction, positive_number
from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Code, CodeModule, Part
from isthmus.core.registry import register


class TruncatedCode(CodeModule):
    """z = a(h), cut off after a random number of coordinates; see `OrderedCode`."""

    def __init__(self, latent: int, shares: Tensor, activation: str) -> None:
        super().__init__(latent)
        self.activation: str = activation
        self.function = modules.activation(activation).function
        self.shares: Tensor = nn.Buffer(shares, persistent=False)

    def forward(self, h: Tensor, weight: Tensor | None = None) -> Code:
        """Return the code of the encoder's output (B, K); if noise is drawn, only the first j coordinates are kept."""
        mean = self.function(h)
        if not self.draws:
            return Code(mean, mean)
        shares = self.shares.expand(len(h), -1)
        last = torch.multinomial(shares, 1, generator=self.generator)
        kept = torch.arange(self.latent, device=h.device) <= last
        return Code(mean * kept, mean)


@register("code", name="ordered")
@dataclass
class OrderedCode(Part):
    """Nested dropout: z is cut off after j coordinates, j drawn for each row (Rippel, Gelbart and Adams 2014).

    The first k coordinates are then the best k, for every k at once; a linear network finds the principal components in
    their order. In use nothing is cut off.

    Parameters
    ----------
    distribution : {"uniform", "geometric"}
        Distribution of j over 1 to K.
    rate : float
        Parameter of the geometric distribution, in (0, 1): P(j) ∝ (1 - rate)ʲ.
    activation : str
        a, as in `Deterministic`.

    Raises
    ------
    ValueError
        In `fit`, if a parameter is out of its range.

    Examples
    --------
    >>> import torch
    >>> code = OrderedCode().build(latent=3)
    >>> code.generator = torch.Generator().manual_seed(0)
    >>> code(torch.ones(2, 3)).z[:, 0].tolist()
    [1.0, 1.0]
    """

    distribution: str = "uniform"
    rate: float = 0.1
    activation: str = "identity"

    def build(self, latent: int) -> TruncatedCode:
        """Return the module from (B, latent) to a `Code`."""
        refuse_unknown("distribution of OrderedCode", self.distribution, ("uniform", "geometric"))
        rate = fraction("rate of OrderedCode", positive_number("rate of OrderedCode", self.rate))
        shares = torch.ones(latent)
        if self.distribution == "geometric":
            shares = (1 - rate) ** torch.arange(latent, dtype=torch.float32)
        return TruncatedCode(latent, shares, self.activation)
