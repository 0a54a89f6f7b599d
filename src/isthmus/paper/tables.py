"""The numbers as data: the content of `results.json` and the rows of the report's tables."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from isthmus.paper.claim import Claim
from isthmus.paper.further import Chapter
from isthmus.paper.images import Images
from isthmus.paper.networks import Run
from isthmus.paper.results import Result


class TableRow(NamedTuple):
    """One line of the table of runs: each measure as text, the mean over the seeds with its standard deviation."""

    name: str
    run: Run
    widths: str
    loss: str
    train: str
    mse: str
    bce: str
    psnr: str
    explained: str
    dead: str
    seconds: str


def table(results: Sequence[Result]) -> list[TableRow]:
    """Return one row per run name."""
    by_name: dict[str, list[Result]] = {}
    for result in results:
        by_name.setdefault(result.run.name, []).append(result)
    return [
        TableRow(
            name=name,
            run=group[0].run,
            widths="-".join(map(str, group[0].widths)),
            loss=likelihood_name(group[0].run),
            train=mean_and_spread([result.train_loss[-1] for result in group], 4),
            mse=mean_and_spread([result.quality.mse for result in group], 4),
            bce=mean_and_spread([result.quality.bce for result in group], 3),
            psnr=mean_and_spread([result.quality.psnr for result in group], 1),
            explained=mean_and_spread([100 * result.quality.explained_variance for result in group], 1),
            dead=mean_and_spread([result.quality.dead_outputs for result in group], 0),
            seconds=mean_and_spread([result.seconds for result in group], 1),
        )
        for name, group in by_name.items()
    ]


def mean_and_spread(values: Sequence[float], digits: int) -> str:
    """Return the mean as text, with the standard deviation if there are several values."""
    mean = f"{statistics.fmean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.{digits}f}"


def likelihood_name(run: Run) -> str:
    """Return the likelihood of a run and the activation of its output, such as "gaussian, sigmoid"."""
    if run.recipe == "pca":
        return "gaussian, linear"
    return {"mse": "gaussian", "bce": "bernoulli"}[run.loss] + f", {run.output}"


def as_json(images: Images, results: Sequence[Result], verdicts: Sequence[Claim]) -> dict[str, object]:
    """Return the content of `results.json`."""
    data = {"name": images.name, "source": images.source, "train": len(images.train), "test": len(images.test)}
    runs = [run_as_json(result) for result in results]
    return {"data": data, "runs": runs, "claims": [verdict._asdict() for verdict in verdicts]}


def run_as_json(result: Result) -> dict[str, object]:
    """Return what `results.json` says of one run."""
    return {
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


def further_as_json(chapters: Mapping[str, Chapter]) -> dict[str, object]:
    """Return what `results.json` says of the chapters of `further`."""
    return {
        name: {
            "models": {
                model: {key: finite(value) for key, value in row.items()} for model, row in chapter.rows.items()
            },
            "claims": [claim._asdict() for claim in chapter.claims],
        }
        for name, chapter in chapters.items()
    }


def finite(value: float) -> float | None:
    """Return the value, or None if it is infinite or NaN, which JSON cannot express."""
    return value if math.isfinite(value) else None
