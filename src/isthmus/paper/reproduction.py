"""`reproduce`: train every network, measure it, and write the report."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import joblib

from isthmus.data import load_dataset
from isthmus.paper.further import CHAPTERS, Chapter
from isthmus.paper.images import Images, images_of
from isthmus.paper.networks import Run, planned_runs
from isthmus.paper.numbers import counted, error
from isthmus.paper.numbers import seconds as duration
from isthmus.paper.options import EPOCHS, Options
from isthmus.paper.pca import fit_pca
from isthmus.paper.report import require_writable, write_report
from isthmus.paper.results import Result
from isthmus.paper.training import fit

BOTTLENECKS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
QUICK_BOTTLENECKS = (2, 8, 32)
QUICK_ROWS = 4000
QUICK_EPOCHS = 3


def reproduce(
    out: Path,
    *,
    data: str = "auto",
    epochs: int | None = None,
    seeds: Sequence[int] = (42,),
    quick: bool = False,
    extended: bool = False,
    log: Callable[[str], None] = print,
) -> Path:
    """Train the paper's networks, ours and PCA, and write a report.

    Parameters
    ----------
    out
        Folder for `report.html` (self-contained), the figures as PNG and `results.json`. It is created if missing.
    data
        "mnist", or "mnist-5k" and "digits", which installed packages contain. "auto" takes MNIST if it is in a local
        folder, in the cache or can be downloaded, else "mnist-5k".
    epochs
        Epochs per network (default 20); the bottleneck runs take a quarter as many.
    seeds
        Each network is trained once per seed.
    quick
        4,000 training images, 3 epochs and three bottleneck sizes, for a first look within half a minute. The report
        then shows what was measured and judges no claim.
    extended
        Whether to add the chapters of `further`, the paper's "to go further".
    log
        Called with each line of progress.

    Returns
    -------
    Path
        The path of `report.html`.

    Raises
    ------
    OSError
        If `out` cannot be written to; raised before training starts.
    DatasetUnavailableError
        If the data set cannot be loaded from any source.
    """
    require_writable(out)
    start = time.perf_counter()
    dataset = load_dataset("mnist", source="auto") if data == "auto" else load_dataset(data)
    images = images_of(dataset)
    if quick:
        images = images.first(QUICK_ROWS)
    epochs = epochs or (QUICK_EPOCHS if quick else EPOCHS)
    runs = planned_runs(images, epochs, seeds, QUICK_BOTTLENECKS if quick else BOTTLENECKS)
    log(
        f"data: {images.name} from {images.whence}, {len(images.train):,} training and {len(images.test):,} test images"
    )
    results = fit_all(runs, images, log)
    chapters = study_all(images, epochs, seeds[0], log) if extended else {}
    path = write_report(
        out, images, results, chapters, Options(epochs, seeds, quick), seconds=time.perf_counter() - start
    )
    log(f"report: {path} ({time.perf_counter() - start:.0f} s)")
    return path


def fit_all(runs: Sequence[Run], images: Images, log: Callable[[str], None]) -> list[Result]:
    """Fit every run and return the results in the same order.

    PCA is fitted in this process; networks are trained in single-threaded processes, the longest first.
    """
    pca = [run for run in runs if run.recipe == "pca"]
    networks = sorted((run for run in runs if run.recipe != "pca"), key=lambda run: -run.cost)
    by_run = {result.run: result for result in fit_pca(pca, images)}
    workers = min(joblib.cpu_count(), len(networks))
    with joblib.parallel_config("loky", n_jobs=workers, inner_max_num_threads=1):
        trained = joblib.Parallel(return_as="generator_unordered")(joblib.delayed(fit)(run, images) for run in networks)
        for done, result in enumerate(trained, start=1):
            run = result.run
            by_run[run] = result
            log(
                f"{done}/{len(networks)} {run.name}, seed {run.seed}: {counted(run.epochs, 'epoch')} in "
                f"{duration(result.seconds)} s, test error {error(result.quality.mse)}"
            )
    return [by_run[run] for run in runs]


def study_all(images: Images, epochs: int, seed: int, log: Callable[[str], None]) -> dict[str, Chapter]:
    """Make every chapter, each in a single-threaded process; return them by name, in the order of the report."""
    with joblib.parallel_config("loky", n_jobs=min(joblib.cpu_count(), len(CHAPTERS)), inner_max_num_threads=1):
        studied = joblib.Parallel(return_as="generator_unordered")(
            joblib.delayed(study)(name, images, epochs, seed) for name in CHAPTERS
        )
        found = {}
        for done, (name, chapter, seconds) in enumerate(studied, start=1):
            log(f"chapter {done}/{len(CHAPTERS)} {name}: {seconds:.0f} s")
            found[name] = chapter
    return {name: found[name] for name in CHAPTERS}


def study(name: str, images: Images, epochs: int, seed: int) -> tuple[str, Chapter, float]:
    """Make one chapter; return its name, the chapter, and the seconds that it took."""
    start = time.perf_counter()
    chapter = CHAPTERS[name](images, epochs, seed)
    return name, chapter, time.perf_counter() - start
