"""Training the network of a run, with its test error measured after every epoch."""

import time

import numpy as np
import torch

from isthmus.core.network import Network
from isthmus.data.rows import Rows
from isthmus.engine.callbacks import Callback, TrainingRun
from isthmus.engine.inference import mean_squared_error
from isthmus.estimators import AutoEncoder
from isthmus.paper.findings import kept_warnings, refuse_interrupted
from isthmus.paper.images import Images
from isthmus.paper.networks import Run, encoder_weights, estimator
from isthmus.paper.plane import Plane, plane_of
from isthmus.paper.results import Result, measured
from isthmus.parts.likelihoods import Gaussian


def fit(run: Run, images: Images) -> Result:
    """Train the network of a run and measure it on the test images."""
    errors = ErrorByEpoch(images)
    model = estimator(run, images.pixels)
    with kept_warnings() as findings:
        model.set_params(callbacks=[errors]).fit(images.train)
    refuse_interrupted(model)
    history = model.history_
    losses = history["loss"][history["epoch"] > 0] / images.pixels
    if run.loss == "mse":
        losses = squared_errors(losses, model.likelihood_)
    return measured(
        run,
        images,
        images.bright(model.reconstruct(images.test)),
        init=history.init,
        train_loss=losses.tolist(),
        test_mse_by_epoch=errors.by_epoch,
        seconds=float(history["seconds"][-1]) - sum(errors.seconds[:-1]),
        filters=encoder_weights(model).numpy(),
        plane=plane(model, images) if run.latent == 2 else None,
        findings=findings,
    )


def plane(model: AutoEncoder, images: Images) -> Plane:
    """Return the plane of codes of a model whose code has two numbers."""
    return plane_of(model.transform(images.test), lambda codes: images.bright(model.inverse_transform(codes)))


def squared_errors(nats: np.ndarray, likelihood: object) -> np.ndarray:
    """Return the mean squared errors per pixel that gave these Gaussian losses in nats per pixel.

    With a fixed variance v the loss is mse / 2v + ½ log 2πv. With the optimal variance, v = mse, it is
    ½ + ½ log(2π mse), and a mean over batches becomes their geometric mean.
    """
    assert isinstance(likelihood, Gaussian), "only squared errors are losses of this form"
    if likelihood.variance == "optimal":
        return np.exp(2 * nats - 1) / (2 * np.pi)
    variance = float(likelihood.variance)
    return 2 * variance * (nats - 0.5 * np.log(2 * np.pi * variance))


class ErrorByEpoch(Callback):
    """Records the test error per pixel before training and after every epoch; it does not influence the training."""

    def __init__(self, images: Images) -> None:
        self.images = images
        self.by_epoch: list[float] = []
        self.seconds: list[float] = []
        """Of each measurement; the last one begins after the last row of the history was timed."""

    def on_fit_start(self, run: TrainingRun) -> None:
        """Measure the initial weights."""
        self.measure(run)

    def on_epoch_end(self, run: TrainingRun) -> None:
        """Measure the weights after an epoch."""
        self.measure(run)

    def measure(self, run: TrainingRun) -> None:
        """Append the test error of the current weights, and the seconds that this takes."""
        start = time.perf_counter()
        rows = Rows(self.images.test, scaling=run.rows.scaling, dtype=run.rows.dtype)
        network = run.network.eval()
        assert isinstance(network, Network), "autoencoders are trained"
        self.by_epoch.append(mean_squared_error(network, rows, torch.arange(len(rows))))
        self.seconds.append(time.perf_counter() - start)
