"""Larger than memory: training on a Parquet folder and on an array, and whether memory use stays constant.

python -m benchmarks.streaming [--gib 4] [--columns 30] [--epochs 2] [--folder FOLDER] [--json FILE]

A folder of Parquet files is generated (float32, pyarrow's default settings), in a temporary folder that is always
removed at the end. Three fits follow, each in a process of its own: on a quarter of the files, on all of them, and on
the rows of the quarter as an array in memory. Rows per second are those of the epochs after the first. Memory is the
peak of the process during the fit, less what it used before. Processor time is that of all threads per epoch, which
other processes on the machine influence less. The files are in the system's cache as far as they fit.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

FILE_BYTES = 2**26
GROUPS = 8
"""Row groups per file."""


def main() -> None:
    """Generate, measure, print and clean up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gib", type=float, default=4.0, help="size of the data as float32")
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1, help="repeats of quarter and array, in turn")
    parser.add_argument("--folder", type=Path, help="where the temporary folder is created")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=2, metavar=("KIND", "PATH"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*options.one, options.epochs)))
        return
    with tempfile.TemporaryDirectory(prefix="isthmus-streaming-", dir=options.folder) as folder:
        results = compare(Path(folder), options)
    show(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


def compare(folder: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure everything, each in a process of its own."""
    rows = generate(folder, int(options.gib * 2**30), options.columns)
    print(f"{rows:,} rows of {options.columns} columns in {folder}", flush=True)
    results = []
    kinds = [("folder", folder / "quarter"), ("array", folder / "quarter")] * options.repeats + [("folder", folder)]
    for kind, path in kinds:
        command = [sys.executable, "-m", "benchmarks.streaming", "--one", kind, str(path)]
        ran = subprocess.run([*command, "--epochs", str(options.epochs)], capture_output=True, text=True, check=False)
        if ran.returncode:
            raise SystemExit(ran.stderr)
        results.append(json.loads(ran.stdout.splitlines()[-1]) | {"kind": kind})
        print(results[-1], flush=True)
    return results


def generate(folder: Path, size: int, columns: int) -> int:
    """Write Parquet files of `size` bytes, the first quarter of them to another folder; return the number of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    generator = np.random.default_rng(0)
    mixing = generator.normal(size=(6, columns)).astype(np.float32)
    files = max(4, size // FILE_BYTES)
    rows = max(GROUPS, size // files // (4 * columns))
    for number in range(files):
        place = folder / ("quarter" if number < files // 4 else "rest")
        place.mkdir(exist_ok=True)
        codes = generator.normal(size=(rows, 6)).astype(np.float32)
        x = np.tanh(codes) @ mixing + 0.1 * generator.normal(size=(rows, columns)).astype(np.float32)
        table = pa.table({f"column {j}": np.ascontiguousarray(x[:, j]) for j in range(columns)})
        pq.write_table(table, place / f"{number:05}.parquet", row_group_size=-(-rows // GROUPS))
    return files * rows


def measure(kind: str, path: str, epochs: int) -> dict[str, float]:
    """Fit once; return time and memory."""
    from isthmus import AutoEncoder

    warnings.simplefilter("ignore")
    model = AutoEncoder(latent=6, hidden=(128,), epochs=epochs, random_state=0)
    AutoEncoder(latent=2, epochs=1).fit(
        np.random.default_rng(0).normal(size=(300, 8))
    )  # loads what the first fit needs
    data: Any = loaded(Path(path)) if kind == "array" else path
    if kind == "folder":
        import pyarrow.dataset
        import pyarrow.parquet  # noqa: F401
    before = forget_peak()
    start, worked = time.perf_counter(), time.process_time()
    model.fit(data)
    worked = time.process_time() - worked
    seconds = time.perf_counter() - start
    ends = model.history_["seconds"]
    rows = model.fit_report_.rows
    return {
        "rows": rows,
        "rows per second": rows * (len(ends) - 2) / (ends[-1] - ends[1])
        if len(ends) > 2
        else rows / (ends[-1] - ends[0]),
        "fit, s": seconds,
        "before training, s": seconds - ends[-1],
        "processor, µs per row": 1e6 * worked / rows / max(1, len(ends) - 1),
        "MiB": (peak() - before) / 2**20,
        "validation loss": float(model.history_["val_loss"].min()),
    }


def loaded(path: Path) -> np.ndarray:
    """Return the rows of a folder as an array."""
    import pyarrow.parquet as pq

    parts = []
    for file in sorted(path.glob("*.parquet")):
        table = pq.read_table(file)
        parts.append(np.stack([column.to_numpy() for column in table.columns], axis=1))
    return np.concatenate(parts)


def forget_peak() -> int:
    """Reset the peak memory of this process to its current memory (on Linux) and return it in bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak()


def peak() -> int:
    """Return the peak memory of this process, in bytes."""
    # getrusage would start at the memory of the parent process.
    status = Path("/proc/self/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def show(results: list[dict[str, Any]]) -> None:
    """Print a table and its summary."""
    names = [name for name in results[0] if name != "kind"]
    print("  ".join(["from   ", *(f"{name:>19}" for name in names)]))
    for row in results:
        print("  ".join([f"{row['kind']:7}", *(f"{row[name]:>19,.5g}" for name in names)]))
    best = {kind: max(r["rows per second"] for r in results[:-1] if r["kind"] == kind) for kind in ("folder", "array")}
    print(f"throughput on the same rows: {best['folder'] / best['array']:.0%} of the array's")
    print(f"memory for all rows: {results[-1]['MiB'] / results[0]['MiB']:.2f} times that for a quarter of them")


if __name__ == "__main__":
    main()
