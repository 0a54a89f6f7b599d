"""The numbers as data: the content of `results.json` and the rows of the report's tables."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from isthmus.paper import numbers
from isthmus.paper.claim import Claim
from isthmus.paper.colours import Whose
from isthmus.paper.further import Chapter
from isthmus.paper.images import Images
from isthmus.paper.networks import Run
from isthmus.paper.numbers import mean_and_spread
from isthmus.paper.results import Result


class TableRow(NamedTuple):
    """One line of the table of runs: each measure as text, the mean over the seeds with its standard deviation."""

    name: str
    whose: Whose
    network: str
    widths: str
    epochs: str
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
    return [row(group) for group in by_name.values()]


def row(group: Sequence[Result]) -> TableRow:
    """Return the row of the results of one run name, one per seed."""
    run = group[0].run
    return TableRow(
        name=run.name,
        whose=run.recipe,
        network=title(run),
        widths="-".join(map(str, group[0].widths)),
        epochs=str(run.epochs or "–"),
        train=mean_and_spread([result.train_loss[-1] for result in group], numbers.ERROR),
        mse=mean_and_spread([result.quality.mse for result in group], numbers.ERROR),
        bce=mean_and_spread([result.quality.bce for result in group], numbers.ENTROPY),
        psnr=mean_and_spread([result.quality.psnr for result in group], numbers.DECIBELS),
        explained=mean_and_spread([100 * result.quality.explained_variance for result in group], numbers.PERCENT),
        dead=mean_and_spread([result.quality.dead_outputs for result in group], 0),
        seconds=time_of(group),
    )


def time_of(group: Sequence[Result]) -> str:
    """Return the seconds of training as text."""
    times = [result.seconds for result in group]
    return numbers.seconds(times[0]) if len(times) == 1 else mean_and_spread(times, numbers.SECONDS)


def title(run: Run) -> str:
    """Return the name of a run as the report shows it."""
    if run.recipe == "paper":
        small = run.name == "paper-8-4"
        output = {"sigmoid": "sigmoid", "relu": "ReLU"}[run.output]
        return f"paper, {'8-4, ' * small}{output} + {run.loss.upper()}"
    return f"{'PCA' if run.recipe == 'pca' else 'isthmus'}, {numbers.counted(run.latent, 'number')}"


def likelihood_name(run: Run) -> str:
    """Return the likelihood of a run and the activation of its output, such as "gaussian, sigmoid"."""
    if run.recipe == "pca":
        return "gaussian, linear"
    return {"mse": "gaussian", "bce": "bernoulli"}[run.loss] + f", {run.output}"


def as_json(images: Images, results: Sequence[Result], verdicts: Sequence[Claim]) -> dict[str, object]:
    """Return the content of `results.json`."""
    data = {"name": images.name, "source": images.whence, "train": len(images.train), "test": len(images.test)}
    runs = [run_as_json(result) for result in results]
    return {"data": data, "runs": runs, "claims": [claim_as_json(verdict) for verdict in verdicts]}


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
        "findings": list(result.findings),
    }


def claim_as_json(claim: Claim) -> dict[str, object]:
    """Return what `results.json` says of a claim; `holds` is null if there is no verdict."""
    return {
        "claim": claim.claim,
        "source": claim.source.value,
        "holds": claim.holds,
        "verdict": claim.verdict,
        "evidence": claim.evidence,
    }


def further_as_json(chapters: Mapping[str, Chapter]) -> dict[str, object]:
    """Return what `results.json` says of the chapters of `further`."""
    return {
        name: {
            "models": {
                model: {key: finite(value) for key, value in row.items()} for model, row in chapter.rows.items()
            },
            "claims": [claim_as_json(claim) for claim in chapter.claims],
            "findings": [finding._asdict() for finding in chapter.findings],
        }
        for name, chapter in chapters.items()
    }


def finite(value: float) -> float | None:
    """Return the value, or None if it is infinite or NaN, which JSON cannot express."""
    return value if math.isfinite(value) else None
