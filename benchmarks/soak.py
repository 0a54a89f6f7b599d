"""Mutated model files by the million: `make soak`.

Parallel processes, each with a limit on memory, load and use one mutated file after another; a process that dies or
hangs is counted and replaced. Counts are kept in a folder, so that a run that was stopped goes on where it was.

    python -m benchmarks.soak --cases 1000000 --processes 8 --folder soak
    python -m benchmarks.soak --coverage --minutes 60       # guided by coverage, with atheris
"""

import argparse
import json
import os
import resource
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import IO

from benchmarks.fuzz import GOOD, SECONDS, case, outcome, reference
from benchmarks.fuzz_models import written
from isthmus.core.files import atomic_write

CHUNK = 1000
"""Cases that a process does before its counts are kept."""
SILENCE = 3 * SECONDS
"""Seconds without a word after which a process hangs: a first case takes the start of a process, too."""
MEMORY = 6 * 2**30
"""Bytes of address space per process."""


def main() -> int:
    """Run what the options say; return 1 if any outcome is bad."""
    options = parsed()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.worker:
        return work(options.folder, options.seed, *options.worker)
    files = written(options.folder)
    if options.coverage:
        from benchmarks.soak_coverage import run

        return run(files, options.folder, options.minutes)
    found = Progress(options.folder / f"seed{options.seed}.json")
    run_all(found, options)
    print(table(found.counts))
    return int(any(name not in GOOD for name in found.counts))


def parsed() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after so many")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("soak"), help="where models and counts are kept")
    parser.add_argument("--coverage", action="store_true", help="guided by coverage; needs atheris")
    parser.add_argument("--worker", type=int, nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


class Progress:
    """Which chunks are done, and the counts, in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        kept = json.loads(path.read_text()) if path.exists() else {"done": [], "counts": {}, "bad": []}
        self.done, self.counts, self.bad = set(kept["done"]), Counter(kept["counts"]), list(kept["bad"])

    def add(self, chunk: int, counts: Counter[str], bad: list[str]) -> None:
        """Keep the counts of a chunk."""
        self.done.add(chunk)
        self.counts += counts
        self.bad += bad
        with atomic_write(self.path) as temporary:
            temporary.write_text(json.dumps({"done": sorted(self.done), "counts": self.counts, "bad": self.bad}))


class Running:
    """A process on its way through a chunk."""

    def __init__(self, chunk: int, options: argparse.Namespace) -> None:
        self.chunk, self.options = chunk, options
        self.counts: Counter[str] = Counter()
        self.bad: list[str] = []
        self.next, self.end = chunk * CHUNK, min((chunk + 1) * CHUNK, options.cases)
        self.start()

    def start(self) -> None:
        """Start a process at the next case."""
        command = [sys.executable, "-m", "benchmarks.soak", "--worker", str(self.next), str(self.end)]
        command += ["--seed", str(self.options.seed), "--folder", str(self.options.folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.heard = time.monotonic()

    @property
    def pipe(self) -> IO[bytes]:
        """What the process says, one line per case."""
        assert self.process.stdout is not None, "it was started with a pipe"
        return self.process.stdout

    def listen(self) -> None:
        """Take note of one line."""
        line = self.pipe.readline()
        if line:
            self.heard = time.monotonic()
            self.count(line.decode().strip())
        elif self.next < self.end:
            self.process.wait()
            self.count("the process dies")
            self.start()

    def count(self, result: str) -> None:
        """Count the outcome of the next case."""
        self.counts[result] += 1
        if result not in GOOD:
            self.bad.append(f"case {self.next}: {result}")
        self.next += 1

    def watch(self) -> None:
        """Replace a process that says nothing any more."""
        if self.next < self.end and time.monotonic() - self.heard > SILENCE:
            self.process.kill()
            self.process.wait()
            self.count("hangs")
            self.start()


def run_all(found: Progress, options: argparse.Namespace) -> None:
    """Do all chunks that are not done, several at a time, until the time is up."""
    waiting = [chunk for chunk in range(-(-options.cases // CHUNK)) if chunk not in found.done]
    running: list[Running] = []
    stop = time.monotonic() + 60 * options.minutes
    try:
        while (waiting or running) and time.monotonic() < stop:
            while waiting and len(running) < options.processes:
                running.append(Running(waiting.pop(0), options))
            ready, _, _ = select.select([one.pipe for one in running], [], [], 1.0)
            for one in running:
                if one.pipe in ready:
                    one.listen()
                one.watch()
            for one in [one for one in running if one.next >= one.end]:
                one.process.wait()
                running.remove(one)
                found.add(one.chunk, one.counts, one.bad)
                print(f"{CHUNK * len(found.done):>9,} cases, {len(found.bad)} bad", flush=True)
    finally:
        for one in running:
            one.process.kill()
            one.process.wait()


def work(folder: Path, seed: int, first: int, end: int) -> int:
    """Do the cases from the first up to the end; say the outcome of each in a line."""
    files = written(folder)
    originals = {name: path.read_bytes() for name, path in files.items()}
    expected = {name: reference(path, name) for name, path in files.items()}
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as temporary:
        for number in range(first, end):
            one = case(originals, seed, number)
            print(outcome(one, Path(temporary) / "model.isthmus", expected[one.model]), flush=True)
    return 0


def table(counts: Counter[str]) -> str:
    """Return the outcomes, the good ones first."""
    ordered = sorted(counts.items(), key=lambda pair: (pair[0] not in GOOD, -pair[1]))
    return "\n".join(f"{count:>9,}  {'' if name in GOOD else 'BAD  '}{name}" for name, count in ordered)


if __name__ == "__main__":
    sys.exit(main())
