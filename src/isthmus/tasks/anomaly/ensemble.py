"""`Ensemble`: one or several trained methods, and the weighted mean of their surprisals."""

from collections.abc import Sequence
from typing import Self

import numpy as np

from isthmus.core.checked_tensors import checked
from isthmus.data.columns import Columns
from isthmus.data.table import Numbers
from isthmus.estimators.state import Facts, State, Tensors, member, members, nest
from isthmus.tasks.anomaly.known_anomalies import method_weights
from isthmus.tasks.anomaly.methods import method_named, name_of
from isthmus.tasks.anomaly.never_seen import NeverSeen
from isthmus.tasks.anomaly.own_method import OwnScorer
from isthmus.tasks.anomaly.scorer import Scorer
from isthmus.tasks.anomaly.state import Surroundings, as_tensor
from isthmus.tasks.anomaly.surprisal import Surprisal

OWN = ""
"""What stands in the place of a registered name for a user's own method."""


class Ensemble:
    """The weighted root mean square of the surprisals of one or several methods.

    Adding log shares is Fisher's way of combining p-values; the units of a method's scores do not matter. Squares let a
    row stand out that one method finds very odd though others do not see why, as neighbours do not see a broken
    relation between two of many columns.

    Parameters
    ----------
    scorers
        Trained methods.
    surprisals
        One per scorer.
    never_seen
        Raises the scores of rows with cells that no training row had.
    weights
        (M,) one per scorer, at least 0 and not all 0.
    """

    def __init__(
        self,
        scorers: Sequence[Scorer],
        surprisals: Sequence[Surprisal],
        never_seen: NeverSeen,
        weights: np.ndarray,
    ) -> None:
        self.scorers, self.surprisals, self.never_seen = list(scorers), list(surprisals), never_seen
        self.weights = weights

    @classmethod
    def of(
        cls,
        scorers: Sequence[Scorer],
        numbers: Numbers,
        columns: Columns | None,
        weights: np.ndarray,
        known: Numbers | None = None,
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
        weights
            (M,) of the methods. One to which all training rows are alike gets none.
        known
            (k, R) rows known to be anomalies, by which to weigh the methods further.
        """
        scores = np.column_stack([scorer.score(numbers) for scorer in scorers])
        if known is not None:
            weights = weights * method_weights(np.column_stack([scorer.score(known) for scorer in scorers]), scores)
        tells = np.ptp(scores, axis=0) > 0
        weights = np.where(tells, weights, 0.0) if tells.any() else weights
        surprisals = [Surprisal.of(found) for found in scores.T]
        together = mean_surprisal(surprisals, scores, weights)
        return cls(scorers, surprisals, NeverSeen(columns, len(together), float(together.max())), weights)

    def cells(self, numbers: Numbers) -> np.ndarray:
        """Return rows as the first method that sees cells sees them, (n, C); if none does, the numbers, gaps at 0."""
        numbers = self.never_seen.possible(numbers)
        for scorer in self.scorers:
            if scorer.cells is not None:
                return scorer.cells.transform(numbers).numpy()
        return np.nan_to_num(np.asarray(numbers, dtype=np.float64))

    def score(self, numbers: Numbers) -> np.ndarray:
        """Return the mean surprisal of each row of numbers (n, R), (n,) float64; higher if it has cells never seen."""
        return self.combined(self.by_method(numbers), numbers)

    def by_method(self, numbers: Numbers) -> np.ndarray:
        """Return the score of each row of numbers (n, R) by each method, in its own unit, (n, M)."""
        possible = self.never_seen.possible(numbers)
        return np.column_stack([scorer.score(possible) for scorer in self.scorers])

    def combined(self, by_method: np.ndarray, numbers: Numbers) -> np.ndarray:
        """Return the score of each row of numbers (n, R) from those by method (n, M), (n,)."""
        return self.never_seen.raised(mean_surprisal(self.surprisals, by_method, self.weights), numbers)

    def errors(self, numbers: Numbers) -> np.ndarray | None:
        """Return the mean share of each column in the methods' errors of a row, (n, columns).

        None if none of the methods tells columns apart.
        """
        possible = self.never_seen.possible(numbers)
        found = [errors for scorer in self.scorers if (errors := scorer.errors(possible)) is not None]
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
        return nest(inside | {"never_seen": self.never_seen.state()}, None, {"weights": as_tensor(self.weights)})

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
        never_seen = NeverSeen.from_state(*member("never_seen", facts, tensors), surroundings.columns)
        weights = checked(tensors, "weights", (len(scorers),), least=0)
        if not bool(weights.sum() > 0):
            raise ValueError("the ensemble has no method that counts")
        return cls(scorers, surprisals, never_seen, weights.numpy())


def mean_surprisal(surprisals: Sequence[Surprisal], by_method: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted root mean square of the surprisals of scores (n, M), (n,)."""
    squares = [surprisal(found) ** 2 for surprisal, found in zip(surprisals, by_method.T, strict=True)]
    return np.asarray(np.sqrt(np.average(squares, axis=0, weights=weights)))
