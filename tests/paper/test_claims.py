import numpy as np
import pytest

from isthmus.paper import claims
from isthmus.paper.networks import Run
from isthmus.paper.results import Result
from isthmus.reports.metrics import ImageQuality

NOTHING = np.empty((0, 2))


def result(mse, explained=0.9, dead=0, spread=0.2, latent=64, by_epoch=(0.006, 0.004, 0.003), losses=(0.06,) * 20):
    quality = ImageQuality(mse, 0.1, 20.0, explained, dead)
    run = Run("", "paper", latent, 128)
    return Result(
        run=run,
        widths=[784, 128, latent, 128, 784],
        init="pca (exact)",
        train_loss=list(losses),
        test_mse_by_epoch=list(by_epoch),
        quality=quality,
        clipped_mse=mse,
        seconds=1.0,
        shown=NOTHING,
        spread=spread,
        filters=NOTHING,
        codes=NOTHING,
    )


def test_dead_outputs_are_reported():
    claim = claims.losses_are_similar(result(0.008), result(0.019, dead=450), result(0.007))
    assert not claim.holds
    assert "450 of 784 pixels (57%)" in claim.evidence
    assert claims.losses_are_similar(result(0.008), result(0.0085), result(0.0075)).holds


def test_the_mean_image_is_reported():
    claim = claims.four_dimensions_blur(result(0.0675, 0.0, spread=0.0), result(0.05), result(0.039, 0.42))
    assert not claim.holds
    assert "returns the mean image" in claim.evidence
    untrained = claims.four_dimensions_blur(result(0.13, -0.9, spread=0.0), result(0.05), result(0.039, 0.42))
    assert "returns the mean image" not in untrained.evidence
    assert claims.four_dimensions_blur(result(0.04, 0.4), result(0.05), result(0.039)).holds


def test_the_printed_losses_are_a_claim_on_whole_mnist_only():
    names = ["paper-sigmoid-mse", "paper-relu-mse", "paper-sigmoid-bce", "paper-8-4", "isthmus-64", "isthmus-4"]
    results = {name: result(0.008) for name in [*names, "pca-64", "pca-4"]}
    printed = [claim for claim in claims.claims(results, whole_mnist=True) if "0.0602" in claim.claim]
    assert len(printed) == 1
    assert not printed[0].holds
    assert not [claim for claim in claims.claims(results, whole_mnist=False) if "0.0602" in claim.claim]


@pytest.mark.parametrize(("last", "holds"), [(0.0090, True), (0.0081, True), (0.02, False)])
def test_the_printed_losses_hold_when_ours_end_near(last, holds):
    losses = (*claims.PRINTED_LOSSES[:-1], last)
    assert claims.printed_losses(result(0.008, losses=losses)).holds is holds


def test_the_bottleneck_in_words():
    errors = {2: (0.04, 0.05), 8: (0.02, 0.03), 32: (0.008, 0.015), 64: (0.0078, 0.007)}
    results = {f"bottleneck-{k}": result(ours, 1 - 10 * ours, latent=k) for k, (ours, _) in errors.items()}
    results |= {f"bottleneck-pca-{k}": result(pca, latent=k) for k, (_, pca) in errors.items()}
    text = claims.bottleneck_summary(results)
    assert "greatest at 32 numbers, with 47% less error" in text
    assert "From 32 numbers on, a larger code brings little: 92.0% of the variance is explained" in text
    assert "the next size adds 0.2 points" in text
    assert "PCA is ahead at 64 numbers." in text
