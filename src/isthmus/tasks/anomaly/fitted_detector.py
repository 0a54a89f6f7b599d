"""`FittedDetector`: everything that is saved and used: what was learned, and the scores of the training rows."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from isthmus.core.json_type import Json
from isthmus.data.schema import TableSchema
from isthmus.engine.html_tables import html_pairs
from isthmus.estimators.model_state import plain_schema, revived_schema
from isthmus.estimators.plain import Classes
from isthmus.estimators.state import State, member, nest
from isthmus.tasks.anomaly.choice import Choice
from isthmus.tasks.anomaly.recipe import Recipe
from isthmus.tasks.anomaly.state import Surroundings, as_tensor
from isthmus.tasks.anomaly.trained_detector import TrainedDetector


@dataclass(frozen=True, eq=False)
class FittedDetector:
    """A fitted detector, apart from the decision.

    Parameters
    ----------
    trained : TrainedDetector
        Scores, explains and calibrates.
    names : tuple of str
        The names of the methods.
    reason : str
        Why these methods.
    scores : ndarray of shape (n,)
        Of the training rows, or of a sample of them; higher is odder.
    sparse : bool
        Whether the training rows were sparse.
    """

    trained: TrainedDetector
    names: tuple[str, ...]
    reason: str
    scores: np.ndarray
    sparse: bool

    @property
    def schema(self) -> TableSchema:
        """What was learned of the table's columns."""
        return self.trained.recipe.schema

    def html(self, threshold: float) -> str:
        """Return how rows are scored and decided upon, as HTML."""
        above = int((self.scores > threshold).sum())
        return html_pairs(
            [
                ("methods", ", ".join(self.names)),
                ("because", self.reason),
                ("training rows", f"{len(self.scores):,}"),
                ("threshold", f"{threshold:.4g}; {above:,} training rows are above it"),
            ]
        )

    def state(self, threshold: float) -> State:
        """Return everything as facts and tensors, with the threshold of the decision.

        Raises
        ------
        TypeError
            If a method of the user's own cannot be saved.
        """
        facts: dict[str, Json] = {"table": plain_schema(self.schema), "sparse": self.sparse}
        numbers = {"scores": as_tensor(self.scores), "threshold": as_tensor(threshold)}
        return nest({"trained": self.trained.state()}, facts, numbers)

    @classmethod
    def from_state(cls, state: State, recipe: Recipe, chosen: Choice, classes: Classes) -> Self:
        """Undo `state`.

        Parameters
        ----------
        state
            As `state` returned it.
        recipe
            How the detector was trained.
        chosen
            The methods, and the reason for them.
        classes
            Those of parts and of the user's own methods.
        """
        surroundings = Surroundings(recipe.schema.columns, recipe.device, classes)
        trained = TrainedDetector.from_state(*member("trained", *state), surroundings, recipe)
        return cls(trained, chosen.names, chosen.reason, state.tensors["scores"].numpy(), bool(state.facts["sparse"]))


def schema_of(state: State, classes: Classes) -> TableSchema:
    """Return what a saved detector had learned of the table's columns."""
    return revived_schema(state.facts["table"], classes)
