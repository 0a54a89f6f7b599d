"""The whole reproduction: train, compare, draw, write."""

import json
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import joblib

from isthmus.core.files import atomic_write
from isthmus.data import load_dataset
from isthmus.paper.claims import PRINTED_LOSSES, Claim, bottleneck_summary, claims
from isthmus.paper.further import CHAPTERS, Chapter
from isthmus.paper.pictures import pictures
from isthmus.paper.runs import Images, Result, Run, fit, fit_pca, images_of, planned_runs, wide_result
from isthmus.reports.page import page

BOTTLENECKS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
QUICK_BOTTLENECKS = (2, 8, 32)
QUICK_ROWS = 4000
QUICK_EPOCHS = 3
EPOCHS = 20
DATA_TITLES = {"mnist": "MNIST", "mnist-5k": "5,000 images of MNIST", "digits": "scikit-learn's 8×8 digits"}


def reproduce(
    out: Path,
    *,
    data: str = "auto",
    epochs: int | None = None,
    seeds: Sequence[int] = (42,),
    quick: bool = False,
    extended: bool = False,
    tell: Callable[[str], None] = print,
) -> Path:
    """Run the paper's networks, ours and PCA, and write a report.

    Parameters
    ----------
    out
        Folder for `report.html` (self-contained), the figures as PNG and `results.json`; created if it is not there.
    data
        "mnist"; "mnist-5k" or "digits", which packages carry; "auto" takes MNIST, or "mnist-5k" where it cannot be had.
    epochs
        Of each network (default 20; the sizes of the bottleneck take a quarter as many).
    seeds
        One run of each network for every seed.
    quick
        4,000 training images, 3 epochs and three sizes of the bottleneck: a look at the report in half a minute.
    extended
        Whether to add the chapters of `further`: what the paper points to.
    tell
        Takes each line of progress.

    Returns
    -------
    Path
        Of the report.

    Raises
    ------
    OSError
        If `out` cannot be written to (before any training).
    DatasetUnavailableError
        If the data set cannot be had.
    """
    require_writable(out)
    start = time.perf_counter()
    dataset = load_dataset("mnist", source="auto") if data == "auto" else load_dataset(data)
    images = images_of(dataset)
    if quick:
        images = images.first(QUICK_ROWS)
    epochs = epochs or (QUICK_EPOCHS if quick else EPOCHS)
    runs = planned_runs(images, epochs, seeds, QUICK_BOTTLENECKS if quick else BOTTLENECKS)
    tell(f"data: {images.name} from {images.source}, {len(images.train)} training and {len(images.test)} test images")
    results = fit_all(runs, images, tell)
    chapters = study_all(images, epochs, seeds[0], tell) if extended else {}
    write_results(out, images, results, chapters, started=start, epochs=epochs, seeds=seeds, quick=quick)
    tell(f"report: {out / 'report.html'} ({time.perf_counter() - start:.0f} s)")
    return out / "report.html"


def write_results(
    out: Path,
    images: Images,
    results: Sequence[Result],
    chapters: Mapping[str, Chapter],
    *,
    started: float,
    **given: Any,
) -> None:
    """Write `results.json`, the figures and the page; `given` are the options that the page tells."""
    first = {result.run.name: result for result in reversed(results)}
    verdicts = claims(first, whole_mnist=len(images.train) == 60_000)
    content = as_json(images, results, verdicts) | ({"further": further_as_json(chapters)} if chapters else {})
    write_text(out / "results.json", json.dumps(content, indent=1, allow_nan=False))
    drawn = pictures(first, images)
    drawn |= {picture.name: picture.png for chapter in chapters.values() for picture in chapter.pictures}
    for name, picture in drawn.items():
        write_bytes(out / f"{name}.png", picture)
    report = page(
        "reproduction.html",
        pictures=drawn,
        images=images,
        data_title=DATA_TITLES[images.name],
        results=first,
        wide=wide_result(first),
        rows=table(results),
        main_names=[name for name in first if not name.startswith("bottleneck-")],
        bottleneck_names=[name for name in first if name.startswith("bottleneck-")],
        trained_names=[name for name, result in first.items() if result.run.epochs == given["epochs"]],
        dark_pixels=int((images.test == 0).all(axis=0).sum()),
        printed=PRINTED_LOSSES,
        claims=verdicts,
        chapters=list(chapters.values()),
        bottleneck_summary=bottleneck_summary(first),
        seconds=time.perf_counter() - started,
        **given,
    )
    write_text(out / "report.html", report)


