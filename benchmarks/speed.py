"""Seconds an epoch of the paper's network (784-128-64-128-784, batch 64, Adam), ours and its peers', interleaved.

python -m benchmarks.speed [--rows 60000] [--repeats 5] [--threads 1] [--json FILE]
"""

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from isthmus import AutoEncoder, Deterministic, Gaussian
from isthmus.data import load

HIDDEN, LATENT, BATCH = 128, 64, 64


def isthmus_epoch(X: np.ndarray, threads: int) -> float:
    """Train ours with the same layers, loss, optimiser and batches; preparing and initialising is not counted."""
    model = AutoEncoder(
        LATENT,
        (HIDDEN,),
        activation="relu",
        code=Deterministic("sigmoid"),
        likelihood=Gaussian(variance=0.5, activation="sigmoid"),
        init="torch",
        epochs=1,
        batch_size=BATCH,
        learning_rate=1e-3,
        validation_fraction=0.0,
        threads=threads,
        random_state=0,
    ).fit(X)
    return float(model.history_["seconds"][-1])


def notebook_epoch(X: np.ndarray, threads: int) -> float:
    """Train as notebooks do: float tensors, a DataLoader, a loss read after every batch."""
    torch.set_num_threads(threads)
    features = X.shape[1]
    network = nn.Sequential(
        nn.Linear(features, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, LATENT), nn.Sigmoid(),
        nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, features), nn.Sigmoid(),
    )  # fmt: skip
    images = torch.from_numpy(X.astype(np.float32) / 255)
    loader = DataLoader(TensorDataset(images), batch_size=BATCH, shuffle=True)
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


def scikit_learn_epoch(X: np.ndarray, threads: int) -> float:
    """Train scikit-learn's MLPRegressor to rebuild its input: the same layers and batches, a linear output."""
    torch.set_num_threads(threads)
    images = X.astype(np.float32) / 255
    network = MLPRegressor(hidden_layer_sizes=(HIDDEN, LATENT, HIDDEN), batch_size=BATCH, max_iter=1, random_state=0)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(images, images)
    return time.perf_counter() - start


CONTENDERS: dict[str, Callable[[np.ndarray, int], float]] = {
    "isthmus": isthmus_epoch,
    "DataLoader loop": notebook_epoch,
    "MLPRegressor": scikit_learn_epoch,
}


def measure(rows: int, repeats: int, threads: int) -> dict[str, list[float]]:
    """Return seconds an epoch by contender; the contenders take turns, so that a busy minute meets them all."""
    X = load("mnist", source="auto").X[:rows]
    seconds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(repeats):
        for name, epoch in CONTENDERS.items():
            seconds[name].append(epoch(X, threads))
    return seconds


def main() -> None:
    """Measure and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="of torch; MLPRegressor takes numpy's (OMP_NUM_THREADS)")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    seconds = measure(options.rows, options.repeats, options.threads)
    ours = statistics.median(seconds["isthmus"])
    for name, times in seconds.items():
        median = statistics.median(times)
        print(f"{name:18} {median:7.3f} s an epoch  {median / ours:5.2f} x  ({min(times):.3f} to {max(times):.3f})")
    if options.json:
        options.json.write_text(json.dumps(seconds, indent=1))


if __name__ == "__main__":
    main()
