"""PCA with as many numbers as each network's code has."""

import time
from collections.abc import Sequence

import numpy as np
from sklearn.decomposition import PCA

from isthmus.paper.images import Images
from isthmus.paper.networks import Run
from isthmus.paper.plane import plane_of
from isthmus.paper.results import Result, measured


def fit_pca(runs: Sequence[Run], images: Images) -> list[Result]:
    """Fit PCA once and measure it with the number of components of each run."""
    start = time.perf_counter()
    pca = PCA(max(run.latent for run in runs), svd_solver="covariance_eigh").fit(images.bright(images.train))
    seconds = time.perf_counter() - start
    return [measured_pca(run, images, pca.mean_, pca.components_[: run.latent], seconds) for run in runs]


def measured_pca(run: Run, images: Images, mean: np.ndarray, axes: np.ndarray, seconds: float) -> Result:
    """Measure the first principal components, axes (K, F), as a linear autoencoder."""

    def encode(rows: np.ndarray) -> np.ndarray:
        return (images.bright(rows) - mean) @ axes.T

    def decode(codes: np.ndarray) -> np.ndarray:
        return codes @ axes + mean

    errors = [
        np.square(images.bright(rows) - decode(encode(rows))).sum(dtype=np.float64)
        for rows in np.array_split(images.train, max(1, len(images.train) // 10_000))
    ]
    return measured(
        run,
        images,
        decode(encode(images.test)),
        init="none: closed form",
        train_loss=[float(sum(errors) / images.train.size)],
        test_mse_by_epoch=[],
        seconds=seconds,
        filters=axes,
        plane=plane_of(encode(images.test), decode) if run.latent == 2 else None,
    )
