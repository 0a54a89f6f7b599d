from itertools import product

import numpy as np
import pytest

from isthmus.paper import claims
from isthmus.paper.claim import Source, tally
from isthmus.paper.images import Images
from isthmus.paper.networks import Run
from isthmus.paper.options import Options
from isthmus.paper.results import Result
from isthmus.reports.metrics import ImageQuality

NOTHING = np.empty((0, 2))
NAMES = ["paper-sigmoid-mse", "paper-relu-mse", "paper-sigmoid-bce", "paper-8-4", "isthmus-64", "isthmus-4"]
FULL = Options(20, (42,), quick=False)


def result(
    mse,
    explained=0.9,
    dead=0,
    spread=0.2,
    latent=64,
    by_epoch=(0.006, 0.004, 0.003),
    losses=(0.06,) * 20,
    seed=0,
    name="",
):
    quality = ImageQuality(mse, 0.1, 20.0, explained, dead)
    return Result(
        run=Run(name, "paper", latent, 128, epochs=5, seed=seed),
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
        plane=None,
        findings=(),
    )


def images(name="mnist", rows=60_000):
    pixels = np.zeros((rows, 1), dtype=np.uint8)
    return Images(name, "here", pixels, pixels[:10], np.arange(10), (1, 1), 255.0)


def measured(seed=42, **changed):
    """Results of the size that the reference runs on MNIST have, as a list."""
    found = {
        "paper-sigmoid-mse": result(0.0079, 0.88, losses=claims.PRINTED_LOSSES),
        "paper-relu-mse": result(0.018, 0.73, dead=448),
        "paper-sigmoid-bce": result(0.0071, 0.89),
        "paper-8-4": result(0.0675, 0.0, spread=0.0, latent=4),
        "isthmus-64": result(0.0028, 0.96),
        "isthmus-4": result(0.039, 0.42, latent=4),
        "pca-64": result(0.00905, 0.87),
        "pca-4": result(0.048, 0.28, latent=4),
    } | changed
    return [one._replace(run=Run(name, "paper", one.run.latent, 128, seed=seed)) for name, one in found.items()]


def test_five_of_the_papers_seven_claims_hold():
    found = claims.claims(measured(), images(), FULL)
    of_paper = [claim for claim in found if claim.source is Source.PAPER]
    of_ours = [claim for claim in found if claim.source is Source.ISTHMUS]
    assert tally(of_paper) == ("5 of 7", "")
    assert tally(of_ours) == ("3 of 3", "")
    assert len(found) == 10


@pytest.mark.parametrize(
    ("options", "data", "reason"),
    [
        (Options(3, (42,), quick=True), images(rows=4000), "3 epochs"),
        (Options(1, (42,), quick=False), images(), "1 epoch"),
        (Options(50, (42,), quick=True), images(rows=4000), "a quick run"),
    ],
)
def test_short_and_quick_runs_have_no_verdict_on_networks(options, data, reason):
    found = claims.claims(measured(), data, options)
    assert {claim.verdict for claim in found[2:]} == {f"not judged: {reason}"}
    assert all(claim.not_checked for claim in found) == options.quick


def test_other_images_decide_nothing_about_the_papers():
    found = claims.claims(measured(), images("digits", 1442), FULL)
    withheld = [claim for claim in found if claim.not_checked]
    assert {claim.verdict for claim in withheld} == {"not judged: 1,442 images"}
    assert [claim.source for claim in withheld] == [Source.PAPER] * 5


def test_a_hundredth_of_noise_turns_no_verdict_around():
    base = [claim.holds for claim in claims.claims(measured(), images(), FULL)]
    names = ["paper-sigmoid-mse", "pca-64", "isthmus-4"]
    for factors in product((0.99, 1.01), repeat=3):
        changed = {}
        for name, factor in zip(names, factors, strict=True):
            one = next(r for r in measured() if r.run.name == name)
            changed[name] = one._replace(quality=one.quality._replace(mse=one.quality.mse * factor))
        for before, after in zip(base, claims.claims(measured(**changed), images(), FULL), strict=True):
            assert after.holds in (before, None)


def test_seeds_are_compared():
    results = measured(1) + measured(2, **{"paper-sigmoid-mse": result(0.02, 0.7, losses=claims.PRINTED_LOSSES)})
    found = {claim.claim: claim for claim in claims.claims(results, images(), Options(20, (1, 2), quick=False))}
    better = next(claim for text, claim in found.items() if text.startswith("Being non-linear"))
    assert better.holds is None
    assert "holds with 1 of 2" in better.evidence


def test_dead_outputs_are_reported():
    claim = claims.losses_are_similar(result(0.008), result(0.019, dead=450), result(0.007))
    assert not claim.holds
    assert "450 of 784 pixels (57.4 %)" in claim.evidence
    alike = claims.losses_are_similar(result(0.008), result(0.0085), result(0.0075))
    assert alike.holds
    assert "never recovers" not in alike.evidence


def test_the_mean_image_is_reported():
    claim = claims.four_dimensions_blur(result(0.0675, 0.0, spread=0.0), result(0.05), result(0.039, 0.42))
    assert not claim.holds
    assert "returns the mean image" in claim.evidence
    untrained = claims.four_dimensions_blur(result(0.13, -0.9, spread=0.0), result(0.05), result(0.039, 0.42))
    assert "returns the mean image" not in untrained.evidence
    assert claims.four_dimensions_blur(result(0.04, 0.4), result(0.05), result(0.039)).holds


@pytest.mark.parametrize(
    ("last", "holds"), [(0.0090, True), (0.0081, True), (0.0077, True), (0.01125, None), (0.02, False)]
)
def test_the_printed_losses_hold_when_ours_end_near(last, holds):
    losses = (*claims.PRINTED_LOSSES[:-1], last)
    assert claims.printed_losses(result(0.008, losses=losses)).holds is holds


def bottlenecks(errors):
    results = {f"bottleneck-{k}": result(ours, 1 - 10 * ours, latent=k) for k, (ours, _) in errors.items()}
    return results | {f"bottleneck-pca-{k}": result(pca, latent=k) for k, (_, pca) in errors.items()}


def test_the_bottleneck_in_words():
    text = claims.bottleneck_summary(
        bottlenecks({2: (0.04, 0.05), 8: (0.02, 0.03), 32: (0.008, 0.015), 64: (0.0078, 0.007)})
    )
    assert "greatest with 32 numbers: 46.7 % less error" in text
    assert "From 32 numbers on, a larger code brings little: 92.0 % of the variance is explained" in text
    assert "the next size adds 0.2 points" in text
    assert "After the 5 epochs that these runs had, PCA is ahead with 64 numbers." in text


def test_no_gain_is_no_gain():
    text = claims.bottleneck_summary(bottlenecks({2: (0.05, 0.05), 8: (0.04, 0.03)}))
    assert "gain" not in text
    assert "PCA is ahead with 8 numbers." in text
