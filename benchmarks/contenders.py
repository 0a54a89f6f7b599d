"""One epoch of the same dense autoencoder in different libraries: functions of (rows, shape) that return seconds.

Layers F-hidden-latent-hidden-F, ReLU, a linear output, squared error, Adam at 1e-3, float32, rows in memory. Only the
loop over the batches is timed. Libraries that are not installed are left out.
"""

import contextlib
import logging
import os
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from isthmus import AutoEncoder, Callback, Compute, Deterministic, Gaussian


class Shape(NamedTuple):
    """The sizes of a network and of its batches."""

    hidden: int
    latent: int
    batch: int


def chain(features: int, shape: Shape) -> nn.Sequential:
    """Return the network in plain torch."""
    return nn.Sequential(
        nn.Linear(features, shape.hidden), nn.ReLU(), nn.Linear(shape.hidden, shape.latent), nn.ReLU(),
        nn.Linear(shape.latent, shape.hidden), nn.ReLU(), nn.Linear(shape.hidden, features),
    )  # fmt: skip


class Clock(Callback):
    """Measures the seconds of the last epoch."""

    def on_epoch_start(self, trainer: Any) -> None:
        """Start the clock."""
        self.start = time.perf_counter()

    def on_epoch_end(self, trainer: Any) -> None:
        """Stop the clock."""
        self.seconds = time.perf_counter() - self.start


def ours(X: np.ndarray, shape: Shape, **settings: Any) -> float:
    """Train isthmus in float32."""
    clock = Clock()
    AutoEncoder(
        shape.latent,
        (shape.hidden,),
        activation="relu",
        code=Deterministic("relu"),
        likelihood=Gaussian(variance=0.5),
        scale="none",
        **{
            "init": "torch",
            "epochs": 1,
            "batch_size": shape.batch,
            "learning_rate": 1e-3,
            "schedule": "constant",
            "validation": 0.0,
            "compute": Compute(precision="float32", threads=None),
            "random_state": 0,
            "callbacks": [clock],
        }
        | settings,
    ).fit(X)
    return clock.seconds


def ours_automatic(X: np.ndarray, shape: Shape) -> float:
    """Train isthmus with automatic precision."""
    return ours(X, shape, compute=Compute(threads=None))


def bare_loop(X: np.ndarray, shape: Shape) -> float:
    """Train with the shortest loop that uses autograd: rows gathered from a tensor and a fused optimiser."""
    network, rows = chain(X.shape[1], shape), torch.from_numpy(X)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    start = time.perf_counter()
    for batch in torch.randperm(len(rows)).split(shape.batch):
        x = rows[batch]
        optimiser.zero_grad()
        nn.functional.mse_loss(network(x), x).backward()
        optimiser.step()
    return time.perf_counter() - start


def notebook(X: np.ndarray, shape: Shape) -> float:
    """Train like the paper's notebook: a DataLoader, and a loss that is read after every batch."""
    network = chain(X.shape[1], shape)
    loader = DataLoader(TensorDataset(torch.from_numpy(X)), batch_size=shape.batch, shuffle=True)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    start = time.perf_counter()
    total = 0.0
    for (x,) in loader:
        optimiser.zero_grad()
        loss = nn.functional.mse_loss(network(x), x)
        loss.backward()
        optimiser.step()
        total += loss.item()
    return time.perf_counter() - start


def scikit_learn(X: np.ndarray, shape: Shape) -> float:
    """Train MLPRegressor to reconstruct its input."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    layers = (shape.hidden, shape.latent, shape.hidden)
    network = MLPRegressor(hidden_layer_sizes=layers, batch_size=shape.batch, max_iter=1, alpha=0.0, random_state=0)
    start = time.perf_counter()
    with warnings.catch_warnings(), threadpool_limits(torch.get_num_threads(), "blas"):
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(X, X)
    return time.perf_counter() - start


def timed_method(thing: Any, name: str) -> list[float]:
    """Replace a method by one that appends its seconds to the returned list."""
    seconds: list[float] = []
    method = getattr(thing, name)

    def timed(*given: Any, **named: Any) -> Any:
        start = time.perf_counter()
        result = method(*given, **named)
        seconds.append(time.perf_counter() - start)
        return result

    setattr(thing, name, timed)
    return seconds


def pyod_detector(shape: Shape) -> Any:
    """Return PyOD's autoencoder of that shape."""
    from pyod.models.auto_encoder import AutoEncoder as Detector

    layers = [shape.hidden, shape.latent]
    settings: dict[str, Any] = {"epoch_num": 1, "batch_size": shape.batch, "hidden_neuron_list": layers}
    return Detector(preprocessing=False, batch_norm=False, dropout_rate=0.0, verbose=0, device="cpu", **settings)


def pyod(X: np.ndarray, shape: Shape) -> float:
    """Train PyOD's autoencoder."""
    detector = pyod_detector(shape)
    seconds = timed_method(detector, "train")
    detector.fit(X)
    return seconds[0]


