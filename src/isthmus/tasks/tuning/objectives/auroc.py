"""The objective "auroc": how well scores tell known anomalies from normal rows."""

import numpy as np
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, clone

from isthmus.estimators import AutoEncoder
from isthmus.tasks.anomaly import AnomalyDetector
from isthmus.tasks.anomaly.methods import METHODS
from isthmus.tasks.tuning.autoencoder_objective import LEAST_LATENT, AutoEncoderObjective
from isthmus.tasks.tuning.objective import Data, Objective, Space, objective

LEAST_ANOMALIES = 10
"""With fewer, some side of the search would have next to none."""
COMBINATIONS = (
    ("neighbours", "denoiser"),
    ("neighbours", "ranks"),
    ("mahalanobis", "denoiser"),
    ("mahalanobis", "histogram"),
    ("neighbours", "mahalanobis"),
)
"""Methods that are tried together."""


@objective("auroc")
class AreaUnderCurve(Objective):
    """The area under the ROC curve of `score_samples` on held-out rows, with labels: 1 for anomalies, 0 for others.

    For a detector or an autoencoder. Labels compare trials; no model is trained with them, except that a detector in a
    clean setting is trained on the rows labelled 0.
    """

    measure = "area under the ROC curve"
    offset, sign = 1.0, -1.0
    needs_labels = True

    def __init__(self, model: BaseEstimator, data: Data) -> None:
        super().__init__(model, data)
        self.refuse(model)
        self.anomalies = labelled_anomalies(data.y)
        self.of_network = OfNetwork(model, data) if isinstance(model, AutoEncoder) else None

    @classmethod
    def suits(cls, model: BaseEstimator, labels: bool) -> bool:
        """Suit detectors with labels."""
        return isinstance(model, AnomalyDetector) and labels

    @classmethod
    def refuse(cls, model: BaseEstimator) -> None:
        """Refuse what does not score rows."""
        if not isinstance(model, AnomalyDetector | AutoEncoder):
            raise ValueError(f"objective='auroc' compares detectors and autoencoders; model is {type(model).__name__}")

    @classmethod
    def classes(cls, y: np.ndarray | None) -> np.ndarray | None:
        """Return which rows are anomalies."""
        return None if y is None else labelled_anomalies(y).astype(np.int64)

    def space(self) -> Space:
        """Return the methods of a detector and combinations of them; sizes and presets of an autoencoder."""
        if self.of_network is not None:
            return self.of_network.space()
        assert isinstance(self.model, AnomalyDetector), "others are refused"
        if self.model.estimator is not None:
            return {
                "estimator__latent": (LEAST_LATENT, 32, "log"),
                "estimator__hidden": [self.model.estimator.hidden, (64,), (256,)],
                "estimator__learning_rate": (1e-3, 2e-2, "log"),
            }
        own = self.model.method
        names: list[object] = [name for name in METHODS if name != own]
        return {"method": [own, *names, *(pair for pair in COMBINATIONS if pair != own)]}

    def fit(self, model: BaseEstimator, rows: np.ndarray) -> BaseEstimator:
        """Fit to the rows, or to the normal ones among them; without p-values, which nobody asks for."""
        if isinstance(model, AnomalyDetector) and model.calibration_fraction == "auto":
            model = clone(model).set_params(calibration_fraction=None)
        return super().fit(model, rows[~self.anomalies[rows]] if self.clean(model) else rows)

    def clean(self, model: BaseEstimator) -> bool:
        """Whether a model is to be trained on normal rows."""
        return isinstance(model, AnomalyDetector) and model.setting == "clean"

    def losses(self, fitted: BaseEstimator, rows: np.ndarray, training: np.ndarray) -> np.ndarray:
        """Return the share of rows of the other kind that each row is on the wrong side of, (m,)."""
        assert isinstance(fitted, AnomalyDetector | AutoEncoder), "others are refused"
        return misplaced(-fitted.score_samples(self.data.rows(rows)), self.anomalies[rows])

    def strata(self, rows: np.ndarray) -> np.ndarray | None:
        """Return which rows are anomalies."""
        return self.anomalies[rows]

    def size(self, fitted: BaseEstimator) -> tuple[int, int]:
        """Return the size of the code and of the network of an autoencoder."""
        return (0, 0) if self.of_network is None else self.of_network.size(fitted)

    def refitted(self, model: BaseEstimator, X: object) -> BaseEstimator:
        """Return a model fitted to all rows, or all that are normal."""
        if not self.clean(model):
            return super().refitted(model, X)
        return super().fit(clone(model), np.flatnonzero(~self.anomalies))


class OfNetwork(AutoEncoderObjective):
    """The space of an autoencoder that scores rows."""

    presets = (None, "denoising")

    def space(self) -> Space:
        """Search the size of the code, too."""
        most = max(LEAST_LATENT + 1, min(self.look.composition.cells, 2 * self.look.latent))
        return {"latent": (LEAST_LATENT, most), **super().space()}


def labelled_anomalies(y: np.ndarray | None) -> np.ndarray:
    """Return which rows are anomalies by their labels.

    Raises
    ------
    ValueError
        If labels are others than 0 and 1, or there are too few anomalies.
    """
    found = [] if y is None else np.unique(y.astype(str) if y.dtype == object else y).tolist()
    if y is None or found not in ([0, 1], [False, True]):
        raise ValueError(f"objective='auroc' needs labels y: 1 for anomalies and 0 for normal rows; got {found[:5]}")
    anomalies: np.ndarray = np.asarray(y, dtype=bool)
    if anomalies.sum() < LEAST_ANOMALIES or (~anomalies).sum() < LEAST_ANOMALIES:
        raise ValueError(
            f"objective='auroc' needs at least {LEAST_ANOMALIES} rows of each kind; of {len(y)} rows "
            f"{int(anomalies.sum())} are anomalies"
        )
    return anomalies


def misplaced(scores: np.ndarray, anomalies: np.ndarray) -> np.ndarray:
    """Return the share of rows of the other kind that each row is on the wrong side of, (m,); ties are half.

    The mean over the anomalies, and that over the other rows, are 1 - AUROC.

    >>> misplaced(np.array([0.0, 2.0, 1.0, 3.0]), np.array([False, False, True, True])).tolist()
    [0.0, 0.5, 0.5, 0.0]
    """
    found = np.empty(len(scores))
    overall = rankdata(scores)
    for kind in (True, False):
        own = anomalies == kind
        below = (overall[own] - rankdata(scores[own])) / max(int((~own).sum()), 1)
        found[own] = 1 - below if kind else below
    return found
