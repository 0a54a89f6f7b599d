"""Measurements that are kept in a file of JSON lines, so that a rerun makes only those that are missing."""

import hashlib
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

Job = dict[str, Any]
"""What identifies a measurement: part, table, ..., seed, contender and a digest of the settings."""

PLACE = Path(tempfile.gettempdir(), "isthmus-benchmark.jsonl")


def digest(*settings: object) -> str:
    """Return a short name of the settings, made from how they print."""
    return hashlib.sha256(repr(settings).encode()).hexdigest()[:12]


class Cache:
    """A file with one JSON object per line, `{"job": ..., "result": ...}`; of two lines on one job the later counts.

    Parameters
    ----------
    path : Path
        The file; it need not exist. Several processes can add to it at the same time.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[str, dict[str, Any]] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                read = json.loads(line)
                self.found[self.key(read["job"])] = read["result"]

    @staticmethod
    def key(job: Job) -> str:
        """Return the job as text that does not depend on the order of its entries."""
        return json.dumps(job, sort_keys=True)

    def get(self, job: Job) -> dict[str, Any] | None:
        """Return the result of the job, or None if it is missing."""
        return self.found.get(self.key(job))

    def add(self, job: Job, result: dict[str, Any]) -> None:
        """Add a result to the file in one write."""
        self.found[self.key(job)] = result
        with self.path.open("a") as file:
            file.write(json.dumps({"job": job, "result": result}) + "\n")


def complete(
    jobs: list[Job],
    measure: Callable[[Job], dict[str, Any]],
    cache: Cache,
    processes: int = 1,
    redo: Iterable[str] = (),
) -> int:
    """Make the measurements that the cache lacks and keep each as soon as it is made.

    Parameters
    ----------
    jobs : list of Job
        The measurements, in the order in which they start.
    measure : callable
        A function of a job that returns its result, numbers by name. It must be picklable.
    cache : Cache
        Where results are read from and added to.
    processes : int
        Number of processes that work at the same time, each with one thread.
    redo : iterable of str
        Contenders that are measured again even if their results are in the cache.

    Returns
    -------
    int
        The number of failures. A failure is printed and not kept, so that a rerun tries again.
    """
    again = set(redo)
    todo = [job for job in jobs if job["contender"] in again or cache.get(job) is None]
    print(f"{len(jobs) - len(todo)} of {len(jobs)} measurements are in {cache.path}; {len(todo)} to make", flush=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    start, failed = time.perf_counter(), 0
    # Processes are spawned, not forked, because numerical libraries read the number of threads when they start.
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        running: dict[Future[dict[str, Any]], Job] = {pool.submit(measure, job): job for job in todo}
        for done, future in enumerate(as_completed(running), 1):
            job = running[future]
            if (error := future.exception()) is None:
                cache.add(job, future.result())
            else:
                failed += 1
                print(f"FAILED {Cache.key(job)}: {type(error).__name__}: {error}", flush=True)
            if done % 100 == 0:
                print(f"  {done} of {len(todo)} after {time.perf_counter() - start:.0f} s: {job}", flush=True)
    return failed
