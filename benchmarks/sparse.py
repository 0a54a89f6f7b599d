"""Sparse counts: rows per second and peak memory of isthmus and of a plain loop that makes batches dense.

python -m benchmarks.sparse [--rows 1000000] [--columns 20000] [--kept 20] [--steps 100] [--likelihoods NAME ...]
    [--precision float32]

Every likelihood runs in a process of its own, so that its peak memory (including the data and their generation) can be
measured: the time that `fit` takes before the first step, then --steps steps of 128 rows on one thread, then as many
steps of the loop with the same layers, the same fused Adam and X[index].toarray(). The network is
20,000-128-32-128-20,000 with SiLU.
"""

import argparse
import multiprocessing
import resource
import sys
import time
import warnings
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse
import torch
from torch import Tensor, nn
from torch.nn import functional

from isthmus import AutoEncoder, Compute
from isthmus.engine import Callback

LIKELIHOODS = ("multinomial", "poisson", "bernoulli")
BATCH, HIDDEN, LATENT, TOPICS = 128, 128, 32, 50
WARM = 5
"""Number of steps before the clock starts."""


def counts(rows: int, columns: int, kept: int, seed: int = 0) -> scipy.sparse.csr_array:
    """Return counts (rows, columns) in float32 with about `kept` non-zero cells per row; each row has one of 50 topics.

    A topic draws three quarters of its words from 200 columns of its own, with falling frequency, the rest from all.
    """
    rng = np.random.default_rng(seed)
    own = rng.integers(0, columns, (TOPICS, min(200, columns)))
    table = np.empty((rows, kept), dtype=np.int32)
    for start in range(0, rows, 2**15):
        part = table[start : start + 2**15]
        topic = rng.integers(0, TOPICS, (len(part), 1))
        drawn = own[topic, (own.shape[1] * rng.random(part.shape) ** 2).astype(np.int32)]
        part[:] = np.where(rng.random(part.shape) < 0.75, drawn, rng.integers(0, columns, part.shape))
    starts = np.arange(0, rows * kept + 1, kept, dtype=np.int32)
    found = scipy.sparse.csr_array((np.ones(rows * kept, dtype=np.float32), table.ravel(), starts), (rows, columns))
    found.sum_duplicates()
    return found


class Clock(Callback):
    """Measures the seconds before the first step and those of `steps` steps; then it ends the training."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.start = time.perf_counter()

    def on_fit_start(self, trainer: Any) -> None:
        """Record the time before the first step."""
        self.prepared = time.perf_counter() - self.start

    def on_step_end(self, trainer: Any) -> None:
        """Start the clock after the warm-up, and stop the training after the last measured step."""
        if trainer.step == WARM:
            self.start = time.perf_counter()
        if trainer.step == WARM + self.steps:
            self.seconds = time.perf_counter() - self.start
            raise KeyboardInterrupt


def loss_of(name: str, x: Tensor, theta: Tensor) -> Tensor:
    """Return the mean negative log-likelihood per row, without the terms that do not depend on theta."""
    if name == "multinomial":
        return -(x * theta.log_softmax(1)).sum(1).mean()
    if name == "poisson":
        return (theta.exp() - x * theta).sum(1).mean()
    return functional.binary_cross_entropy_with_logits(theta, x, reduction="none").sum(1).mean()


def loop(name: str, X: scipy.sparse.csr_array, steps: int) -> float:
    """Return the seconds that this many steps of a plain loop take."""
    torch.manual_seed(0)
    widths = X.shape[1], HIDDEN, LATENT, HIDDEN, X.shape[1]
    first, code, second, last = (nn.Linear(a, b) for a, b in pairwise(widths))
    network = nn.Sequential(first, nn.SiLU(), code, second, nn.SiLU(), last)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=0.0, fused=True)
    order = np.random.default_rng(0).permutation(X.shape[0])
    for step in range(WARM + steps):
        if step == WARM:
            start = time.perf_counter()
        at = step * BATCH % (X.shape[0] - BATCH)
        x = torch.from_numpy(X[order[at : at + BATCH]].toarray())
        seen = {"multinomial": functional.normalize, "poisson": torch.log1p}.get(name, lambda x: x)(x)
        optimiser.zero_grad()
        loss_of(name, x, network(seen)).backward()
        optimiser.step()
    return time.perf_counter() - start


def peak() -> float:
    """Return the peak memory of this process so far, in GiB."""
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held / (2**30 if sys.platform == "darwin" else 2**20)


def measure(name: str, options: argparse.Namespace) -> None:
    """Measure one likelihood and print a line."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    X = counts(options.rows, options.columns, options.kept)
    if name == "bernoulli":
        X.data[:] = 1
    made = peak()
    clock = Clock(options.steps)
    model = AutoEncoder(
        LATENT,
        (HIDDEN,),
        likelihood=name,
        batch_size=BATCH,
        compute=Compute(threads=1, precision=options.precision),
        random_state=0,
        callbacks=[clock],
    ).fit(X)
    ours, most = clock.seconds, peak()
    start = time.perf_counter()
    some = X[:10_000]
    model.transform(some)
    coded = some.shape[0] / (time.perf_counter() - start)
    theirs = loop(name, X, options.steps)
    rows, steps = options.steps * BATCH, options.steps
    print(
        f"{name:12} before the first step {clock.prepared:.1f} s; {rows / ours:,.0f} rows per second, "
        f"{1e3 * ours / steps:.1f} ms; the loop {rows / theirs:,.0f}, {1e3 * theirs / steps:.1f} ms "
        f"({theirs / ours:.2f} times); transform {coded:,.0f} rows per second; peak {most:.2f} GiB, {made:.2f} with "
        f"the data alone; {model.fit_report_.steps}",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=20_000)
    parser.add_argument("--kept", type=int, default=20, help="approximate number of non-zero cells per row")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--likelihoods", nargs="+", choices=LIKELIHOODS, default=list(LIKELIHOODS))
    parser.add_argument("--precision", default="float32", help="precision of isthmus; the loop uses float32")
    options = parser.parse_args()
    print(f"{options.rows:,} x {options.columns:,}, {100 * options.kept / options.columns:g} % filled", flush=True)
    for name in options.likelihoods:
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(name, options))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(process.exitcode)


if __name__ == "__main__":
    main()
