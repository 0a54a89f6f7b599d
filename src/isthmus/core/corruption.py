"""`CorruptionModule`: the noise on a row before it is encoded, and what it returns."""

from typing import NamedTuple

from torch import Tensor

from isthmus.core.contract import Stochastic


class Corrupted(NamedTuple):
    """What a corruption returns for B rows of F features.

    Examples
    --------
    >>> import torch
    >>> Corrupted(torch.zeros(3, 2)).mask is None
    True
    """

    x: Tensor
    """(B, F) what the encoder sees."""
    mask: Tensor | None = None
    """(B, F) 1 for hidden entries, 0 elsewhere; None if the corruption marks nothing."""
    cells: Tensor | None = None
    """(B, F) weight of each entry in the reconstruction loss; None for equal weights."""


class CorruptionModule(Stochastic):
    """The noise on a row before it is encoded: `forward` maps rows (B, F) to `Corrupted`.

    It acts in training and, with the same noise for every epoch, in validation: epochs are compared by the objective
    that is trained, not by how well a clean row passes.

    Examples
    --------
    >>> import torch
    >>> class Halved(CorruptionModule):
    ...     def forward(self, x):
    ...         return Corrupted(x / 2)
    >>> Halved()(torch.ones(1, 2)).x.tolist()
    [[0.5, 0.5]]
    """

    marks = False
    """Whether the encoder sees the mask beside the values: (B, 2F)."""
    weighs = False
    """Whether some cells count more than others in the reconstruction loss."""
    removes = False
    """Whether entries become missing (NaN)."""
    hidden_value = 0.0
    """What the encoder sees in a marked entry."""
    noise_variance = 0.0
    """Variance of independent noise of mean 0 that is added to every entry; 0 for any other corruption."""
    feature_group: tuple[int, ...] | None = None
    """(F,) group of each feature; features of one group must be corrupted together. None if each is on its own."""

    def remove(self) -> None:
        """Make hidden entries missing (NaN) instead of marking them, where the likelihood shows what is missing.

        By default nothing changes.
        """
