"""`Ensemble`: one or several trained methods, and the mean of their surprisals."""

from collections.abc import Sequence
from typing import Self

import numpy as np

from isthmus.data.columns import Columns
from isthmus.data.table import Numbers
from isthmus.estimators.state import Facts, State, Tensors, member, members, nest
from isthmus.tasks.anomaly.methods import method_named, name_of
from isthmus.tasks.anomaly.new_gaps import NewGaps
from isthmus.tasks.anomaly.own_method import OwnScorer
from isthmus.tasks.anomaly.scorer import Scorer
from isthmus.tasks.anomaly.state import Surroundings
from isthmus.tasks.anomaly.surprisal import Surprisal

OWN = ""
"""What stands in the place of a registered name for a user's own method."""


class Ensemble:
    """The mean of the surprisals of one or several methods.

    Averaging log shares is Fisher's way of combining p-values; the units of a method's scores do not matter.

    Parameters
    ----------
    scorers
        Trained methods.
    surprisals
        One per scorer.
    gaps
        Raises the scores of rows with cells missing that never were in training.
    """

    def __init__(self, scorers: Sequence[Scorer], surprisals: Sequence[Surprisal], gaps: NewGaps) -> None:
        self.scorers, self.surprisals, self.gaps = list(scorers), list(surprisals), gaps

    @classmethod
    def of(cls, scorers: Sequence[Scorer], numbers: Numbers, columns: Columns | None) -> Self:
        """Put trained methods on one scale by the training rows (n, R), whose columns are known if of several kinds."""
        scores = [scorer.score(numbers) for scorer in scorers]
        surprisals = [Surprisal.of(found) for found in scores]
        together = np.mean([surprisal(found) for surprisal, found in zip(surprisals, scores, strict=True)], axis=0)
        return cls(scorers, surprisals, NewGaps(columns, len(together), float(together.max())))

    def cells(self, numbers: Numbers) -> np.ndarray:
        """Return rows as the first method that sees cells sees them, (n, C); if none does, the numbers, gaps at 0."""
        for scorer in self.scorers:
            if scorer.cells is not None:
                return scorer.cells.transform(numbers).numpy()
        return np.nan_to_num(np.asarray(numbers, dtype=np.float64))

    def score(self, numbers: Numbers) -> np.ndarray:
        """Return the mean surprisal of each row of numbers (n, R), (n,) float64; higher if it has new gaps."""
        pairs = zip(self.scorers, self.surprisals, strict=True)
        found = np.mean([surprisal(scorer.score(numbers)) for scorer, surprisal in pairs], axis=0)
        return self.gaps.raised(found, numbers)

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
        return nest(inside | {"gaps": self.gaps.state()})

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
        return cls(scorers, surprisals, NewGaps.from_state(*member("gaps", facts, tensors), surroundings.columns))
