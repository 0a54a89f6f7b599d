"""Sparse codes: few of many units are not 0, chosen per row (TopK), batch (BatchTopK) or unit (LifetimeSparse)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from isthmus.core import modules
from isthmus.core.checks import fraction, positive_number, whole_number
from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Code, CodeModule, Part
from isthmus.core.registry import register

MEMORY = 0.99
"""Weight of the old value of a running threshold, per training step."""


class SparseCode(CodeModule):
    """The base of sparse codes, whose units are used (not 0) or not; no unit depends on its own input alone."""

    def usage(self, code: Code) -> Tensor:
        """Return which of the K units are not 0 for some row of the batch, (K,)."""
        return (code.mean != 0).any(0)


class TopKCode(SparseCode):
    """The k largest entries of a(h), and 0 for the others; see `TopK`."""

    def __init__(self, latent: int, k: int, alpha: float, anneal: float, activation: str) -> None:
        super().__init__(latent)
        self.k = k
        self.in_use = max(1, min(int(alpha * k), latent))
        self.anneal = anneal
        self.function = modules.activation(activation).function
        self.progress, self.warm_up_share = 1.0, anneal

    def begin(self, progress: float) -> None:
        """Take note of the share of the training that is done."""
        self.progress = progress

    @property
    def kept(self) -> int:
        """Number of units that are kept now; in training it falls from all of them to k."""
        if not self.training:
            return self.in_use
        done = min(1.0, self.progress / self.anneal) if self.anneal else 1.0
        return self.latent - int(done * (self.latent - self.k))

    def forward(self, h: Tensor, weight: Tensor | None = None) -> Code:
        """Return a code with at most k entries per row that are not 0, from the encoder's output (B, K)."""
        activations = self.function(h)
        values, places = activations.topk(self.kept, dim=1)
        z = torch.zeros_like(activations).scatter(1, places, values)
        return Code(z, z)


