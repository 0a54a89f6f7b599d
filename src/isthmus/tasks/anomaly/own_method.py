"""`OwnMethod`: a user's own detection method, a function or an object with `fit` and `score_samples`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self, TypeAlias, cast

import numpy as np
from sklearn.base import BaseEstimator, clone

from isthmus.core.json_type import Json
from isthmus.data.table import Numbers
from isthmus.estimators.plain import UnknownPartError
from isthmus.estimators.state import Facts, State, Tensors, member, nest
from isthmus.tasks.anomaly.cells import RobustCells
from isthmus.tasks.anomaly.state import OwnSaveable, Surroundings, as_tensor
from isthmus.tasks.anomaly.training import Training


class Detector(Protocol):
    """A detector with scikit-learn's methods."""

    def fit(self, X: np.ndarray) -> object:
        """Learn from rows (n, R)."""
        ...

    def score_samples(self, X: np.ndarray) -> np.ndarray:
        """Return how normal rows (m, R) are, (m,): higher is more normal."""
        ...


ScoreFunction: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""From rows (m, R) to scores (m,), higher is odder; no row affects another."""
TrainFunction: TypeAlias = Callable[[np.ndarray], ScoreFunction]
"""From training rows (n, R) to what scores rows."""
DETECTOR_METHODS = ("fit", "score_samples")


@dataclass(frozen=True)
class Oddness:
    """Minus what a fitted detector's `score_samples` returns."""

    detector: Detector

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Return how odd rows (m, R) are, (m,)."""
        return -np.asarray(self.detector.score_samples(rows), dtype=np.float64)


@dataclass(frozen=True)
class OwnMethod:
    """A user's own method before training.

    Parameters
    ----------
    given
        A function that is given the training rows (n, R) and returns a function of rows (m, R) to scores (m,), higher
        is odder; or an object with `fit(X)` and `score_samples(X)`, higher is more normal.

    Raises
    ------
    TypeError
        If it is neither.
    """

    given: Detector | TrainFunction

    sparse = False
    uses_estimator = False

    def __post_init__(self) -> None:
        if isinstance(self.given, type):
            raise TypeError(f"method={self.name} is a class; give an instance of it: {self.name}(...)")
        if self.missing and not (len(self.missing) == len(DETECTOR_METHODS) and callable(self.given)):
            also = "" if len(self.missing) < len(DETECTOR_METHODS) else ", and it is not a function either"
            raise TypeError(
                f"method={self.name} lacks {' and '.join(self.missing)}{also}; a method of your own must be an object "
                "with fit(X) and score_samples(X) (higher is more normal), or a function that is given the training "
                "rows (n, R) and returns a function of rows (m, R) to scores (m,), higher is odder"
            )

    @property
    def missing(self) -> list[str]:
        """The methods of a detector that the object does not have."""
        return [name for name in DETECTOR_METHODS if not callable(getattr(self.given, name, None))]

    @property
    def name(self) -> str:
        """The name of the function, or of the object's class."""
        return str(getattr(self.given, "__name__", type(self.given).__name__))

    def train(self, training: Training) -> "OwnScorer":
        """Train the method on all rows; of an object, a copy."""
        reader = PlainRows.of(training) if training.columns is None else training.cells
        return OwnScorer(self.name, self.score_function(own_rows(training.numbers, reader), training.seed), reader)

    def score_function(self, rows: np.ndarray, seed: int) -> ScoreFunction:
        """Train the method on rows (n, R), and return what scores rows."""
        if not self.missing:
            return Oddness(fitted_copy(cast("Detector", self.given), rows, seed))
        function = cast("TrainFunction", self.given)(rows)
        if not callable(function):
            raise TypeError(
                f"method={self.name} must return a function of rows (m, R) to scores (m,); it returned {function!r}"
            )
        return function


def fitted_copy(detector: Detector, rows: np.ndarray, seed: int) -> Detector:
    """Return a fitted copy; a scikit-learn estimator without a random state gets the seed of the training."""
    copy: Detector = clone(detector, safe=False)
    if isinstance(copy, BaseEstimator) and copy.get_params().get("random_state", seed) is None:
        copy.set_params(random_state=seed % 2**32)
    copy.fit(rows)
    return copy


@dataclass(frozen=True)
class PlainRows:
    """Gives a table of numbers alone to a user's own method."""

    means: np.ndarray
    """(R,) what takes the place of missing numbers, which no training row had."""
    limit: float
    """Greatest magnitude: what float32 holds, in which trees of scikit-learn compare, or the greatest in training."""

    @classmethod
    def of(cls, training: Training) -> Self:
        """Learn from the training rows."""
        numbers = np.asarray(training.numbers)
        greatest = max(abs(float(numbers.max())), abs(float(numbers.min())))
        return cls(training.cells.shift.numpy(), max(greatest, float(np.finfo(np.float32).max)))

    def transform(self, numbers: Numbers) -> np.ndarray:
        """Return numbers (n, R) without gaps and within the limit, in memory of their own."""
        rows = np.array(numbers, dtype=np.float64, order="C")
        return np.where(np.isnan(rows), self.means, rows.clip(-self.limit, self.limit))


