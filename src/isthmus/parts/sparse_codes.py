"""Sparse codes: few of many units are not 0, chosen per row (TopK), batch (BatchTopK) or unit (LifetimeSparse).

What is chosen by comparison with other units can leave units that are never chosen and never learn. `Lift` raises them
until they are. What a unit is compared with in use, where a row must not depend on others, is a `RunningThreshold`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from isthmus.core import modules
from isthmus.core.checks import fraction, positive_number, whole_number
from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Code, CodeModule, Part, batch_mean
from isthmus.core.registry import register

MEMORY = 0.9
"""Weight of the old value of a running threshold, per training step: weights move too fast for a longer memory."""
RISE = 0.03
"""By how much an unused unit is raised per training step, in parts of the mean size of the entries that are kept."""
SIZE_MEMORY = 0.95
"""Weight of the old value of that mean size, per training step."""
LEAST_RATE, ACTIVE, MOST = 0.05, 4, 0.5
"""A unit wins for 5 % of the rows, or for as many as give each row four winners, but for no more than half."""


def step_towards(mean: Tensor, value: Tensor, seen: Tensor, memory: float) -> None:
    """Move a running mean towards a value; the first values weigh alike, so that there is no start to forget."""
    seen += 1
    mean.lerp_(value.to(mean), (1 / seen).clamp_min(1 - memory))


class RunningThreshold(nn.Module):
    """The running mean of the smallest value that passed in training, of all units or of each, by `shape`."""

    def __init__(self, shape: tuple[int, ...] = ()) -> None:
        super().__init__()
        # Before the first step what is positive passes.
        self.value: Tensor = nn.Buffer(torch.zeros(shape))
        self.seen: Tensor = nn.Buffer(torch.zeros(()))

    @torch.no_grad()
    def follow(self, smallest: Tensor) -> None:
        """Take note of the smallest value that passed in a training step."""
        step_towards(self.value, smallest, self.seen, MEMORY)


class Lift(nn.Module):
    """What is added to each unit before units are compared, so that every unit is chosen for some rows.

    A unit that is chosen for fewer rows than `balance` times those of an even choice rises from step to step; one that
    is chosen for more sinks back, at most to its own height. (A "conscience", DeSieno 1988.)

    Parameters
    ----------
    latent : int
        K.
    balance : float
        In [0, 1); at 0 nothing is added.
    """

    def __init__(self, latent: int, balance: float) -> None:
        super().__init__()
        self.balance = balance
        self.height: Tensor = nn.Buffer(torch.zeros(latent))
        self.size: Tensor = nn.Buffer(torch.zeros(()))
        self.seen: Tensor = nn.Buffer(torch.zeros(()))

    def forward(self, h: Tensor) -> Tensor:
        """Return what is compared, (B, K), for the units' own values (B, K)."""
        return h + self.height.to(h) if self.balance else h

    @torch.no_grad()
    def follow(self, z: Tensor, weight: Tensor | None) -> None:
        """Take note of the entries that were kept in a training step, (B, K), with the weights of the rows (B,)."""
        if not self.balance:
            return
        use = batch_mean((z != 0).to(self.height), weight)
        even = use.mean().clamp_min(torch.finfo(use.dtype).tiny)
        step_towards(self.size, batch_mean(z.abs(), weight).mean() / even, self.seen, SIZE_MEMORY)
        rise = (1 - use / (self.balance * even)).clamp_min(-1)
        self.height.add_(RISE * self.size * rise).clamp_min_(0)


class SparseCode(CodeModule):
    """The base of sparse codes, whose units are used (not 0) or not; no unit depends on its own input alone."""

    def usage(self, code: Code) -> Tensor:
        """Return which of the K units are not 0 for some row of the batch, (K,)."""
        return (code.mean != 0).any(0)


class LargestCode(SparseCode):
    """The base of codes that keep the largest entries, k per row, after a beginning with more; see `TopK`."""

    def __init__(self, latent: int, k: int, anneal: float, balance: float) -> None:
        super().__init__(latent)
        self.k = k
        self.anneal = anneal
        self.lift = Lift(latent, balance)
        self.progress, self.warm_up_share = 1.0, anneal

    def begin(self, progress: float) -> None:
        """Take note of the share of the training that is done."""
        self.progress = progress

    @property
    def kept(self) -> int:
        """Number of units per row that are kept in training now; it falls from all of them to k, fast at first."""
        done = min(1.0, self.progress / self.anneal) if self.anneal else 1.0
        return self.k + round((self.latent - self.k) * (1 - done) ** 2)


