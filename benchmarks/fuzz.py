"""What happens to mutated model files: one outcome each, and a table of them."""

import resource
import signal
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import NotFittedError

from benchmarks.fuzz_models import EXAMPLES, uses
from benchmarks.fuzz_mutations import mutated
from isthmus import ModelFileError, load

SECONDS, SPARE_BYTES = 20, 128 * 2**20
"""Seconds that a case may take, and memory that it may take beyond twice the file."""
GOOD = ("unchanged", "refused", "same numbers", "other numbers, signed", "refuses in words")


class TooLongError(BaseException):
    """A case took too long."""


class Case(NamedTuple):
    """A mutated file."""

    number: int
    model: str
    mutation: str
    sign: bool
    content: bytes
    changed: bool


def case(originals: dict[str, bytes], seed: int, number: int, sign: bool | None = None) -> Case:
    """Return a case by its number: always the same one for a seed."""
    rng = np.random.default_rng([seed, number])
    names = list(originals)
    model = names[number % len(names)]
    signing = bool(rng.random() < 0.75) if sign is None else sign
    mutation, content = mutated(originals[model], rng, signing)
    return Case(number, model, mutation, signing, content, content != originals[model])


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `TooLongError` in the main thread if the block takes longer."""

    def stop(*_: object) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def outcome(one: Case, path: Path, expected: list[np.ndarray]) -> str:
    """Return what happens when a file is loaded and used."""
    path.write_bytes(one.content)
    peak, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    try:
        with limited(SECONDS), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = told(one, path, expected)
    except TooLongError:
        found = "hangs"
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak)
    if grown > 2 * len(one.content) + SPARE_BYTES:
        return "takes memory"
    return "hangs" if time.monotonic() - start > SECONDS else found


def told(one: Case, path: Path, expected: list[np.ndarray]) -> str:
    """Return what loading and using a file led to."""
    try:
        model = load(path)
    except ModelFileError as error:
        return "refused" if str(path) in str(error) and "\n" not in str(error) else "refused without its name"
    except Exception as error:
        return f"load raises {type(error).__name__}"
    try:
        found = uses(model, EXAMPLES[one.model])
    except NotFittedError:
        return "not fitted"
    except (ValueError, AttributeError) as error:
        if type(error) is ValueError or isinstance(error, ModelFileError):
            return "refuses in words"
        return f"use raises {type(error).__name__}"
    except Exception as error:
        return f"use raises {type(error).__name__}"
    if not one.changed:
        return "unchanged"
    if len(found) == len(expected) and all(map(equal, found, expected)):
        return "same numbers"
    return "other numbers, signed" if one.sign else "OTHER NUMBERS"


def equal(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays hold the same bits."""
    return one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes()


def reference(path: Path, name: str) -> list[np.ndarray]:
    """Return the numbers that the file of an example gives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return uses(load(path), EXAMPLES[name])


def counted(
    files: dict[str, Path], numbers: Iterator[int] | range, seed: int, sign: bool | None = None
) -> Counter[str]:
    """Return how often each outcome came, and what led to those that should not be."""
    originals = {name: path.read_bytes() for name, path in files.items()}
    expected = {name: reference(path, name) for name, path in files.items()}
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            one = case(originals, seed, number, sign)
            result = outcome(one, Path(folder) / "model.isthmus", expected[one.model])
            found[result] += 1
            if result not in GOOD:
                found[f"  {result}: {one.model}, {one.mutation}, case {number}"] += 1
    return found
