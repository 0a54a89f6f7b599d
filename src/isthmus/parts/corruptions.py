"""Corruptions q(x̃|x): noise on a row before it is encoded, in training and in validation."""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from isthmus.core.checks import fraction, is_number, no_negative_number, positive_number
from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Part
from isthmus.core.corruption import Corrupted, CorruptionModule
from isthmus.core.registry import register


class AddedNoise(CorruptionModule):
    """x̃ = x + σε; see `GaussianNoise`."""

    def __init__(self, scale: float, clip: tuple[float, float] | None) -> None:
        super().__init__()
        self.scale = scale
        self.clip = clip
        self.noise_variance = scale**2 if clip is None else 0.0

    def forward(self, x: Tensor) -> Corrupted:
        """Return noisy rows for x (B, F)."""
        noisy = x + self.scale * torch.empty_like(x).normal_(generator=self.generator)
        return Corrupted(noisy if self.clip is None else noisy.clamp(*self.clip))


@register("corruption")
@dataclass
class GaussianNoise(Part):
    """x̃ = x + σε, ε ~ N(0, I): the denoising autoencoder (Vincent et al. 2008).

    Its optimum is x̂ = E[x|x̃] = x̃ + σ² ∇ log p_σ(x̃) (Tweedie's formula).

    Parameters
    ----------
    scale : float
        σ, at least 0, in units of the scaled data: 0.1 to 0.5 on standardised columns.
    clip : (float, float), optional
        Interval to which noisy entries are clipped, in units of the scaled data: (0, 1) for grey levels.

    Raises
    ------
    ValueError
        In `fit`, if the scale is negative or the interval is not two rising numbers.

    Examples
    --------
    >>> GaussianNoise(0.5, clip=(0, 1)).build(3)(torch.ones(1, 3)).x.max() <= 1
    tensor(True)
    """

    scale: float = 0.3
    clip: tuple[float, float] | None = None

    def build(self, features: int) -> AddedNoise:
        """Return the module for rows of `features` numbers."""
        return AddedNoise(no_negative_number("scale of GaussianNoise", self.scale), self.interval())

    def interval(self) -> tuple[float, float] | None:
        """Return the least and greatest value; a `ValueError` names what is wrong with them."""
        if self.clip is None:
            return None
        try:
            low, high = self.clip
            rising = is_number(low) and is_number(high) and low < high
        except (TypeError, ValueError):
            rising = False
        if not rising:
            raise ValueError(f"clip of GaussianNoise must be two rising numbers, or None; got {self.clip!r}")
        return float(low), float(high)


def hit(x: Tensor, rate: float, module: CorruptionModule) -> Tensor:
    """Draw the entries of x (B, F) to corrupt: 1 with probability `rate`, else 0; the same within a feature group."""
    if module.feature_group is None:
        return torch.empty_like(x).bernoulli_(rate, generator=module.generator)
    columns = x.new_empty(len(x), max(module.feature_group) + 1).bernoulli_(rate, generator=module.generator)
    return columns.index_select(1, places(module.feature_group, x.device))


@lru_cache(maxsize=8)
def places(feature_group: tuple[int, ...], device: torch.device) -> Tensor:
    """Return the group of each feature as a tensor, (F,); making it in every step would take as long as the noise."""
    return torch.tensor(feature_group, device=device)


class HiddenEntries(CorruptionModule):
    """Some entries set to a value; see `Masking`."""

    def __init__(self, rate: float, value: float, mark: bool, hidden_only: bool) -> None:
        super().__init__()
        self.rate = rate
        self.hidden_value = value
        self.removes = math.isnan(value)
        self.marks = mark
        self.weighs = hidden_only

    def remove(self) -> None:
        """Make marked entries missing instead; entries that are not marked keep their value."""
        if self.marks:
            self.hidden_value, self.removes, self.marks = math.nan, True, False

    def forward(self, x: Tensor) -> Corrupted:
        """Return rows with gaps for x (B, F), the mask of the gaps, and the weight of each entry."""
        mask = hit(x, self.rate, self)
        # Divided by the rate, so that the expected loss is that of all entries.
        cells = mask / self.rate if self.weighs else None
        return Corrupted(torch.where(mask > 0, self.hidden_value, x), mask if self.marks else None, cells)