@register("code")
@dataclass
class TopK(Part):
    """k-sparse codes: keep the k largest entries of a(h), set the others to 0 (Makhzani and Frey 2013).

    When: an exact number of sparse features. Units that are never among the k largest get no gradient and die;
    `anneal` prevents most of that.

    Parameters
    ----------
    k : int
        Number of entries to keep, at least 1 and at most the code's size.
    alpha : float
        α, above 0: outside training ⌊α·k⌋ entries are kept. The authors found the features with α = 3 better than
        with 1.
    anneal : float
        Share of the training, in [0, 1), over which the number of entries falls from all to k.
    activation : str
        a: "identity" as in the paper, "relu" for features that are never negative (Gao et al. 2024).

    Raises
    ------
    ValueError
        In `fit`, if k exceeds the size of the code.

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

    def build(self, latent: int) -> TopKCode:
        """Return the module from (B, latent) to a `Code`."""
        k = within("k of TopK", self.k, latent)
        alpha = positive_number("alpha of TopK", self.alpha)
        return TopKCode(latent, k, alpha, fraction("anneal of TopK", self.anneal), self.activation)


class BatchTopKCode(SparseCode):
    """The k·B largest entries of a batch of relu(h); see `BatchTopK`."""

    def __init__(self, latent: int, k: int) -> None:
        super().__init__(latent)
        self.k = k
        # Negative until the first batch, so that everything passes.
        self.threshold: Tensor = nn.Buffer(torch.tensor(-1.0))

    def forward(self, h: Tensor, weight: Tensor | None = None) -> Code:
        """Return a code with k entries per row on average in training, else the entries above the threshold."""
        activations = functional.relu(h)
        if not self.training:
            z = activations * (activations > self.threshold)
            return Code(z, z)
        values = activations.flatten().topk(self.k * len(h)).values
        smallest = values[-1].detach()
        self.threshold.lerp_(smallest.to(self.threshold), 1.0 if self.threshold < 0 else 1 - MEMORY)
        z = activations * (activations >= smallest)
        return Code(z, z)


@register("code")
@dataclass
class BatchTopK(Part):
    """Keep the k·B largest entries of a batch of relu(h); rows may differ in their number (Bussmann et al. 2024).

    In use, when a row must not depend on others, entries above the running mean of the smallest kept value are kept.

    Parameters
    ----------
    k : int
        Mean number of entries to keep per row, at least 1 and at most the code's size.

    Raises
    ------
    ValueError
        In `fit`, if k exceeds the size of the code.

    Examples
    --------
    >>> import torch
    >>> BatchTopK(1).build(latent=2)(torch.tensor([[3.0, 2.0], [1.0, 0.0]])).z.tolist()
    [[3.0, 2.0], [0.0, 0.0]]
    """

    k: int = 25

    def build(self, latent: int) -> BatchTopKCode:
        """Return the module from (B, latent) to a `Code`."""
        return BatchTopKCode(latent, within("k of BatchTopK", self.k, latent))


class LifetimeSparseCode(SparseCode):
    """Each unit's largest values over the batch; see `LifetimeSparse`."""

    def __init__(self, latent: int, rate: float, dense: bool) -> None:
        super().__init__(latent)
        self.rate = rate
        self.dense = dense
        self.thresholds: Tensor = nn.Buffer(torch.full((latent,), -1.0))

    def forward(self, h: Tensor, weight: Tensor | None = None) -> Code:
        """Return a code whose units are each not 0 for the same share of rows, from the encoder's output (B, K)."""
        activations = functional.relu(h)
        if not self.training:
            z = activations if self.dense else activations * (activations >= self.thresholds)
            return Code(z, z)
        least = self.least_winner(activations.detach(), weight)
        moved = torch.where(self.thresholds < 0, least, self.thresholds.lerp(least.to(self.thresholds), 1 - MEMORY))
        self.thresholds.copy_(moved)
        z = activations * (activations >= least)
        return Code(z, z)

    def least_winner(self, activations: Tensor, weight: Tensor | None) -> Tensor:
        """Return the smallest winning value of each unit, (K,); the largest win, up to a share ρ of the weight."""
        winners = max(1, round(self.rate * len(activations)))
        if weight is None:
            return activations.topk(winners, dim=0).values[-1]
        values, order = activations.sort(dim=0, descending=True)
        reached = weight.to(values)[order].cumsum(0)
        # Slightly less than their weight, so that rounding does not admit one more.
        enough = (1 - 1e-6) * weight.sum().to(values) * winners / len(activations)
        last = (reached < enough).sum(0).clamp_max(len(values) - 1)
        return values.gather(0, last[None])[0]


@register("code")
@dataclass
class LifetimeSparse(Part):
    """Winner-take-all codes: in training each unit of relu(h) keeps its largest ρB values over the batch.

    Every unit wins for some rows, so that no unit can die (Makhzani and Frey 2015). In use a unit passes values above
    the running mean of its smallest winner; the authors drop the constraint there, which is ``inference="dense"``.

    Parameters
    ----------
    rate : float
        ρ, in (0, 1).
    inference : {"sparse", "dense"}
        Whether a threshold applies outside training.

    Raises
    ------
    ValueError
        In `fit`, if a parameter is out of its range.

    Examples
    --------
    >>> import torch
    >>> LifetimeSparse(0.5).build(latent=2)(torch.tensor([[3.0, 2.0], [1.0, 4.0]])).z.tolist()
    [[3.0, 0.0], [0.0, 4.0]]
    """

    rate: float = 0.05
    inference: str = "sparse"

    def build(self, latent: int) -> LifetimeSparseCode:
        """Return the module from (B, latent) to a `Code`."""
        refuse_unknown("inference of LifetimeSparse", self.inference, ("sparse", "dense"))
        rate = fraction("rate of LifetimeSparse", positive_number("rate of LifetimeSparse", self.rate))
        return LifetimeSparseCode(latent, rate, self.inference == "dense")


def within(name: str, k: int, latent: int) -> int:
    """Return k, a number of units that must be at least 1 and at most the code's size."""
    k = whole_number(name, k, 1)
    if k > latent:
        raise ValueError(
            f"{name} is {k}, but the code has only latent={latent} units; take a larger latent, or k <= {latent}"
        )
    return k