def own_rows(numbers: Numbers, reader: PlainRows | RobustCells) -> np.ndarray:
    """Return rows as a user's own method sees them: finite float64 numbers, in memory of their own.

    Numbers are given as they are. Rows of a table of several kinds of columns, or with gaps, are given as its cells:
    numbers standardised, one column per category with zeros and ones (standardised too), gaps at the mean.
    """
    if isinstance(reader, RobustCells):
        return np.array(reader.transform(numbers).numpy(), dtype=np.float64, order="C")
    return reader.transform(numbers)


class OwnScorer:
    """A user's own method after training.

    Parameters
    ----------
    name
        For messages.
    function
        From rows (m, R) to scores (m,), higher is odder.
    reader
        Turns numbers into the rows of the method: cells, if the table's columns are of several kinds.
    """

    def __init__(self, name: str, function: ScoreFunction, reader: PlainRows | RobustCells) -> None:
        self.name, self.function, self.reader = name, function, reader

    @property
    def history(self) -> None:
        """None: how the method was trained is its own matter."""

    @property
    def cells(self) -> RobustCells | None:
        """What turns numbers into cells, for tables of several kinds of columns."""
        return self.reader if isinstance(self.reader, RobustCells) else None

    @property
    def stored_rows(self) -> int:
        """0: what a user's own method holds of the training rows is not known."""
        return 0

    @classmethod
    def trained_on(cls, training: Training) -> Self:
        """Refuse: `OwnMethod` knows what to train."""
        raise TypeError("a user's own method is trained by OwnMethod.train")

    def score(self, numbers: Numbers) -> np.ndarray:
        """Return the score of each row of numbers (n, R), (n,) float64; higher is odder.

        Raises
        ------
        ValueError
            If the method returns another shape, or a score that is not finite.
        """
        rows = own_rows(numbers, self.reader)
        scores = np.asarray(self.function(rows), dtype=np.float64)
        if scores.shape != (len(rows),):
            raise ValueError(
                f"method {self.name} must return scores of shape ({len(rows)},) for rows of shape {rows.shape}; it "
                f"returned shape {scores.shape}"
            )
        if not np.isfinite(scores).all():
            raise ValueError(
                f"method {self.name} must return finite scores; {int((~np.isfinite(scores)).sum())} of {len(scores)} "
                "are NaN or infinite"
            )
        return scores

    def errors(self, numbers: Numbers) -> None:
        """Return None: the method does not tell columns apart."""

    def state(self) -> State:
        """Return what it takes to rebuild the scorer.

        Raises
        ------
        TypeError
            If the trained object cannot be saved: it must have `state` and `from_state` (`OwnSaveable`).
        """
        is_detector = isinstance(self.function, Oddness)
        trained: object = self.function.detector if isinstance(self.function, Oddness) else self.function
        if not isinstance(trained, OwnSaveable):
            raise TypeError(
                f"method {self.name} cannot be saved: {type(trained).__name__} has no methods state() -> (facts, "
                "tensors) and from_state(facts, tensors); give it these, or fit the detector again in place of "
                "loading it"
            )
        facts: dict[str, Json] = {"name": self.name, "class": type(trained).__name__, "is_detector": is_detector}
        inside = {"trained": State(*trained.state())}
        if isinstance(self.reader, RobustCells):
            return nest(inside | {"cells": self.reader.state()}, facts)
        return nest(inside, facts, {"means": as_tensor(self.reader.means), "limit": as_tensor(self.reader.limit)})

    @classmethod
    def from_state(cls, facts: Facts, tensors: Tensors, surroundings: Surroundings) -> Self:
        """Rebuild a scorer.

        Raises
        ------
        UnknownPartError
            If the class of the user's trained object was not given to `load`.
        """
        kind = str(facts["class"])
        if kind not in surroundings.classes:
            raise UnknownPartError(f"the saved detector has a method of your own, {kind}: give that class")
        trained = cast("type[OwnSaveable]", surroundings.classes[kind]).from_state(*member("trained", facts, tensors))
        function = Oddness(cast("Detector", trained)) if facts["is_detector"] else cast("ScoreFunction", trained)
        if "cells" in facts:
            cells = RobustCells.from_state(*member("cells", facts, tensors), surroundings.columns)
            return cls(str(facts["name"]), function, cells)
        return cls(str(facts["name"]), function, PlainRows(tensors["means"].numpy(), float(tensors["limit"])))
