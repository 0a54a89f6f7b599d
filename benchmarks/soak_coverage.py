"""Mutations of model files that are guided by coverage, by atheris, where that is installed."""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.fuzz import GOOD, Case, outcome, reference
from benchmarks.fuzz_mutations import mutated, signed


def run(files: dict[str, Path], folder: Path, minutes: float) -> int:
    """Mutate for so many minutes; keep inputs that reach new code in a folder; stop at the first bad outcome.

    Raises
    ------
    ImportError
        If atheris is not installed.
    """
    try:
        import atheris
    except ImportError as error:
        raise ImportError("--coverage needs atheris: pip install atheris") from error
    originals = {path.read_bytes(): name for name, path in files.items()}
    expected = {name: reference(path, name) for name, path in files.items()}
    newest = {name: content for content, name in originals.items()}
    stop = time.monotonic() + 60 * minutes
    path = Path(tempfile.mkdtemp()) / "model.isthmus"

    def one_input(data: bytes) -> None:
        name = list(files)[data[0] % len(files)] if data else "dense"
        content = signed(data[1:])
        found = outcome(Case(0, name, "coverage", True, content, True), path, expected[name])
        if found not in GOOD:
            raise RuntimeError(f"{name}: {found}")
        if time.monotonic() > stop:
            sys.exit(0)

    def mutator(data: bytes, size: int, seed: int) -> bytes:
        place = data[0] % len(files) if data else 0
        start = data[1:] if len(data) > 100 else newest[list(files)[place]]
        try:
            _, changed = mutated(start, np.random.default_rng(seed), True)
        except Exception:  # what is left of the file is not to be taken apart
            changed = start
        return bytes([place]) + changed[: size - 1]

    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for place, content in enumerate(newest.values()):
        (corpus / f"original{place}").write_bytes(bytes([place]) + content)
    atheris.instrument_all()
    atheris.Setup([sys.argv[0], "-max_len=1000000", str(corpus)], one_input, custom_mutator=mutator)
    atheris.Fuzz()
    return 0
