"""`FittedDetector`: everything that is saved and used: what was learned, and the scores of the training rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch

from isthmus.core.checked_tensors import checked
from isthmus.core.json_type import Json
from isthmus.core.typed_json import value_of
from isthmus.data.schema import TableSchema
from isthmus.data.table import Numbers
from isthmus.engine.html_tables import html_pairs
from isthmus.estimators.plain import Classes
from isthmus.estimators.saved_schema import plain_schema, revived_schema
from isthmus.estimators.state import State, member, nest
from isthmus.tasks.anomaly.choice import Choice
from isthmus.tasks.anomaly.decisions import Decision, Evidence
from isthmus.tasks.anomaly.probabilities import posterior
from isthmus.tasks.anomaly.rare_values import are_rare_values
from isthmus.tasks.anomaly.recipe import Recipe
from isthmus.tasks.anomaly.score_gap import ScoreGap
from isthmus.tasks.anomaly.state import Surroundings, as_tensor
from isthmus.tasks.anomaly.stored_rows import refuse_needed
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
    gap : ScoreGap
        Where the scores of the rows part that are not known to be anomalies.
    known : ndarray of shape (n,) or None
        Which training rows are known to be anomalies; None if no labels were given.
    """

    trained: TrainedDetector
    names: tuple[str, ...]
    reason: str
    scores: np.ndarray
    sparse: bool
    gap: ScoreGap
    known: np.ndarray | None = None

    @classmethod
    def of(
        cls, trained: TrainedDetector, chosen: Choice, numbers: Numbers, known: np.ndarray | None, *, sparse: bool
    ) -> Self:
        """Score the training rows (n, R), and look where their scores part."""
        by_method = trained.ensemble.by_method(numbers)
        scores = trained.ensemble.combined(by_method, numbers)
        unknown = np.ones(len(scores), dtype=bool) if known is None else ~known
        gap = ScoreGap.of(by_method[unknown][:, told_by(chosen.names)], scores[unknown])
        if not sparse and are_rare_values(scores[unknown] > gap.threshold, trained.values(numbers)[unknown]):
            gap = gap.dismissed()
        return cls(trained, chosen.names, chosen.reason, scores, sparse, gap, known)

    @property
    def evidence(self) -> Evidence:
        """What the decision is made from."""
        clean = not self.trained.recipe.contaminated
        return Evidence(self.scores, self.gap, self.trained.calibration, clean, self.known)

    def probability(self, scores: np.ndarray) -> np.ndarray:
        """Return the probability that rows with these scores (m,) are anomalies, (m,)."""
        calibration, evidence = self.trained.calibration, self.evidence
        if calibration.known_normal and calibration.ready:
            return posterior(scores, calibration.scores, 0.0)
        unknown = self.scores[evidence.unknown]
        return posterior(scores, unknown, self.gap.count.estimate / len(unknown))

    @property
    def schema(self) -> TableSchema:
        """What was learned of the table's columns."""
        return self.trained.recipe.schema

    def html(self, decision: Decision) -> str:
        """Return how rows are scored and decided upon, as HTML."""
        return html_pairs(
            [
                ("methods", ", ".join(self.names)),
                ("because", self.reason),
                ("training rows", f"{len(self.scores):,}"),
                ("threshold", f"{decision.threshold:.4g}"),
                ("decision", str(decision)),
            ]
        )

    def without_rows(self) -> Self:
        """Return the detector without training rows; a `ValueError` names methods that score by them."""
        refuse_needed(self.trained.ensemble)
        return replace(self, trained=replace(self.trained, calibration=self.trained.calibration.without_rows()))

    def state(self, decision: Decision) -> State:
        """Return everything as facts and tensors, with the decision.

        Raises
        ------
        TypeError
            If a method of the user's own cannot be saved.
        """
        facts: dict[str, Json] = {"table": plain_schema(self.schema), "sparse": self.sparse}
        numbers = {"scores": as_tensor(self.scores), "threshold": as_tensor(decision.threshold)}
        if self.known is not None:
            numbers["known"] = as_tensor(self.known)
        inside = {"trained": self.trained.state(), "gap": self.gap.state(), "decision": State(decision.facts())}
        return nest(inside, facts, numbers)

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
        scores = checked(state.tensors, "scores", (None,))
        if not len(scores) or len(trained.ensemble.scorers) != len(chosen.names):
            raise ValueError("it has no scores of training rows, or other methods than it says")
        known = checked(state.tensors, "known", scores.shape, torch.bool).numpy() if "known" in state.tensors else None
        gap = ScoreGap.from_state(*member("gap", *state))
        sparse = value_of(bool, state.facts["sparse"], "sparse")
        trained.refuse_broken(sparse=sparse)
        return cls(trained, chosen.names, chosen.reason, scores.numpy(), sparse, gap, known)


def decision_of(state: State) -> Decision:
    """Return the decision of a saved detector."""
    threshold = float(checked(state.tensors, "threshold", (), finite=False))
    return Decision.from_facts(member("decision", *state).facts, threshold)


def schema_of(state: State, classes: Classes) -> TableSchema:
    """Return what a saved detector had learned of the table's columns."""
    return revived_schema(state.facts["table"], classes)


def told_by(names: Sequence[str]) -> list[int]:
    """Return which of the methods of these names are looked at for a gap: all but "likelihood", unless it is alone.

    A log-likelihood that adds up kinds of columns has a long tail without any anomaly.
    """
    return [place for place, name in enumerate(names) if name != "likelihood"] or list(range(len(names)))
