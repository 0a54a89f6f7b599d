"""Detectors of PyOD and scikit-learn with their defaults, and neighbours and MCD behind a StandardScaler."""

import contextlib
import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.covariance import MinCovDet
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

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


def scaled_neighbours(X: np.ndarray, seed: int) -> Scorer:
    """Return the mean distance to the 5 nearest rows behind a StandardScaler; a row to fit is not its own neighbour."""
    scaler = StandardScaler().fit(X)
    near = NearestNeighbors(n_neighbors=min(6, len(X))).fit(scaler.transform(X))

    def score(rows: np.ndarray) -> np.ndarray:
        distances = near.kneighbors(scaler.transform(rows))[0]
        return np.where(distances[:, 0] == 0, distances[:, 1:].mean(1), distances[:, :-1].mean(1))

    return score


def scaled_covariance(X: np.ndarray, seed: int) -> Scorer:
    """Return the distance by the minimum covariance determinant behind a StandardScaler."""
    scaler = StandardScaler().fit(X)
    model = MinCovDet(random_state=seed).fit(scaler.transform(X))
    return lambda rows: np.asarray(model.mahalanobis(scaler.transform(rows)))


SCALED: dict[str, Callable[[np.ndarray, int], Scorer]] = {
    "scaled 5-NN": scaled_neighbours,
    "scaled MCD": scaled_covariance,
}
PEERS = (*PYOD, SCIKIT_LEARN, *SCALED)


def fitted(name: str, X: np.ndarray, seed: int) -> Scorer:
    """Fit a detector on rows and return a function that scores other rows."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        if name in SCALED:
            return SCALED[name](X, seed)
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
