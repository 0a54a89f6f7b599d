"""`Objective`: by what the trials of a search are compared; each registers itself in the file where it is defined."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np
from sklearn.base import BaseEstimator, clone

from isthmus.core.choices import refuse_unknown
from isthmus.engine.callbacks import TrainingRun
from isthmus.tasks.tuning.rows_in_memory import taken
from isthmus.tasks.tuning.splitting import Part, Split

Space = dict[str, object]
"""Dimensions as a user writes them."""


@dataclass(frozen=True, eq=False)
class Data:
    """What a search is about: rows in memory, their labels if there are any, and who sees which of them."""

    X: Any
    y: np.ndarray | None
    split: Split
    seed: int
    groups: np.ndarray | None = None

    def rows(self, positions: np.ndarray) -> Any:
        """Return the rows at these positions, as they were given."""
        return taken(self.X, positions)


class Objective:
    """By what the trials of a search are compared: a loss for every row that is held out.

    A loss per row makes differences between trials paired: what is hard for all does not blur them. An objective must
    define `suits` and `losses`; all else has a default.

    Parameters
    ----------
    model : estimator
        As the user gave it.
    data : Data
        The rows.

    Examples
    --------
    >>> @objective("for the example")
    ... class Largest(Objective):
    ...     measure = "largest number"
    ...     @classmethod
    ...     def suits(cls, model, labels):
    ...         return False
    ...     def losses(self, fitted, rows, training):
    ...         return self.data.X[rows].max(1)
    >>> OBJECTIVES.pop("for the example").measure
    'largest number'
    """

    name: ClassVar[str] = ""
    measure: str = ""
    """What is measured, in words."""
    offset: ClassVar[float] = 0.0
    sign: ClassVar[float] = 1.0
    """The value that is shown of a mean loss is `offset` + `sign` · loss; with a sign of -1 more is better."""
    needs_labels: ClassVar[bool] = False

    def __init__(self, model: BaseEstimator, data: Data) -> None:
        self.model, self.data, self.original = model, data, model

    @classmethod
    def suits(cls, model: BaseEstimator, labels: bool) -> bool:
        """Whether "auto" means this objective for a model, with labels or without; the first that suits is taken."""
        raise NotImplementedError

    @classmethod
    def refuse(cls, model: BaseEstimator) -> None:
        """Raise a `ValueError` if models of that kind cannot be measured so."""

    @classmethod
    def classes(cls, y: np.ndarray | None) -> np.ndarray | None:
        """Return the classes of rows that every side of the search must have, (n,); None if there are none."""
        return None

    def prepare(self, searched: set[str]) -> None:
        """Look at the training rows once, before the first trial; `searched` are the dimensions that the user gave."""

    def fixed(self, searched: set[str]) -> dict[str, object]:
        """Return parameters that all trials share unless they are searched, such as the size of the code."""
        return {}

    def space(self) -> Space:
        """Return the dimensions to search by default."""
        raise NotImplementedError(f"the objective {self.name!r} has no space of its own: give space={{...}}")

    def longer(self, model: BaseEstimator) -> BaseEstimator | None:
        """Return the model with more training, for a fair comparison; None if it cannot be trained for longer."""
        return None

    def fit(self, model: BaseEstimator, rows: np.ndarray) -> BaseEstimator:
        """Fit a model to the rows at these positions."""
        return model.fit(self.data.rows(rows), **self.groups_of(rows))

    def groups_of(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return what `fit` is told of groups, so that those within the rows stay together, too."""
        return {} if self.data.groups is None else {"groups": self.data.groups[rows]}

    def losses(self, fitted: BaseEstimator, rows: np.ndarray, training: np.ndarray) -> np.ndarray:
        """Return the loss of each of the rows at these positions, (m,), for a model fitted to `training`."""
        raise NotImplementedError

    def watched(self, run: TrainingRun, part: Part) -> float | None:
        """Return the mean loss of a network in training, by which it may be pruned; None if that is not known."""
        return None

    def strata(self, rows: np.ndarray) -> np.ndarray | None:
        """Return which rows are averaged apart, (m,); the mean loss is the mean of their means. None if all are one."""
        return None

    def size(self, fitted: BaseEstimator) -> tuple[int, int]:
        """Return the size of the code and the number of weights: of two equals the smaller one is taken."""
        return 0, 0

    def value(self, loss: float) -> float:
        """Return the value that is shown of a mean loss."""
        return self.offset + self.sign * loss

    def refitted(self, model: BaseEstimator, X: object) -> BaseEstimator:
        """Return a model fitted to all rows, as they were given."""
        return clone(model).fit(X, **self.groups_of(np.arange(self.data.split.rows)))


OBJECTIVES: dict[str, type[Objective]] = {}
"""Every registered objective, by name."""

Kind = TypeVar("Kind", bound=type[Objective])


def objective(name: str) -> Callable[[Kind], Kind]:
    """Return a decorator that registers an `Objective`, so that users can ask for it by name."""

    def registered(kind: Kind) -> Kind:
        known = OBJECTIVES.get(name)
        if known is not None and known.__qualname__ != kind.__qualname__:
            raise ValueError(f"there is an objective called {name!r} already, {known.__qualname__}")
        kind.name = name
        OBJECTIVES[name] = kind
        return kind

    return registered


def objective_for(given: str, model: BaseEstimator, labels: bool) -> type[Objective]:
    """Return the objective of that name; for "auto" the first one that suits the model.

    Raises
    ------
    ValueError
        If there is none of that name, none suits, or labels are needed and there are none.
    """
    refuse_unknown("objective", given, ["auto", *OBJECTIVES])
    if given == "auto":
        fitting = [kind for kind in OBJECTIVES.values() if kind.suits(model, labels)]
        if not fitting:
            raise ValueError(
                f"no objective suits {type(model).__name__}{'' if labels else ' without labels y'}; the objectives are "
                f"{', '.join(map(repr, OBJECTIVES))}"
            )
        return fitting[0]
    found = OBJECTIVES[given]
    if found.needs_labels and not labels:
        raise ValueError(f"objective={given!r} measures by labels: give y, one label per row of X")
    found.refuse(model)
    return found
