"""The objective "probe": how well a linear reader and nearest neighbours read labels from codes."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import type_of_target

from isthmus.core.network import Network
from isthmus.engine.callbacks import TrainingRun
from isthmus.estimators import AutoEncoder
from isthmus.tasks.tuning.autoencoder_objective import MOST_WATCHED, AutoEncoderObjective
from isthmus.tasks.tuning.objective import objective
from isthmus.tasks.tuning.splitting import Part

MOST_READ = 5000
"""Codes at most from which a reader learns."""
READ_IN_TRAINING = 1000
NEIGHBOURS = 5
MOST_CLASSES = 50
"""More different whole numbers are taken for a quantity."""


@objective("probe")
class Probe(AutoEncoderObjective):
    """How well readers that are trained on the codes of training rows tell the labels of held-out rows.

    The mean over two readers, a linear model and the five nearest neighbours. Classes: the share of rows that are read
    right. Numbers: R², the part of the variance that is read. The autoencoder itself never sees the labels. The size of
    the code is that of the model as given, unless it is searched.
    """

    offset, sign = 1.0, -1.0
    needs_labels = True
    presets = (None, "denoising", "variational", "contractive")

    def prepare(self, searched: set[str]) -> None:
        """Take the first look, and say what is measured."""
        super().prepare(searched)
        self.measure = f"{'R²' if self.classes(self.data.y) is None else 'accuracy'} of readers of the codes"

    @classmethod
    def suits(cls, model: BaseEstimator, labels: bool) -> bool:
        """Suit autoencoders with labels."""
        return isinstance(model, AutoEncoder) and labels

    @classmethod
    def classes(cls, y: np.ndarray | None) -> np.ndarray | None:
        """Return the classes of the labels; None if these are numbers."""
        if y is None or not has_classes(y):
            return None
        return np.unique(y.astype(str) if y.dtype == object else y, return_inverse=True)[1].reshape(-1)

    @property
    def labels(self) -> np.ndarray:
        """What is read: numbers of classes, or quantities."""
        assert self.data.y is not None, "a probe needs labels"
        found = self.classes(self.data.y)
        return self.data.y.astype(np.float64) if found is None else found

    def losses(self, fitted: BaseEstimator, rows: np.ndarray, training: np.ndarray) -> np.ndarray:
        """Return the loss of each row: a wrong class is 1, a squared error is in parts of the labels' variance."""
        assert isinstance(fitted, AutoEncoder), "objectives refuse other models"
        read = training[np.linspace(0, len(training) - 1, min(len(training), MOST_READ)).astype(np.int64)]
        seen, asked = (np.asarray(fitted.transform(self.data.rows(part))) for part in (read, rows))
        if self.classes(self.data.y) is not None:
            readers = [LogisticRegression(max_iter=300), KNeighborsClassifier(NEIGHBOURS)]
        else:
            readers = [Ridge(), KNeighborsRegressor(NEIGHBOURS)]
        return self.read(readers, seen, asked, self.labels[read], self.labels[rows])

    def read(
        self, readers: list[BaseEstimator], seen: np.ndarray, asked: np.ndarray, known: np.ndarray, truth: np.ndarray
    ) -> np.ndarray:
        """Return the mean loss over readers, (m,), of codes that are asked about."""
        scaler = StandardScaler().fit(seen)
        classes = self.classes(self.data.y) is not None
        found = []
        for reader in readers:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                told = reader.fit(scaler.transform(seen), known).predict(scaler.transform(asked))
            found.append((told != truth).astype(float) if classes else (told - truth) ** 2 / (known.var() or 1.0))
        loss: np.ndarray = np.mean(found, axis=0)
        return loss

    def loss_in_training(self, network: Network, run: TrainingRun, part: Part) -> float | None:
        """Return the loss of a linear reader of some codes."""
        read, asked = part.training[:READ_IN_TRAINING], part.held_out[:MOST_WATCHED]
        seen, told = (network.encode(self.scaled(run, rows)).mean.cpu().double().numpy() for rows in (read, asked))
        reader = Ridge() if self.classes(self.data.y) is None else RidgeClassifier()
        return float(self.read([reader], seen, told, self.labels[read], self.labels[asked]).mean())


def has_classes(y: np.ndarray) -> bool:
    """Whether labels are classes rather than quantities."""
    if y.dtype.kind in "OUSb":
        return True
    return type_of_target(y) in ("binary", "multiclass") and len(np.unique(y)) <= MOST_CLASSES
