"""What is trained: the paper's four networks as its companion notebook has them, the same sizes done well, and PCA."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from isthmus.data import Dataset
from isthmus.data.rows import Rows
from isthmus.engine import Adam, Callback
from isthmus.engine.compute import Compute
from isthmus.engine.inference import mean_squared_error
from isthmus.estimators import AutoEncoder
from isthmus.parts.codes import Deterministic
from isthmus.parts.likelihoods import Bernoulli, Gaussian
from isthmus.reports.metrics import ImageQuality, image_quality

if TYPE_CHECKING:
    from isthmus.engine import Trainer

FIGURE_DIGITS = 10
"""Test images shown over their reconstructions."""


@dataclass(frozen=True)
class Images:
    """Images as rows, grey levels from 0 to `white`."""

    name: str
    source: str
    train: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray
    shape: tuple[int, int]
    white: float

    @property
    def pixels(self) -> int:
        """F."""
        return self.train.shape[1]

    def first(self, rows: int) -> "Images":
        """Return the same with the leading training rows only."""
        return replace(self, train=self.train[:rows])

    def bright(self, rows: np.ndarray) -> np.ndarray:
        """Rows with grey levels from 0 to 1, in float32."""
        return (rows / self.white).astype(np.float32)


def images_of(dataset: Dataset) -> Images:
    """Take the images of a data set; 8-bit grey levels stay as they are, others are scaled to [0, 1]."""
    assert dataset.image_shape is not None
    eight_bit = dataset.X.dtype == np.uint8
    brightest = 1.0 if eight_bit else float(dataset.X.max())
    train, test = (rows if eight_bit else (rows / brightest).astype(np.float32) for rows in (dataset.X, dataset.X_test))
    white = 255.0 if eight_bit else 1.0
    return Images(dataset.name, dataset.source, train, test, dataset.y_test, dataset.image_shape, white)


@dataclass(frozen=True)
class Run:
    """One model to fit: `recipe` is "paper", "isthmus" or "pca"."""

    name: str
    recipe: str
    latent: int
    hidden: int = 0
    loss: str = "mse"
    output: str = "sigmoid"
    epochs: int = 0
    seed: int = 0

    def widths(self, pixels: int) -> list[int]:
        """Layer sizes from input to output."""
        inner = [self.latent] if self.recipe == "pca" else [self.hidden, self.latent, self.hidden]
        return [pixels, *inner, pixels]

    @property
    def cost(self) -> float:
        """What it costs, roughly, to start the longest first."""
        return self.epochs * (2.0 if self.recipe == "paper" else 1.0) * (100 + self.hidden)


class Result(NamedTuple):
    """What a run gave."""

    run: Run
    widths: list[int]
    init: str
    train_loss: list[float]
    """A pixel, by epoch: the mean over the epoch's batches (their geometric mean where the variance is optimal).

    Of PCA, which has no epochs, the one error that its closed form leaves.
    """
    test_mse_by_epoch: list[float]
    """A pixel; the first is before training."""
    quality: ImageQuality
    clipped_mse: float
    """Test error once the reconstructions are clipped to [0, 1]."""
    seconds: float
    shown: np.ndarray
    """(10, F) reconstructions of the first test digits 0 to 9."""
    spread: float
    """Standard deviation of the reconstructions around their mean, averaged over the pixels."""
    filters: np.ndarray
    """(hidden, F) weights of the first layer."""
    codes: np.ndarray
    """(n, latent) codes of the test images, where the latent size is 2."""


def planned_runs(images: Images, epochs: int, seeds: Sequence[int], sizes: Sequence[int]) -> list[Run]:
    """Return every run of the reproduction: the paper's, ours and PCA's, and the bottleneck's sizes.

    On images of fewer than 784 pixels the large network shrinks in proportion, so that it stays undercomplete.
    """
    hidden, latent = (128, 64) if images.pixels >= 784 else (images.pixels // 2, images.pixels // 4)
    runs = []
    for seed in seeds:
        runs += [
            Run("paper-sigmoid-mse", "paper", latent, hidden, "mse", "sigmoid", epochs, seed),
            Run("paper-relu-mse", "paper", latent, hidden, "mse", "relu", epochs, seed),
            Run("paper-sigmoid-bce", "paper", latent, hidden, "bce", "sigmoid", epochs, seed),
            Run("paper-8-4", "paper", 4, 8, "bce", "sigmoid", epochs, seed),
            Run(f"isthmus-{latent}", "isthmus", latent, hidden, epochs=epochs, seed=seed),
            Run("isthmus-4", "isthmus", 4, 8, epochs=epochs, seed=seed),
        ]
    runs += [Run(f"pca-{k}", "pca", k) for k in (latent, 4)]
    few = max(1, epochs // 4)
    for k in (k for k in sizes if k < images.pixels):
        runs.append(Run(f"bottleneck-{k}", "isthmus", k, max(hidden, 2 * k), epochs=few, seed=seeds[0]))
        runs.append(Run(f"bottleneck-pca-{k}", "pca", k))
    return runs


def estimator(run: Run, pixels: int) -> AutoEncoder:
    """Return the estimator of a run.

    The paper's: ReLU hidden layers, a sigmoid on the code, torch's initial weights, batches of 64, Adam at 1e-3, and a
    loss that is a mean over the pixels. Ours are sums over the pixels (a Gaussian of variance ½ has the squared error
    and a constant as its loss), which changes nothing for Adam but the size of its epsilon.
    """
    if run.recipe == "isthmus":
        return AutoEncoder(
            run.latent, (run.hidden,), epochs=run.epochs, compute=Compute(threads=1), random_state=run.seed
        )
    squared_error = Gaussian(variance=0.5, activation=run.output)
    return AutoEncoder(
        run.latent,
        (run.hidden,),
        activation="relu",
        code=Deterministic("sigmoid"),
        likelihood=Bernoulli() if run.loss == "bce" else squared_error,
        init="torch",
        scale="global",
        epochs=run.epochs,
        batch_size=64,
        learning_rate=1e-3,
        schedule="constant",
        optimizer=Adam(epsilon=1e-8 * pixels),
        validation_fraction=0.0,
        compute=Compute(threads=1, precision="float32"),
        random_state=run.seed,
    )


def fit(run: Run, images: Images) -> Result:
    """Train the network of a run and measure it on the test images."""
    errors = ErrorByEpoch(images)
    model = estimator(run, images.pixels)
    model.set_params(callbacks=[errors]).fit(images.train)
    history = model.history_
    losses = history["loss"][history["epoch"] > 0] / images.pixels
    if run.loss == "mse":
        losses = squared_errors(losses, model.likelihood_, images.pixels)
    return measured(
        run,
        images,
        reconstruct=lambda rows: images.bright(model.reconstruct(rows)),
        init=history.init,
        train_loss=losses.tolist(),
        test_mse_by_epoch=errors.by_epoch,
        seconds=float(history["seconds"][-1]) - errors.seconds,
        filters=model.network_.encoder.weights[0].detach().numpy(),
        codes=model.transform(images.test) if run.latent == 2 else np.empty((0, 2)),
    )


def squared_errors(nats: np.ndarray, likelihood: Any, pixels: int) -> np.ndarray:
    """Turn Gaussian losses in nats a pixel into the mean squared errors a pixel from which they came.

    With a fixed variance v the loss is mse / 2v + ½ log 2πv. With the optimal one, v = mse, it is ½ + ½ log(2π mse),
    and a mean over batches becomes their geometric mean.
    """
    if isinstance(likelihood.variance, float):
        return 2 * likelihood.variance * (nats - 0.5 * np.log(2 * np.pi * likelihood.variance))
    return np.exp(2 * nats - 1) / (2 * np.pi)


class ErrorByEpoch(Callback):
    """Mean squared error a pixel of the test images, before training and after every epoch; it decides nothing."""

    def __init__(self, images: Images) -> None:
        self.images = images
        self.by_epoch: list[float] = []
        self.seconds = 0.0

    def on_fit_start(self, trainer: "Trainer") -> None:
        """Measure the initial weights."""
        self.measure(trainer)

    def on_epoch_end(self, trainer: "Trainer") -> None:
        """Measure the weights of the epoch."""
        self.measure(trainer)

    def measure(self, trainer: "Trainer") -> None:
        """Add the error of the network as it is."""
        start = time.perf_counter()
        rows = Rows(self.images.test, scaling=trainer.rows.scaling, dtype=trainer.rows.dtype)
        self.by_epoch.append(mean_squared_error(trainer.network.eval(), rows, torch.arange(len(rows))))
        self.seconds += time.perf_counter() - start


def fit_pca(runs: Sequence[Run], images: Images) -> list[Result]:
    """Fit PCA once, and measure it at the size of each run."""
    from sklearn.decomposition import PCA

    start = time.perf_counter()
    pca = PCA(max(run.latent for run in runs), svd_solver="covariance_eigh").fit(images.bright(images.train))
    seconds = time.perf_counter() - start
    return [measured_pca(run, images, pca.mean_, pca.components_[: run.latent], seconds) for run in runs]


def measured_pca(run: Run, images: Images, mean: np.ndarray, axes: np.ndarray, seconds: float) -> Result:
    """Measure the leading principal components as a linear autoencoder."""

    def reconstruct(rows: np.ndarray) -> np.ndarray:
        return (images.bright(rows) - mean) @ axes.T @ axes + mean

    errors = [
        np.square(images.bright(rows) - reconstruct(rows)).sum(dtype=np.float64)
        for rows in np.array_split(images.train, max(1, len(images.train) // 10_000))
    ]
    return measured(
        run,
        images,
        reconstruct=reconstruct,
        init="none: closed form",
        train_loss=[float(sum(errors) / images.train.size)],
        test_mse_by_epoch=[],
        seconds=seconds,
        filters=axes,
        codes=(images.bright(images.test) - mean) @ axes.T if run.latent == 2 else np.empty((0, 2)),
    )


def measured(run: Run, images: Images, reconstruct: Any, **known: Any) -> Result:
    """Complete a result with what its reconstructions say."""
    test = images.bright(images.test)
    reconstructions = reconstruct(images.test)
    return Result(
        run=run,
        widths=run.widths(images.pixels),
        quality=image_quality(test, reconstructions),
        clipped_mse=float(np.square(test - reconstructions.clip(0, 1)).mean()),
        shown=reconstructions[digit_rows(images)],
        spread=float(reconstructions.std(axis=0).mean()),
        **known,
    )


def wide_result(results: dict[str, Result]) -> Result:
    """Return our run at the paper's larger size; `results` holds one result a run name."""
    return next(result for name, result in results.items() if name.startswith("isthmus-") and name != "isthmus-4")


def digit_rows(images: Images) -> np.ndarray:
    """Return the first test row of each class."""
    return np.array([np.flatnonzero(images.test_labels == digit)[0] for digit in range(FIGURE_DIGITS)])
