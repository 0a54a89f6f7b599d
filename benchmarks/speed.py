"""Speed: isthmus and other libraries, the limits of the machine, and the effect of a busy neighbour.

python -m benchmarks.speed [--only SECTION ...] [--threads 1] [--repeats 5] [--quick] [--json FILE]

Sections:
epoch: seconds per epoch of the paper's network (784-128-64-128-784) on MNIST with batches of 64, 256 and 1,024, and of
30-64-8-64-30 on 100,000 rows with batches of 256. Contenders take turns, so that a busy minute affects all of them;
medians and their ratios are shown.
mixed: microseconds per training step on 100,000 rows of 26 columns of numbers, counts, booleans and categories, a tenth
of the cells missing, with the default network and with that of an imputer; by the written-out step and, as with
sample weights, by autograd; and the seconds of a fit of 1,000 steps.
convolution: seconds per epoch of a convolutional network on MNIST, ours and a DataLoader loop.
quality: seconds until the test error is 0.0090, ours and the paper's recipe in its notebook's loop.
inference: microseconds per row.
memory: anonymous memory that a fit adds, relative to the size of the data.
neighbour: seconds per epoch while another process uses a core.
size: seconds per epoch by the number of rows and of columns.
start: seconds to start a new process.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.contenders import CONTENDERS, Clock, Shape, bare_loop, notebook, ours
from benchmarks.mixed import mixed_table
from isthmus import AutoEncoder, Compute, Masking, zoo
from isthmus.data import load_dataset
from isthmus.engine import Callback

GOOD = 0.0090
Times = dict[str, list[float]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (OMP_NUM_THREADS sets those of numpy)")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="use a tenth of the rows")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(options.threads)
    share = 10 if options.quick else 1
    results = {name: SECTIONS[name](options.repeats, share) for name in options.only}
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


def digits(share: int) -> np.ndarray:
    """Return grey levels of MNIST from 0 to 1, (60,000 // share, 784)."""
    X = load_dataset("mnist", source="auto").X
    return (X[: len(X) // share] / 255).astype(np.float32)


def table(rows: int, columns: int) -> np.ndarray:
    """Return a table of correlated normal columns."""
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(rows, 8)) @ rng.normal(size=(8, columns))
    return np.asarray((factors + rng.normal(size=factors.shape)).astype(np.float32) / 3)


def taking_turns(contenders: dict[str, Callable[[], float]], repeats: int) -> Times:
    """Time every contender once per round, for `repeats` rounds."""
    seconds: Times = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, run in contenders.items():
            seconds[name].append(run())
    return seconds


def show(title: str, seconds: Times, unit: str = "s per epoch") -> Times:
    """Print medians, their ratios to the first contender, and the ranges; return the times."""
    print(f"\n{title}", flush=True)
    reference = statistics.median(next(iter(seconds.values())))
    for name, times in seconds.items():
        median = statistics.median(times)
        ends = f"({min(times):.3g} to {max(times):.3g})"
        print(f"  {name:30} {median:9.4g} {unit}  {median / reference:6.2f} x  {ends}", flush=True)
    return seconds


def epoch(repeats: int, share: int) -> dict[str, Times]:
    """Time one epoch of dense networks."""
    found = {}
    cases = {f"784-128-64-128-784, batches of {b}": (digits(share), Shape(128, 64, b)) for b in (64, 256, 1024)}
    cases["30-64-8-64-30, batches of 256"] = (table(100_000 // share, 30), Shape(64, 8, 256))
    for title, (X, shape) in cases.items():
        runs = {name: lambda train=train, X=X, shape=shape: train(X, shape) for name, train in CONTENDERS.items()}
        found[title] = show(title, taking_turns(runs, repeats))
    return found


def mixed(repeats: int, share: int) -> dict[str, Times]:
    """Time steps, and a fit of about 1,000 of them, on a table of several kinds of columns."""
    frame = mixed_table(100_000 // share, 0)[1]
    weight = np.ones(len(frame))
    masking = Masking(0.3, value=None, score="hidden")
    networks = {
        "a code of 8 numbers": {"latent": 8},
        "256-64-256, masked cells alone": {"latent": 64, "hidden": (256,), "corruption": masking},
    }
    found = {}
    for title, settings in networks.items():

        def step(sample_weight: np.ndarray | None, settings: dict[str, Any] = settings) -> float:
            clock = Clock()
            compute = Compute(precision="float32", threads=None)
            model = AutoEncoder(**settings, epochs=1, random_state=0, compute=compute, callbacks=[clock])
            batches = model.fit(frame, sample_weight=sample_weight).fit_report_.batches
            return 1e6 * clock.seconds / batches

        runs = {"isthmus": partial(step, None), "isthmus, with sample weights": partial(step, weight)}
        found[title] = show(f"mixed columns, {title}", taking_turns(runs, repeats), "µs per step")

    def fit() -> float:
        start = time.perf_counter()
        report = AutoEncoder(latent=8, epochs=1, random_state=0).fit(frame).fit_report_
        return 1000 * (time.perf_counter() - start) / report.batches

    found["fit"] = show("mixed columns, the whole fit", taking_turns({"isthmus": fit}, repeats), "s per 1,000 steps")
    return found


def convolution(repeats: int, share: int) -> Times:
    """Time one epoch of a convolutional network with (16, 32) channels, a code of 32 numbers and batches of 128."""
    X = digits(share)

    def isthmus_epoch() -> float:
        model = zoo.convolutional(
            (28, 28), 32, (16, 32), epochs=1, batch_size=128, validation=0.0, compute=Compute(threads=None)
        )
        return float(model.set_params(random_state=0, init="orthogonal").fit(X).history_["seconds"][-1])

    def torch_epoch() -> float:
        encoder = [nn.Conv2d(1, 16, 3, 2, 1), nn.SiLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.SiLU(), nn.Flatten()]
        decoder = [nn.Linear(32, 1568), nn.SiLU(), nn.Unflatten(1, (32, 7, 7)), nn.ConvTranspose2d(32, 16, 3, 2, 1, 1)]
        last = [nn.SiLU(), nn.ConvTranspose2d(16, 1, 3, 2, 1, 1), nn.Sigmoid()]
        network = nn.Sequential(nn.Unflatten(1, (1, 28, 28)), *encoder, nn.Linear(1568, 32), *decoder, *last)
        loader = DataLoader(TensorDataset(torch.from_numpy(X)), batch_size=128, shuffle=True)
        optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
        start = time.perf_counter()
        for (x,) in loader:
            optimiser.zero_grad()
            nn.functional.mse_loss(network(x).flatten(1), x).backward()
            optimiser.step()
        return time.perf_counter() - start

    runs = {"isthmus": isthmus_epoch, "DataLoader loop": torch_epoch}
    return show("convolutional, (16, 32) channels, batches of 128", taking_turns(runs, repeats))


class UntilGood(Callback):
    """Stops training as soon as the test error is at most GOOD, and records the seconds until then."""

    def __init__(self, test: np.ndarray) -> None:
        self.test = torch.from_numpy(test)
        self.start = time.perf_counter()
        self.seconds = float("nan")

    def on_fit_start(self, trainer: Any) -> None:
        """Measure the error before the first step."""
        self.measure(trainer)

    def on_epoch_end(self, trainer: Any) -> None:
        """Measure the error after an epoch."""
        self.measure(trainer)

    def measure(self, trainer: Any) -> None:
        """Measure the test error, and stop if it is good enough."""
        network = trainer.network.eval()
        with torch.no_grad():
            error = (network.decode(network.encode(self.test).mean) - self.test).square().mean()
        if float(error) <= GOOD and self.seconds != self.seconds:
            self.seconds = time.perf_counter() - self.start
            trainer.stop("good")


def quality(repeats: int, share: int) -> Times:
    """Time training until the test error is 0.0090."""
    data = load_dataset("mnist", source="auto")
    X, test = data.X[: len(data.X) // share], (data.X_test / 255).astype(np.float32)

    def isthmus_quality() -> float:
        until = UntilGood(test)
        AutoEncoder(64, (128,), compute=Compute(threads=1), random_state=0, callbacks=[until]).fit(X)
        return until.seconds

    def recipe() -> float:
        torch.manual_seed(0)
        network = nn.Sequential(
            nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.Sigmoid(),
            nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 784), nn.Sigmoid(),
        )  # fmt: skip
        start = time.perf_counter()
        rows, held_out = torch.from_numpy((X / 255).astype(np.float32)), torch.from_numpy(test)
        loader = DataLoader(TensorDataset(rows), batch_size=64, shuffle=True)
        optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
        for _ in range(40):
            for (x,) in loader:
                optimiser.zero_grad()
                loss = nn.functional.mse_loss(network(x), x)
                loss.backward()
                optimiser.step()
                loss.item()
            with torch.no_grad():
                if float(nn.functional.mse_loss(network(held_out), held_out)) <= GOOD:
                    return time.perf_counter() - start
        return float("nan")

    runs = {"isthmus": isthmus_quality, "the paper's recipe": recipe}
    return show(f"until the test error is {GOOD}", taking_turns(runs, max(3, repeats // 2)), "s")


def inference(repeats: int, share: int) -> Times:
    """Time a fitted network, in microseconds per row."""
    X, shape = digits(share), Shape(128, 64, 256)
    model = AutoEncoder(64, (128,), epochs=1, compute=Compute(threads=1), random_state=0).fit(X)
    network: Any = model.network_

    def timed(use: Callable[[np.ndarray], Any]) -> Callable[[], float]:
        def run() -> float:
            start = time.perf_counter()
            use(X)
            return 1e6 * (time.perf_counter() - start) / len(X)

        return run

    def forward(rows: np.ndarray) -> None:
        with torch.no_grad():
            for block in torch.from_numpy(rows).split(256):
                network.decoder(network.encoder(block))

    runs = {"isthmus, transform": timed(model.transform), "isthmus, score_samples": timed(model.score_samples)}
    runs["a bare forward pass"] = timed(forward)
    if "pyod" in CONTENDERS:
        from benchmarks.contenders import pyod_detector

        runs["pyod, decision_function"] = timed(pyod_detector(shape).fit(X[:2000]).decision_function)
    return show("inference", taking_turns(runs, repeats), "µs per row")


MEMORY = """
import sys, threading, time, warnings
import numpy as np
warnings.simplefilter("ignore")
import torch
from torch import nn
from isthmus import AutoEncoder, Compute
from benchmarks.contenders import Shape, chain
torch.set_num_threads(1)

def bare_loop(X):
    network, rows = chain(X.shape[1], Shape(128, 64, 128)), torch.from_numpy(X)
    optimiser = torch.optim.Adam(network.parameters(), fused=True)
    for batch in torch.randperm(len(rows)).split(128):
        x = rows[batch].float() / 255
        optimiser.zero_grad()
        nn.functional.mse_loss(network(x), x).backward()
        optimiser.step()

def isthmus(X, precision):
    AutoEncoder(64, (128,), epochs=1, compute=Compute(threads=1, precision=precision), random_state=0).fit(X)

def anonymous():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssAnon")) / 1024

path, mapped, who = sys.argv[1], sys.argv[2] == "mapped", sys.argv[3]
torch.nn.functional.linear(torch.rand(256, 784), torch.rand(128, 784))
X = np.load(path, mmap_mode="r" if mapped else None)
if not mapped:
    AutoEncoder(8, (16,), epochs=1, random_state=0).fit(X[:300])
before = peak = anonymous()
done = False

def watch():
    global peak
    while not done:
        peak = max(peak, anonymous())
        time.sleep(0.005)

watcher = threading.Thread(target=watch)
watcher.start()
bare_loop(X) if who == "bare loop" else isthmus(X, who)
done = True
watcher.join()
print(peak - before, X.nbytes / 2**20)
"""


def memory(repeats: int, share: int) -> dict[str, float]:
    """Measure the anonymous memory that a fit adds, each in a process of its own."""
    found = {}
    print("\nmemory that a fit adds")
    with tempfile.TemporaryDirectory() as folder:
        images, large = Path(folder) / "images.npy", Path(folder) / "large.npy"
        np.save(images, load_dataset("mnist", source="auto").X)
        rows = 2 * 2**30 // 784 // share
        mapped = np.lib.format.open_memmap(large, mode="w+", dtype=np.uint8, shape=(rows, 784))
        source = np.load(images)
        for start in range(0, rows, len(source)):
            mapped[start : start + len(source)] = source[: rows - start]
        mapped.flush()
        cases = [("uint8 images", images, "loaded", who) for who in ("auto", "float32", "bare loop")]
        cases += [("uint8 memory map", large, "mapped", who) for who in ("auto", "float32")]
        for what, path, how, who in cases:
            title = f"{what}, {who}"
            command = [sys.executable, "-c", MEMORY, str(path), how, who]
            added, size = map(float, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
            found[title] = added / size
            print(f"  {title:28} {added:7.0f} MiB for {size:.0f} MiB of data: {added / size:.2f} x", flush=True)
    return found


def neighbour(repeats: int, share: int) -> Times:
    """Time one epoch without and with a process that uses a core; ours with Compute(threads="auto")."""
    X, shape = digits(share), Shape(128, 64, 64)
    threads = torch.get_num_threads()
    runs = {
        "isthmus": lambda: ours(X, shape, compute=Compute(precision="float32", threads="auto")),
        "bare loop": lambda: bare_loop(X, shape),
        "notebook's loop": lambda: notebook(X, shape),
    }
    calm = taking_turns(runs, repeats)
    burning = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        busy = taking_turns(runs, repeats)
        torch.set_num_threads(2)
        two = taking_turns({f"{name}, two threads": run for name, run in runs.items()}, repeats)
    finally:
        burning.kill()
        burning.wait()
        torch.set_num_threads(threads)
    found = {**calm, **{f"{name}, busy": times for name, times in busy.items()}}
    return show("next to a busy neighbour", found | {f"{name}, busy": times for name, times in two.items()})


def start(repeats: int, share: int) -> Times:
    """Time the start of new processes."""

    def process(*arguments: str) -> Callable[[], float]:
        def run() -> float:
            begun = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
            return time.perf_counter() - begun

        return run

    runs = {
        "isthmus --help": process(
            "-c", "import sys; from isthmus.cli.main import main; sys.argv[1:] = ['--help']; main()"
        ),
        "import isthmus": process("-c", "import isthmus"),
        "python alone": process("-c", "pass"),
        "import torch": process("-c", "import torch"),
    }
    return show("start", taking_turns(runs, repeats), "s")


def size(repeats: int, share: int) -> Times:
    """Time one epoch by the number of rows and of columns."""
    cases = {f"{rows:,} × 30": (rows, 30) for rows in (1000, 10_000, 100_000)}
    cases |= {f"2,000 × {columns:,}": (2000, columns) for columns in (30, 300, 3000)}
    tables = {title: table(*case) for title, case in cases.items()}
    runs = {title: lambda X=X: ours(X, Shape(64, 8, 256)) for title, X in tables.items()}
    return show("size", taking_turns(runs, repeats))


SECTIONS: dict[str, Callable[[int, int], Any]] = {
    "epoch": epoch,
    "mixed": mixed,
    "convolution": convolution,
    "quality": quality,
    "inference": inference,
    "memory": memory,
    "neighbour": neighbour,
    "size": size,
    "start": start,
}


if __name__ == "__main__":
    main()
