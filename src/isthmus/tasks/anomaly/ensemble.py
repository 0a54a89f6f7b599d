"""`Ensemble`: one or several trained methods, and the weighted mean of their surprisals."""

from collections.abc import Sequence
from typing import Self

import numpy as np

from isthmus.data.columns import Columns
from isthmus.data.table import Numbers
from isthmus.estimators.state import Facts, State, Tensors, member, members, nest
from isthmus.tasks.anomaly.known_anomalies import method_weights
from isthmus.tasks.anomaly.methods import method_named, name_of
from isthmus.tasks.anomaly.new_gaps import NewGaps
from isthmus.tasks.anomaly.own_method import OwnScorer
from isthmus.tasks.anomaly.scorer import Scorer
from isthmus.tasks.anomaly.state import Surroundings, as_tensor
from isthmus.tasks.anomaly.surprisal import Surprisal

OWN = ""
"""What stands in the place of a registered name for a user's own method."""


class Ensemble:
    """The weighted mean of the surprisals of one or several methods.

    Averaging log shares is Fisher's way of combining p-values; the units of a method's scores do not matter.

    Parameters
    ----------
    scorers
        Trained methods.
    surprisals
        One per scorer.
    gaps
        Raises the scores of rows with cells missing that never were in training.
    weights
        (M,) one per scorer, at least 0; equal ones if None.
    """

    def __init__(
        self,
        scorers: Sequence[Scorer],
        surprisals: Sequence[Surprisal],
        gaps: NewGaps,
        weights: np.ndarray | None = None,
    ) -> None:
        self.scorers, self.surprisals, self.gaps = list(scorers), list(surprisals), gaps
        self.weights = np.ones(len(self.scorers)) if weights is None else weights

    @classmethod
    def of(
        cls,
        scorers: Sequence[Scorer],
        numbers: Numbers,
        columns: Columns | None,
        known: Numbers | None = None,
        weights: np.ndarray | None = None,
    ) -> Self:
        """Put trained methods on one scale.

        Parameters
        ----------
        scorers
            M trained methods.
        numbers
            (n, R) the training rows.
        columns
            Their columns, if they are of several kinds.
        known
            (k, R) rows known to be anomalies, by which to weigh the methods.
        weights
            (M,) of the methods, if they are known already.
        """
        scores = [scorer.score(numbers) for scorer in scorers]
        surprisals = [Surprisal.of(found) for found in scores]
        if known is not None:
            odd = np.column_stack([scorer.score(known) for scorer in scorers])
            weights = method_weights(odd, np.column_stack(scores))
        scaled = [surprisal(found) for surprisal, found in zip(surprisals, scores, strict=True)]
        together = np.average(scaled, axis=0, weights=weights)
        return cls(scorers, surprisals, NewGaps(columns, len(together), float(together.max())), weights)

    def cells(self, numbers: Numbers) -> np.ndarray:
        """Return rows as the first method that sees cells sees them, (n, C); if none does, the numbers, gaps at 0."""
        for scorer in self.scorers:
            if scorer.cells is not None:
                return scorer.cells.transform(numbers).numpy()
        return np.nan_to_num(np.asarray(numbers, dtype=np.float64))

    def score(self, numbers: Numbers) -> np.ndarray:
        """Return the mean surprisal of each row of numbers (n, R), (n,) float64; higher if it has new gaps."""
        return self.combined(self.by_method(numbers), numbers)

    def by_method(self, numbers: Numbers) -> np.ndarray:
        """Return the score of each row of numbers (n, R) by each method, in its own unit, (n, M)."""
        return np.column_stack([scorer.score(numbers) for scorer in self.scorers])

    def combined(self, by_method: np.ndarray, numbers: Numbers) -> np.ndarray:
        """Return the score of each row of numbers (n, R) from those by method (n, M), (n,)."""
        scaled = [surprisal(found) for surprisal, found in zip(self.surprisals, by_method.T, strict=True)]
        return self.gaps.raised(np.average(scaled, axis=0, weights=self.weights), numbers)

    def errors(self, numbers: Numbers) -> np.ndarray | None:
        """Return the mean share of each column in the methods' errors of a row, (n, columns).

        None if none of the methods tells columns apart.
        """
        found = [errors for scorer in self.scorers if (errors := scorer.errors(numbers)) is not None]
        if not found:
            return None
        shares = 0.0
        for errors in found:
            shares = shares + errors / np.maximum(errors.sum(1, keepdims=True), 1e-300)
        return np.asarray(shares / len(found))

    def state(self) -> State:
        """Return what it takes to rebuild the ensemble."""
        inside = {}
        for place, (scorer, surprisal) in enumerate(zip(self.scorers, self.surprisals, strict=True)):
            parts = {"scorer": scorer.state(), "surprisal": surprisal.state()}
            inside[f"member{place}"] = nest(parts, {"method": name_of(scorer) or OWN})
        return nest(inside | {"gaps": self.gaps.state()}, None, {"weights": as_tensor(self.weights)})

    @classmethod
    def from_state(cls, facts: Facts, tensors: Tensors, surroundings: Surroundings) -> Self:
        """Rebuild an ensemble."""
        scorers: list[Scorer] = []
        surprisals = []
        for saved in members("member", facts, tensors):
            name = str(saved.facts["method"])
            kind: type[Scorer] = OwnScorer if name == OWN else method_named(name).scorer
            scorers.append(kind.from_state(*member("scorer", *saved), surroundings))
            surprisals.append(Surprisal.from_state(*member("surprisal", *saved)))
        gaps = NewGaps.from_state(*member("gaps", facts, tensors), surroundings.columns)
        return cls(scorers, surprisals, gaps, tensors["weights"].numpy())
