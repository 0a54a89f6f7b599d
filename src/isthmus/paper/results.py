"""`Result`: what is known of a fitted run."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from isthmus.paper.images import Images, digit_rows
from isthmus.paper.networks import Run
from isthmus.paper.plane import Plane
from isthmus.reports.metrics import ImageQuality, image_quality


class Result(NamedTuple):
    """The measurements of one run on the test images; F pixels."""

    run: Run
    widths: list[int]
    init: str
    train_loss: list[float]
    """Training loss per pixel by epoch: the mean over the batches (the geometric mean if the variance is optimal).

    PCA has no epochs; its only entry is the training error of the closed form.
    """
    test_mse_by_epoch: list[float]
    """Test error per pixel; the first entry is before training."""
    quality: ImageQuality
    clipped_mse: float
    """Test error after clipping the reconstructions to [0, 1]."""
    seconds: float
    shown: np.ndarray
    """(10, F) reconstructions of the first test images of the digits 0 to 9."""
    spread: float
    """Standard deviation of the reconstructions around their mean, averaged over the pixels."""
    filters: np.ndarray
    """(hidden, F) weights of the first layer."""
    plane: Plane | None
    """The plane of codes if a code has two numbers."""
    findings: Sequence[str]
    """What the checks after the fit said, in sentences."""


def measured(
    run: Run,
    images: Images,
    reconstructions: np.ndarray,
    *,
    init: str,
    train_loss: list[float],
    test_mse_by_epoch: list[float],
    seconds: float,
    filters: np.ndarray,
    plane: Plane | None,
    findings: Sequence[str] = (),
) -> Result:
    """Return the result of a run whose reconstructions (n, F) of the test images have grey levels around [0, 1]."""
    test = images.bright(images.test)
    return Result(
        run=run,
        widths=run.widths(images.pixels),
        init=init,
        train_loss=train_loss,
        test_mse_by_epoch=test_mse_by_epoch,
        quality=image_quality(test, reconstructions),
        clipped_mse=float(np.square(test - reconstructions.clip(0, 1)).mean()),
        seconds=seconds,
        shown=reconstructions[digit_rows(images)],
        spread=float(reconstructions.std(axis=0).mean()),
        filters=filters,
        plane=plane,
        findings=findings,
    )


def wide_result(results: Mapping[str, Result]) -> Result:
    """Return our run at the paper's larger size; `results` holds one result per run name."""
    return next(result for name, result in results.items() if name.startswith("isthmus-") and name != "isthmus-4")


def bottleneck_results(results: Mapping[str, Result], prefix: str = "bottleneck-") -> list[Result]:
    """Return the bottleneck runs with that prefix ("bottleneck-" or "bottleneck-pca-"), by increasing code size."""
    found = [r for name, r in results.items() if name.startswith(prefix) and name.removeprefix(prefix).isdigit()]
    return sorted(found, key=lambda result: result.run.latent)


def by_seed(results: Sequence[Result]) -> list[dict[str, Result]]:
    """Return one result per run name for each seed; what has run with one seed only is the same in all of them."""
    found: dict[int, dict[str, Result]] = {}
    for result in results:
        if result.run.name == "paper-sigmoid-mse":
            found[result.run.seed] = {}
    first = {result.run.name: result for result in reversed(results)}
    for seed, of_seed in found.items():
        of_seed |= first | {result.run.name: result for result in results if result.run.seed == seed}
    return list(found.values())
