"""Principal components of a stream, in little memory, as `StreamMoments` counts its rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from isthmus.core.checked_tensors import checked
from isthmus.core.principal import Blocks, PrincipalComponents, by_variance, leading_eigenvectors, mean_and_covariance
from isthmus.data.stream_moments import Change

SPARE = 10
"""Directions that are kept beyond twice the components that are asked for."""


class Sketch(NamedTuple):
    """Mean and leading directions of rows: their sum of squared deviations is `basis.T @ basis`, about.

    Rows are added as in the incremental singular value decomposition of Ross, Lim, Lin and Yang (2008), "Incremental
    learning for robust visual tracking", section 2.2.

    Examples
    --------
    >>> x = torch.tensor([[0.0, 0.0], [2.0, 2.0], [4.0, 4.0]], dtype=torch.float64)
    >>> one, other = (Sketch.of(lambda: [(rows, None)], len(rows), 2, 1) for rows in (x[:2], x[2:]))
    >>> both = one.joined(other, 1)
    >>> both.mean.tolist(), [round(float(v), 9) for v in both.principal(1).variances]
    ([2.0, 2.0], [5.333333333])
    """

    weight: float
    mean: Tensor
    """(F,) float64."""
    basis: Tensor
    """(directions, F) float64, orthogonal rows by falling length."""

    @classmethod
    def none(cls, features: int) -> "Sketch":
        """Return the sketch of no rows."""
        empty = torch.zeros(0, features, dtype=torch.float64)
        return cls(0.0, empty.sum(0), empty)

    @classmethod
    def of(cls, blocks: Blocks, rows: int, features: int, most: int) -> "Sketch":
        """Return the sketch of that many rows in float64, given in blocks, in at most `most` directions."""
        if rows >= features:
            mean, covariance = mean_and_covariance(blocks, features)
            total = sum(float(len(x) if weight is None else weight.sum()) for x, weight in blocks())
            variances, components = leading_eigenvectors(covariance, most)
            return cls(total, mean, (variances.clamp_min(0) * total).sqrt()[:, None] * components.T)
        pairs = list(blocks())
        x = torch.cat([x for x, _ in pairs])
        weights = torch.cat([torch.ones_like(x[:, 0]) if w is None else w.double() for x, w in pairs])
        total = float(weights.sum())
        mean = weights @ x / total
        return cls(total, mean, shortened(weights.sqrt()[:, None] * (x - mean), most))

    def joined(self, other: "Sketch", most: int) -> "Sketch":
        """Return the sketch of these rows and those together."""
        total = self.weight + other.weight
        if not self.weight or not other.weight:
            return other if other.weight else self
        away = other.mean - self.mean
        between = away * (self.weight * other.weight / total) ** 0.5
        basis = torch.cat([self.basis, other.basis, between[None]])
        return Sketch(total, self.mean + away * (other.weight / total), shortened(basis, most))

    def in_units(self, ratio: Tensor, shift: Tensor) -> "Sketch":
        """Return the sketch of the rows y, where a·y + b are the rows so far, for a ratio a and a shift b (F,)."""
        return self._replace(mean=(self.mean - shift) / ratio, basis=self.basis / ratio)

    def principal(self, rank: int) -> PrincipalComponents | None:
        """Return the leading components, at most `rank` of those with variance; None if there is none."""
        if not len(self.basis):
            return None
        basis = shortened(self.basis, min(rank, *self.basis.shape))
        variances = basis.square().sum(1) / max(self.weight, 1e-300)
        there = variances > 1e-12 * self.basis.square().sum() / max(self.weight, 1e-300)
        if not there.any():
            return None
        basis, variances = basis[there], variances[there]
        components = (basis / basis.norm(dim=1, keepdim=True)).T
        return by_variance(self.mean, components, variances, self.basis.square().sum(0) / self.weight)


def shortened(rows: Tensor, most: int) -> Tensor:
    """Return orthogonal rows (at most `most`, F) whose sum of squares is nearest to that of these (n, F)."""
    count, features = rows.shape
    if count >= features:
        squares, directions = leading_eigenvectors(rows.T @ rows, min(most, features))
        return squares.clamp_min(0).sqrt()[:, None] * directions.T
    _, directions = leading_eigenvectors(rows @ rows.T, min(most, count))
    return directions.T @ rows


@dataclass
class StreamComponents:
    """The principal components of the rows of a stream since a column last changed.

    Parameters
    ----------
    older, recent : Sketch
        Of the rows until, and since, the spreads of the columns were last compared.
    most : int
        Directions that are kept of each.
    """

    older: Sketch
    recent: Sketch
    most: int

    @classmethod
    def start(cls, features: int, rank: int) -> "StreamComponents":
        """Return the components of no rows, for a table of that many columns and a code of that size."""
        return cls(Sketch.none(features), Sketch.none(features), min(features, 2 * rank + SPARE))

    @property
    def features(self) -> int:
        """Columns F."""
        return len(self.older.mean)

    def add(self, chunk: Sketch, change: Change) -> None:
        """Add a chunk of rows, which changed the columns of the stream as `StreamMoments` says."""
        none = Sketch.none(self.features)
        if change.grown.any():
            self.older, self.recent = chunk, none
            return
        self.recent = self.recent.joined(chunk, self.most)
        if change.compared:
            self.older = self.recent if change.shrunk.any() else self.older.joined(self.recent, self.most)
            self.recent = none

    def change_units(self, ratio: Tensor, shift: Tensor) -> None:
        """Let a·y + b in the old units be y in the new ones, for a ratio a and a shift b (F,)."""
        self.older, self.recent = self.older.in_units(ratio, shift), self.recent.in_units(ratio, shift)

    @property
    def all(self) -> Sketch:
        """The sketch of all rows that count."""
        return self.older.joined(self.recent, self.most)

    @property
    def state(self) -> dict[str, Tensor]:
        """All of it as tensors, to be saved."""
        found = {"weights": torch.tensor([self.older.weight, self.recent.weight], dtype=torch.float64)}
        for name, sketch in (("older", self.older), ("recent", self.recent)):
            found |= {f"{name}_mean": sketch.mean, f"{name}_basis": sketch.basis}
        return found | {"most": torch.tensor(self.most)}

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> "StreamComponents":
        """Restore what `state` returned; a `ValueError` says what cannot be."""
        features = len(checked(state, "older_mean", (None,)))
        most = int(checked(state, "most", (), torch.int64, least=0, most=features))
        weights = checked(state, "weights", (2,), least=0).tolist()
        older, recent = (
            Sketch(
                weight,
                checked(state, f"{name}_mean", (features,)),
                checked(state, f"{name}_basis", (None, features)),
            )
            for name, weight in zip(("older", "recent"), weights, strict=True)
        )
        return cls(older, recent, most)