class TopKCode(LargestCode):
    """The k largest entries of a(h), and 0 for the others; see `TopK`."""

    def __init__(self, latent: int, k: int, alpha: float, anneal: float, activation: str, balance: float) -> None:
        super().__init__(latent, k, anneal, balance)
        self.in_use = max(1, min(int(alpha * k), latent))
        self.function = modules.activation(activation).function

    def forward(self, h: Tensor, weight: Tensor | None = None) -> Code:
        """Return a code with at most k entries per row that are not 0, from the encoder's output (B, K)."""
        activations = self.function(h)
        count = self.kept if self.training else self.in_use
        places = self.lift(activations.detach()).topk(count, dim=1, sorted=False).indices
        z = torch.zeros_like(activations).scatter(1, places, activations.gather(1, places))
        if self.training:
            self.lift.follow(z, weight)
        return Code(z, z)


@register("code")
@dataclass
class TopK(Part):
    """k-sparse codes: keep the k largest entries of a(h) + c, set the others to 0 (Makhzani and Frey 2013).

    When: an exact number of sparse features. A unit that is never among the k largest gets no gradient and dies; c ≥ 0,
    (K,), prevents it: c rises for units that are kept for too few rows (DeSieno 1988), and is fixed after training.

    Parameters
    ----------
    k : int
        Number of entries to keep, at least 1 and at most the code's size.
    alpha : float
        α, above 0: outside training ⌊α·k⌋ entries are kept. The authors found the features with α = 3 better than
        with 1.
    anneal : float
        Share of the training, in [0, 1), over which the number of entries falls from all to k: k + (K - k)(1 - t)².
    activation : str
        a: "identity" as in the paper, "relu" for features that are never negative (Gao et al. 2024).
    balance : float
        Share of the rows for which each unit is kept, at least, as a part of k/K, the share if all were used alike; in
        [0, 1). At 0, c is 0.

    Raises
    ------
    ValueError
        In `fit`, if k exceeds the size of the code, or if a parameter is out of its range.

    Examples
    --------
    >>> import torch
    >>> TopK(2).build(latent=4)(torch.tensor([[0.1, 3.0, -5.0, 2.0]])).z.tolist()
    [[0.0, 3.0, 0.0, 2.0]]
    """

    k: int = 25
    alpha: float = 1.0
    anneal: float = 0.0
    activation: str = "identity"
    balance: float = 0.4

    def build(self, latent: int) -> TopKCode:
        """Return the module from (B, latent) to a `Code`."""
        k = within("k of TopK", self.k, latent)
        alpha = positive_number("alpha of TopK", self.alpha)
        anneal, balance = fraction("anneal of TopK", self.anneal), fraction("balance of TopK", self.balance)
        return TopKCode(latent, k, alpha, anneal, self.activation, balance)


class BatchTopKCode(LargestCode):
    """The k·B largest entries of a batch; see `BatchTopK`."""

    def __init__(self, latent: int, k: int, anneal: float, balance: float) -> None:
        super().__init__(latent, k, anneal, balance)
        self.threshold = RunningThreshold()

    def forward(self, h: Tensor, weight: Tensor | None = None) -> Code:
        """Return a code with k entries per row on average in training, else the entries above the threshold."""
        compared = self.lift(h.detach())
        if not self.training:
            z = h * (compared > self.threshold.value)
            return Code(z, z)
        largest = compared.flatten().topk(self.kept * len(h)).values
        # Validation is by k entries per row from the beginning.
        self.threshold.follow(largest[self.k * len(h) - 1])
        z = h * (compared >= largest[-1])
        self.lift.follow(z, weight)
        return Code(z, z)