def require_writable(folder: Path) -> None:
    """Create the folder if need be and try it, so that a wrong one is told now rather than after the training."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "results.json.try", "{}")
        (folder / "results.json.try").unlink()
    except OSError as error:
        raise OSError(f"the folder {folder} for the report cannot be written to ({error}); name another one") from error


def fit_all(runs: Sequence[Run], images: Images, tell: Callable[[str], None]) -> list[Result]:
    """Fit PCA here and the networks in processes of one thread each, the longest first; return them as planned."""
    pca = [run for run in runs if run.recipe == "pca"]
    networks = sorted((run for run in runs if run.recipe != "pca"), key=lambda run: -run.cost)
    by_run = {result.run: result for result in fit_pca(pca, images)}
    workers = min(joblib.cpu_count(), len(networks))
    with joblib.parallel_config("loky", n_jobs=workers, inner_max_num_threads=1):
        trained = joblib.Parallel(return_as="generator_unordered")(joblib.delayed(fit)(run, images) for run in networks)
        for done, result in enumerate(trained, start=1):
            run = result.run
            by_run[run] = result
            tell(
                f"{done}/{len(networks)} {run.name}, seed {run.seed}: {run.epochs} epochs in {result.seconds:.1f} s, "
                f"test error {result.quality.mse:.5f}"
            )
    return [by_run[run] for run in runs]


def study_all(images: Images, epochs: int, seed: int, tell: Callable[[str], None]) -> dict[str, Chapter]:
    """Make every chapter, each in a process of one thread."""
    with joblib.parallel_config("loky", n_jobs=min(joblib.cpu_count(), len(CHAPTERS)), inner_max_num_threads=1):
        studied = joblib.Parallel(return_as="generator_unordered")(
            joblib.delayed(study)(name, images, epochs, seed) for name in CHAPTERS
        )
        found = {}
        for done, (name, chapter, seconds) in enumerate(studied, start=1):
            tell(f"chapter {done}/{len(CHAPTERS)} {name}: {seconds:.0f} s")
            found[name] = chapter
    return {name: found[name] for name in CHAPTERS}


def study(name: str, images: Images, epochs: int, seed: int) -> tuple[str, Chapter, float]:
    """Make a chapter; return its name, it, and the seconds that it took."""
    start = time.perf_counter()
    chapter = CHAPTERS[name](images, epochs, seed)
    return name, chapter, time.perf_counter() - start


def further_as_json(chapters: Mapping[str, Chapter]) -> dict[str, Any]:
    """Return what the chapters measured."""
    return {
        name: {
            "models": {
                model: {key: finite(value) for key, value in row.items()} for model, row in chapter.rows.items()
            },
            "claims": [claim._asdict() for claim in chapter.claims],
        }
        for name, chapter in chapters.items()
    }


def as_json(images: Images, results: Sequence[Result], verdicts: Sequence[Claim]) -> dict[str, Any]:
    """Return the content of `results.json`."""
    data = {"name": images.name, "source": images.source, "train": len(images.train), "test": len(images.test)}
    runs = [
        {
            "name": result.run.name,
            "architecture": "-".join(map(str, result.widths)),
            "likelihood": likelihood_name(result.run),
            "init": result.init,
            "epochs": result.run.epochs,
            "seed": result.run.seed,
            "train_loss": result.train_loss,
            "test_mse": result.quality.mse,
            "test_bce": result.quality.bce,
            "psnr": finite(result.quality.psnr),
            "dead_outputs": result.quality.dead_outputs,
            "explained_variance": finite(result.quality.explained_variance),
            "seconds": result.seconds,
            "test_mse_by_epoch": result.test_mse_by_epoch,
        }
        for result in results
    ]
    return {"data": data, "runs": runs, "claims": [verdict._asdict() for verdict in verdicts]}


def likelihood_name(run: Run) -> str:
    """Return the likelihood of a run and the activation of its output."""
    if run.recipe == "pca":
        return "gaussian, linear"
    return {"mse": "gaussian", "bce": "bernoulli"}[run.loss] + f", {run.output}"


def finite(value: float) -> float | None:
    """Return the value, or None for what JSON has no number for."""
    return value if math.isfinite(value) else None


def table(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return a row for every name: each measure as its mean over the seeds, with the standard deviation."""
    by_name: dict[str, list[Result]] = {}
    for result in results:
        by_name.setdefault(result.run.name, []).append(result)
    return [
        {
            "name": name,
            "run": group[0].run,
            "widths": "-".join(map(str, group[0].widths)),
            "loss": likelihood_name(group[0].run),
            "train": spread([result.train_loss[-1] for result in group], 4),
            "mse": spread([result.quality.mse for result in group], 4),
            "bce": spread([result.quality.bce for result in group], 3),
            "psnr": spread([result.quality.psnr for result in group], 1),
            "explained": spread([100 * result.quality.explained_variance for result in group], 1),
            "dead": spread([result.quality.dead_outputs for result in group], 0),
            "seconds": spread([result.seconds for result in group], 1),
        }
        for name, group in by_name.items()
    ]


def spread(values: Sequence[float], digits: int) -> str:
    """Return the mean, with the standard deviation where there are several values."""
    mean = f"{statistics.fmean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.{digits}f}"


def write_text(path: Path, text: str) -> None:
    """Write a whole file or none."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file or none."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)