@register("corruption")
@dataclass
class Masking(Part):
    """Each entry is hidden with probability `rate` (Vincent et al. 2008; masked autoencoder, He et al. 2022).

    Parameters
    ----------
    rate : float
        Probability in (0, 1): 0.15 to 0.5 for tables, 0.75 for images.
    value : float, optional
        Value of a hidden entry, in units of the scaled data: 0 is the mean of standardised columns. None makes it
        missing, like the missing cells of a table, whose likelihood `Mixed` shows the encoder what is missing.
    mark : bool
        Whether the encoder also sees which entries are hidden: (B, 2F). The value alone cannot tell if it is legal. In
        a table of several kinds of columns hidden entries are missing instead, as ``value=None`` makes them.
    score : {"all", "hidden"}
        Which entries count in the reconstruction loss.

    Raises
    ------
    ValueError
        In `fit`, if a parameter is not one of these.

    Examples
    --------
    >>> import torch
    >>> module = Masking(0.5, mark=True).build(features=4)
    >>> module.generator = torch.Generator().manual_seed(0)
    >>> rows = module(torch.ones(1, 4))
    >>> bool((rows.x + rows.mask == 1).all())
    True
    """

    rate: float = 0.25
    value: float | None = 0.0
    mark: bool = False
    score: str = "all"

    def build(self, features: int) -> HiddenEntries:
        """Return the module for rows of `features` numbers."""
        rate = fraction("rate of Masking", positive_number("rate of Masking", self.rate))
        if self.value is not None and not (is_number(self.value) and math.isfinite(self.value)):
            raise ValueError(f"value of Masking must be a finite number, or None; got {self.value!r}")
        refuse_unknown("score of Masking", self.score, ("all", "hidden"))
        value = math.nan if self.value is None else float(self.value)
        return HiddenEntries(rate, value, bool(self.mark), self.score == "hidden")


class ExtremeEntries(CorruptionModule):
    """Some entries set to a low or high value; see `SaltAndPepper`."""

    def __init__(self, rate: float, low: float, high: float) -> None:
        super().__init__()
        self.rate = rate
        self.low = low
        self.high = high

    def forward(self, x: Tensor) -> Corrupted:
        """Return rows with extreme entries for x (B, F)."""
        salt = torch.empty_like(x).uniform_(generator=self.generator)
        extreme = torch.where(salt < self.rate / 2, self.low, self.high).to(x)
        return Corrupted(torch.where(salt < self.rate, extreme, x))


@register("corruption")
@dataclass
class SaltAndPepper(Part):
    """Each entry becomes `low` or `high`, with probability rate/2 each: for data in [0, 1] (Vincent et al. 2010).

    Parameters
    ----------
    rate : float
        Probability in [0, 1).
    low, high : float
        The two values, in units of the scaled data; low must be below high.

    Raises
    ------
    ValueError
        In `fit`, if a parameter is out of its range.

    Examples
    --------
    >>> import torch
    >>> module = SaltAndPepper(0.5).build(features=100)
    >>> module.generator = torch.Generator().manual_seed(0)
    >>> sorted(set(module(torch.full((1, 100), 0.5)).x.flatten().tolist()))
    [0.0, 0.5, 1.0]
    """

    rate: float = 0.1
    low: float = 0.0
    high: float = 1.0

    def build(self, features: int) -> ExtremeEntries:
        """Return the module for rows of `features` numbers."""
        if not is_number(self.low) or not is_number(self.high) or not self.low < self.high:
            raise ValueError(f"low of SaltAndPepper must be below high; got {self.low!r} and {self.high!r}")
        return ExtremeEntries(fraction("rate of SaltAndPepper", self.rate), float(self.low), float(self.high))


class SwappedEntries(CorruptionModule):
    """Some entries replaced by those of other rows; see `Swap`."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Corrupted:
        """Return rows with some entries of other rows for x (B, F)."""
        # From another row: one of the B - 1 rows after it, cyclically.
        feature_group = torch.arange(x.shape[1]) if self.feature_group is None else torch.tensor(self.feature_group)
        shape = (len(x), int(feature_group.max()) + 1)
        ahead = torch.randint(1, max(len(x), 2), shape, generator=self.generator, device=x.device)[
            :, feature_group.to(x.device)
        ]
        rows = torch.arange(len(x), device=x.device)[:, None]
        others = x.gather(0, (rows + ahead) % len(x))
        return Corrupted(torch.where(hit(x, self.rate, self) > 0, others, x))


@register("corruption")
@dataclass
class Swap(Part):
    """Each entry is replaced, with probability `rate`, by that of the same column in another row of the batch.

    The new value is a draw from the column's own distribution, so every value is a legal one: for tables of mixed
    columns (Yoon et al. 2020).

    Parameters
    ----------
    rate : float
        Probability in [0, 1); about 0.15.

    Raises
    ------
    ValueError
        In `fit`, if the rate is out of its range.

    Examples
    --------
    >>> import torch
    >>> module = Swap(0.5).build(features=1)
    >>> module.generator = torch.Generator().manual_seed(0)
    >>> module(torch.tensor([[0.0], [1.0], [2.0]])).x.shape
    torch.Size([3, 1])
    """

    rate: float = 0.15

    def build(self, features: int) -> SwappedEntries:
        """Return the module for rows of `features` numbers."""
        return SwappedEntries(fraction("rate of Swap", self.rate))