@register("code")
@dataclass
class BatchTopK(Part):
    """Keep the k·B largest entries of h + c in a batch; rows may differ in their number (Bussmann et al. 2024).

    In use, when a row must not depend on others, entries above the running mean of the smallest kept value are kept.
    c ≥ 0, (K,), keeps units from dying as in `TopK`.

    Parameters
    ----------
    k : int
        Mean number of entries to keep per row, at least 1 and at most the code's size.
    anneal : float
        As in `TopK`.
    balance : float
        Share of the rows for which each unit is kept, at least, as a part of k/K, the share if all were used alike; in
        [0, 1). At 0, c is 0.

    Raises
    ------
    ValueError
        In `fit`, if k exceeds the size of the code, or if a parameter is out of its range.

    Examples
    --------
    >>> import torch
    >>> BatchTopK(1).build(latent=2).train()(torch.tensor([[3.0, 2.0], [1.0, 0.0]])).z.tolist()
    [[3.0, 2.0], [0.0, 0.0]]
    """

    k: int = 25
    anneal: float = 0.0
    balance: float = 0.4

    def build(self, latent: int) -> BatchTopKCode:
        """Return the module from (B, latent) to a `Code`."""
        k, anneal = within("k of BatchTopK", self.k, latent), fraction("anneal of BatchTopK", self.anneal)
        return BatchTopKCode(latent, k, anneal, fraction("balance of BatchTopK", self.balance))


class LifetimeSparseCode(SparseCode):
    """Each unit's largest values over the batch; see `LifetimeSparse`."""

    def __init__(self, latent: int, rate: float, dense: bool) -> None:
        super().__init__(latent)
        self.rate = rate
        self.dense = dense
        self.thresholds = RunningThreshold((latent,))

    def forward(self, h: Tensor, weight: Tensor | None = None) -> Code:
        """Return a code whose units are each not 0 for the same share of rows, from the encoder's output (B, K)."""
        if not self.training:
            z = torch.relu(h) if self.dense else h * (h >= self.thresholds.value)
            return Code(z, z)
        least = self.least_winner(h.detach(), weight)
        self.thresholds.follow(least)
        # Winners pass even below 0: cut off there, a unit that is negative for every row would never learn.
        z = h * (h >= least)
        return Code(z, z)

    def least_winner(self, h: Tensor, weight: Tensor | None) -> Tensor:
        """Return the smallest winning value of each unit, (K,); the largest win, up to a share ρ of the weight."""
        winners = max(1, round(self.rate * len(h)))
        if weight is None:
            return h.topk(winners, dim=0).values[-1]
        values, order = h.sort(dim=0, descending=True)
        reached = weight.to(values)[order].cumsum(0)
        # Slightly less than their weight, so that rounding does not admit one more.
        enough = (1 - 1e-6) * weight.sum().to(values) * winners / len(h)
        last = (reached < enough).sum(0).clamp_max(len(values) - 1)
        return values.gather(0, last[None])[0]


@register("code")
@dataclass
class LifetimeSparse(Part):
    """Winner-take-all codes: in training each unit of h keeps its largest ρB values over the batch, and is 0 elsewhere.

    Every unit wins for some rows, so that no unit can die (Makhzani and Frey 2015). In use a unit passes values above
    the running mean of its smallest winner; the authors drop the constraint there, which is ``inference="dense"``.

    Parameters
    ----------
    rate : float, optional
        ρ, in (0, 1). None means 0.05, or with fewer than 80 units what gives a row four winners on average (4/K), but
        at most one half: rows without a winner all have the same code.
    inference : {"sparse", "dense"}
        Whether a threshold applies outside training; "dense" codes are relu(h).

    Raises
    ------
    ValueError
        In `fit`, if a parameter is out of its range.

    Examples
    --------
    >>> import torch
    >>> LifetimeSparse(0.5).build(latent=2).train()(torch.tensor([[3.0, 2.0], [1.0, 4.0]])).z.tolist()
    [[3.0, 0.0], [0.0, 4.0]]
    >>> LifetimeSparse().build(latent=16).rate
    0.25
    """

    rate: float | None = None
    inference: str = "sparse"

    def build(self, latent: int) -> LifetimeSparseCode:
        """Return the module from (B, latent) to a `Code`."""
        refuse_unknown("inference of LifetimeSparse", self.inference, ("sparse", "dense"))
        given = max(LEAST_RATE, min(MOST, ACTIVE / latent)) if self.rate is None else self.rate
        rate = fraction("rate of LifetimeSparse", positive_number("rate of LifetimeSparse", given))
        return LifetimeSparseCode(latent, rate, self.inference == "dense")


def within(name: str, k: int, latent: int) -> int:
    """Return k, a number of units that must be at least 1 and at most the code's size."""
    k = whole_number(name, k, 1)
    if k > latent:
        raise ValueError(
            f"{name} is {k}, but the code has only latent={latent} units; take a larger latent, or k <= {latent}"
        )
    return k