def skorch(X: np.ndarray, shape: Shape) -> float:
    """Train with skorch."""
    from skorch import NeuralNetRegressor

    net = NeuralNetRegressor(
        chain(X.shape[1], shape),
        max_epochs=1,
        batch_size=shape.batch,
        optimizer=torch.optim.Adam,
        lr=1e-3,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    ).initialize()
    start = time.perf_counter()
    net.partial_fit(X, X)
    return time.perf_counter() - start


def pythae(X: np.ndarray, shape: Shape) -> float:
    """Train Pythae's autoencoder."""
    import tempfile

    from pythae.data.datasets import BaseDataset
    from pythae.models import AE, AEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    class Encoder(BaseEncoder):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layers = chain(X.shape[1], shape)[:4]

        def forward(self, x: torch.Tensor) -> Any:
            return ModelOutput(embedding=self.layers(x))

    class Decoder(BaseDecoder):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layers = chain(X.shape[1], shape)[4:]

        def forward(self, z: torch.Tensor) -> Any:
            return ModelOutput(reconstruction=self.layers(z))

    model = AE(AEConfig(input_dim=(X.shape[1],), latent_dim=shape.latent), Encoder(), Decoder())
    with tempfile.TemporaryDirectory() as folder:
        config = BaseTrainerConfig(
            output_dir=folder, num_epochs=1, per_device_train_batch_size=shape.batch, learning_rate=1e-3, no_cuda=True
        )
        trainer = BaseTrainer(model, BaseDataset(torch.from_numpy(X), torch.zeros(len(X))), None, config)
        seconds = timed_method(trainer, "train_step")
        logging.disable()
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere), contextlib.redirect_stdout(nowhere):
            trainer.train()
        logging.disable(logging.NOTSET)
    return seconds[0]


def keras(X: np.ndarray, shape: Shape) -> float:
    """Train with Keras on torch."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras as k

    sizes = (shape.hidden, shape.latent, shape.hidden)
    layers = [k.layers.Dense(size, activation="relu") for size in sizes]
    model = k.Sequential([k.Input((X.shape[1],)), *layers, k.layers.Dense(X.shape[1])])
    model.compile(optimizer=k.optimizers.Adam(1e-3), loss="mse")
    few = X[: 2 * shape.batch]
    model.fit(few, few, batch_size=shape.batch, epochs=1, verbose=0)
    start = time.perf_counter()
    model.fit(X, X, batch_size=shape.batch, epochs=1, verbose=0)
    return time.perf_counter() - start


def torch_matmul(X: np.ndarray, shape: Shape) -> float:
    """Compute only the matrix products of an epoch with torch: the lower limit of float32 training with torch."""
    sizes = [X.shape[1], shape.hidden, shape.latent, shape.hidden, X.shape[1]]
    inputs = [torch.rand(shape.batch, size) for size in sizes]
    weights = [torch.rand(b, a) for a, b in pairwise(sizes)]
    outputs, gradients = [torch.empty_like(rows) for rows in inputs], [torch.empty_like(weight) for weight in weights]
    start = time.perf_counter()
    for _ in range(-(-len(X) // shape.batch)):
        for k, weight in enumerate(weights):
            torch.mm(inputs[k], weight.t(), out=outputs[k + 1])
        for k in range(len(weights) - 1, -1, -1):
            torch.mm(inputs[k + 1].t(), inputs[k], out=gradients[k])
            if k:
                torch.mm(inputs[k + 1], weights[k], out=outputs[k])
    return time.perf_counter() - start


def numpy_matmul(X: np.ndarray, shape: Shape) -> float:
    """Compute the same matrix products with numpy: the lower limit of float32 training with numpy."""
    sizes = [X.shape[1], shape.hidden, shape.latent, shape.hidden, X.shape[1]]
    rng = np.random.default_rng(0)
    inputs = [rng.random((shape.batch, size), np.float32) for size in sizes]
    weights = [rng.random((b, a), np.float32) for a, b in pairwise(sizes)]
    outputs, gradients = [np.empty_like(rows) for rows in inputs], [np.empty_like(weight) for weight in weights]
    with threadpool_limits(torch.get_num_threads(), "blas"):
        start = time.perf_counter()
        for _ in range(-(-len(X) // shape.batch)):
            for k, weight in enumerate(weights):
                np.matmul(inputs[k], weight.T, out=outputs[k + 1])
            for k in range(len(weights) - 1, -1, -1):
                np.matmul(inputs[k + 1].T, inputs[k], out=gradients[k])
                if k:
                    np.matmul(inputs[k + 1], weights[k], out=outputs[k])
        return time.perf_counter() - start


OPTIONAL: dict[str, Callable[[np.ndarray, Shape], float]] = {
    "pyod": pyod,
    "pythae": pythae,
    "skorch": skorch,
    "keras": keras,
}
CONTENDERS: dict[str, Callable[[np.ndarray, Shape], float]] = {
    "isthmus": ours,
    "isthmus, automatic": ours_automatic,
    "torch's matrix products alone": torch_matmul,
    "numpy's matrix products alone": numpy_matmul,
    "bare loop": bare_loop,
    "notebook's loop": notebook,
    "MLPRegressor": scikit_learn,
    **{name: train for name, train in OPTIONAL.items() if find_spec(name)},
}
"""isthmus, the lower limits, and the libraries that are installed."""
