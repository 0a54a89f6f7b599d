"""`DetectorFloor`: what a single classical method would do to anomalies that are made of held-out rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from isthmus.core.checked_tensors import checked
from isthmus.core.json_type import Json
from isthmus.core.typed_json import value_of
from isthmus.data.table import Numbers, is_sparse
from isthmus.estimators.state import Facts, State, Tensors
from isthmus.tasks.anomaly.column_values import ColumnValues
from isthmus.tasks.anomaly.ensemble import Ensemble
from isthmus.tasks.anomaly.made_up import made_up
from isthmus.tasks.anomaly.methods import method_named, name_of
from isthmus.tasks.anomaly.replacement import Score
from isthmus.tasks.anomaly.state import as_tensor
from isthmus.tasks.anomaly.training import Training

CLASSICAL = ("neighbours", "mahalanobis", "histogram")
"""Methods without a network that people would use otherwise."""
MOST_ROWS, LEAST_ROWS = 500, 50
"""Greatest number of held-out rows that anomalies are made of, and the least."""


@dataclass(frozen=True)
class DetectorFloor:
    """How well held-out rows are told from anomalies made of them, by the detector and by single classical methods.

    The anomalies are those of `made_up`: local, global, dependency and clustered ones. They say little about which
    method is best for the anomalies that a table really has: chosen by them, single methods had a mean AUROC of .88 on
    21 tables of ADBench, where neighbours alone have .91. The detector therefore does not choose by them.

    Parameters
    ----------
    method : str
        The best of the classical methods.
    auc : float
        Its area under the ROC curve, the mean over the kinds of anomalies.
    model_auc : float
        That of the detector.
    kinds : dict
        (method's AUC, detector's AUC) by kind of anomaly.
    rows : int
        Held-out rows.

    Examples
    --------
    >>> print(DetectorFloor("neighbours", 0.91, 0.95, {"local": (0.91, 0.95)}, 400))
    AUROC 0.950 on anomalies made of 400 held-out rows; neighbours alone 0.910
    """

    method: str
    auc: float
    model_auc: float
    kinds: dict[str, tuple[float, float]]
    rows: int

    def __str__(self) -> str:
        return (
            f"AUROC {self.model_auc:.3f} on anomalies made of {self.rows} held-out rows; {self.method} alone "
            f"{self.auc:.3f}"
        )

    @classmethod
    def of(cls, ensemble: Ensemble, training: Training, held_out: Numbers | None, columns: ColumnValues) -> Self | None:
        """Measure on rows (n, R) held out of training; None if there are too few, or if they are sparse."""
        if held_out is None or is_sparse(held_out) or len(held_out) < LEAST_ROWS:
            return None
        rows = np.asarray(held_out[:MOST_ROWS])
        anomalies = made_up(rows, columns, np.random.default_rng(training.seed))
        trained = {name_of(scorer): scorer for scorer in ensemble.scorers}
        classical = {name: trained.get(name) or method_named(name).train(training) for name in CLASSICAL}
        found = {name: told_apart(scorer.score, rows, anomalies) for name, scorer in classical.items()}
        own = told_apart(ensemble.score, rows, anomalies)
        best = max(found, key=lambda name: mean(found[name]))
        kinds = {kind: (found[best][kind], own[kind]) for kind in anomalies}
        return cls(best, mean(found[best]), mean(own), kinds, len(rows))

    def state(self) -> State:
        """Return the numbers for a file."""
        facts: dict[str, Json] = {"method": self.method, "kinds": " ".join(self.kinds)}
        numbers = np.array([[self.auc, self.model_auc], *self.kinds.values()])
        return State(facts, {"aucs": as_tensor(numbers), "rows": as_tensor(self.rows)})

    @classmethod
    def from_state(cls, facts: Facts, tensors: Tensors) -> Self:
        """Undo `state`."""
        names = value_of(str, facts["kinds"], "kinds").split()
        aucs = checked(tensors, "aucs", (len(names) + 1, 2), least=0, most=1)
        (auc, model_auc), *by_kind = [(method, model) for method, model in aucs.tolist()]
        rows = int(checked(tensors, "rows", (), torch.int64, least=0))
        return cls(
            value_of(str, facts["method"], "method"), auc, model_auc, dict(zip(names, by_kind, strict=True)), rows
        )


def told_apart(score: Score, rows: np.ndarray, anomalies: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return the area under the ROC curve of the scores of rows (n, R) and of anomalies (m, R), by kind."""
    normal, found = score(rows), {}
    for kind, odd in anomalies.items():
        is_odd = np.repeat([0, 1], [len(rows), len(odd)])
        found[kind] = float(roc_auc_score(is_odd, np.concatenate([normal, score(odd)])))
    return found


def mean(by_kind: Mapping[str, float]) -> float:
    """Return the mean over kinds of anomalies."""
    return float(np.mean(list(by_kind.values())))
