"""Where detection methods are registered: the name of each, and what it takes.

A method registers itself in the file where it is defined; the package imports every file of its folder:

    @detection_method("neighbours")
    class Neighbours(CellScorer): ...
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from isthmus.core.choices import unknown
from isthmus.tasks.anomaly.scorer import Scorer
from isthmus.tasks.anomaly.training import Training

Kind = TypeVar("Kind", bound=type)


@dataclass(frozen=True)
class DetectionMethod:
    """A method as it was registered."""

    name: str
    """The name by which users ask for it."""
    scorer: type[Scorer]
    """The class that is trained."""
    sparse: bool = False
    """Whether it takes sparse rows."""
    uses_estimator: bool = False
    """Whether it trains the user's autoencoder, where one is given."""

    def train(self, training: Training) -> Scorer:
        """Train the method."""
        return self.scorer.trained_on(training)


METHODS: dict[str, DetectionMethod] = {}
"""Every registered method, by name."""


def detection_method(name: str, *, sparse: bool = False, uses_estimator: bool = False) -> Callable[[Kind], Kind]:
    """Return a decorator that registers a `Scorer` class as a detection method.

    Parameters
    ----------
    name : str
        The name by which users ask for it.
    sparse : bool, default=False
        Whether it takes sparse rows.
    uses_estimator : bool, default=False
        Whether it trains the autoencoder that the user gives as `estimator`.

    Raises
    ------
    ValueError
        If another class has that name.

    Examples
    --------
    >>> @detection_method("for_the_example")
    ... class ForTheExample: ...
    >>> METHODS.pop("for_the_example").sparse
    False
    """

    def registered(kind: Kind) -> Kind:
        known = METHODS.get(name)
        if known is not None and known.scorer.__qualname__ != kind.__qualname__:
            raise ValueError(
                f"there is a detection method called {name!r} already, {known.scorer.__qualname__}: register "
                f"{kind.__qualname__} by another name"
            )
        METHODS[name] = DetectionMethod(name, kind, sparse, uses_estimator)
        return kind

    return registered


def method_named(name: str) -> DetectionMethod:
    """Return the method of that name.

    Raises
    ------
    ValueError
        If there is none.
    """
    if name not in METHODS:
        raise ValueError(unknown("method", name, METHODS))
    return METHODS[name]


def name_of(scorer: Scorer) -> str | None:
    """Return the name of the method that a scorer was trained by; None if its class is not registered."""
    return next((method.name for method in METHODS.values() if method.scorer is type(scorer)), None)
