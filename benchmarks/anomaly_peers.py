"""Detectors of PyOD and scikit-learn with their defaults, one function each."""

import contextlib
import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest

Scorer = Callable[[np.ndarray], np.ndarray]
"""A function of rows (n, F) that returns scores (n,), higher for anomalies."""


def autoencoder(seed: int) -> Any:
    """Return PyOD's AutoEncoder."""
    from pyod.models.auto_encoder import AutoEncoder

    return AutoEncoder(random_state=seed, verbose=0)


def variational(seed: int) -> Any:
    """Return PyOD's VAE."""
    from pyod.models.vae import VAE

    return VAE(random_state=seed, verbose=0)


def forest(seed: int) -> Any:
    """Return PyOD's IForest."""
    from pyod.models.iforest import IForest

    return IForest(random_state=seed)


def empirical(seed: int) -> Any:
    """Return PyOD's ECOD."""
    from pyod.models.ecod import ECOD

    return ECOD()


def histograms(seed: int) -> Any:
    """Return PyOD's HBOS."""
    from pyod.models.hbos import HBOS

    return HBOS()


def neighbours(seed: int) -> Any:
    """Return PyOD's KNN."""
    from pyod.models.knn import KNN

    return KNN()


def covariance(seed: int) -> Any:
    """Return PyOD's MCD."""
    from pyod.models.mcd import MCD

    return MCD(random_state=seed)


def components(seed: int) -> Any:
    """Return PyOD's PCA."""
    from pyod.models.pca import PCA

    return PCA(random_state=seed)


def local_factor(seed: int) -> Any:
    """Return PyOD's LOF."""
    from pyod.models.lof import LOF

    return LOF()


PYOD: dict[str, Callable[[int], Any]] = {
    "PyOD AutoEncoder": autoencoder,
    "PyOD VAE": variational,
    "PyOD IForest": forest,
    "PyOD ECOD": empirical,
    "PyOD HBOS": histograms,
    "PyOD KNN": neighbours,
    "PyOD MCD": covariance,
    "PyOD PCA": components,
    "PyOD LOF": local_factor,
}
SCIKIT_LEARN = "scikit-learn IsolationForest"
PEERS = (*PYOD, SCIKIT_LEARN)


def fitted(name: str, X: np.ndarray, seed: int) -> Scorer:
    """Fit a detector on rows and return a function that scores other rows."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        if name == SCIKIT_LEARN:
            model = IsolationForest(random_state=seed).fit(X)
            return lambda rows: -model.score_samples(rows)
        detector = PYOD[name](seed)
        detector.fit(X)

    def score(rows: np.ndarray) -> np.ndarray:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            return np.asarray(detector.decision_function(rows))

    return score
