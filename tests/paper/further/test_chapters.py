"""Every chapter, on scikit-learn's digits with few epochs."""

import json
import math

import numpy as np
import pytest
import torch

from isthmus.core import jacobian
from isthmus.data import load_dataset
from isthmus.paper.further import CHAPTERS, contraction, denoising, linear, sparsity, variational
from isthmus.paper.further.chapter import MSE, SECONDS, Column, cell, held_out_error, paper_recipe, training_error
from isthmus.paper.images import images_of
from isthmus.paper.networks import wide_sizes
from isthmus.paper.tables import further_as_json
from isthmus.reports.metrics import image_quality


@pytest.fixture(scope="module")
def digits():
    return images_of(load_dataset("digits")).first(400)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_is_complete(name, digits):
    chapter = CHAPTERS[name](digits, 2, 0)
    assert chapter.title
    assert all(paragraph.endswith(".") for paragraph in chapter.paragraphs)
    assert all(len(row) == 1 + len(chapter.columns) for _, row in chapter.cells)
    assert all(set(values) <= {column.heading for column in chapter.columns} for values in chapter.rows.values())
    assert all(whose for whose, (name, *_) in chapter.cells if name != denoising.GIVEN)
    assert all(math.isfinite(value) for values in chapter.rows.values() for value in values.values())
    pictures = [*chapter.pictures, *(plane.picture for plane in chapter.planes)]
    assert pictures
    assert all(picture.png().startswith(b"\x89PNG") and picture.caption.endswith(".") for picture in pictures)
    assert all(finding.network in chapter.rows and finding.text.endswith(".") for finding in chapter.findings)
    assert chapter.claims
    assert all(claim.evidence.endswith(".") for claim in chapter.claims)
    assert set(json.loads(json.dumps(further_as_json({name: chapter}), allow_nan=False))[name]) == {
        "models",
        "claims",
        "findings",
    }


def test_the_notebooks_ratio_differs_by_a_constant():
    random = np.random.default_rng(0)
    clean, restored = random.random((2, 50, 784))
    difference = denoising.notebook_psnr(clean, restored) - image_quality(clean, restored).psnr
    assert difference == pytest.approx(20 * math.log10(255) - 10 * math.log10(784))


def test_noise_stays_between_black_and_white(digits):
    rows = denoising.noisy(digits, 0.5, 0)
    assert (rows.min(), rows.max()) == (0, 1)
    assert np.array_equal(rows, denoising.noisy(digits, 0.5, 0))


def test_singular_values_are_those_of_the_jacobian(digits):
    models = contraction.models(digits, 1, 0)
    with pytest.warns(UserWarning, match="is not smaller than"):
        model = models[contraction.PLAIN].fit(digits.train)
    x = torch.from_numpy(digits.bright(digits.test))
    exact = jacobian.exact(lambda rows: model.network_.encode(rows).mean, x).detach()
    squares = np.square(contraction.singular_values(model, digits)).sum(1)
    torch.testing.assert_close(torch.from_numpy(squares), exact[: contraction.JACOBIANS])
    assert contraction.jacobian_norm(model, digits) == pytest.approx(float(exact.mean()), rel=1e-4)


def test_the_linear_autoencoder_spans_the_plane_of_pca(digits):
    chapter = linear.study(digits, 1, 0)
    assert [claim.holds for claim in chapter.claims] == [True, True]
    assert chapter.rows[linear.BEFORE][linear.LARGEST] > 1


@pytest.mark.filterwarnings("ignore:.* units of TopK are dead:isthmus.TrainingWarning")
def test_all_units_together_are_the_reconstruction(digits):
    model = sparsity.models(digits, 1, 0)[sparsity.K_SPARSE].fit(digits.train)
    shown = sparsity.by_strongest_units(model, digits, model.code.k)
    chosen = shown["original"]
    assert list(shown)[-1] == f"{model.code.k} units"
    np.testing.assert_allclose(list(shown.values())[-1], model.reconstruct(chosen).clip(0, 1), atol=1e-5)


def test_errors_are_read_off_the_history(digits):
    model = paper_recipe(digits, 3, 0).fit(digits.train)
    assert training_error(model, digits) == pytest.approx(held_out_error(model, digits), rel=0.2)
    hidden, latent = wide_sizes(digits)
    assert latent < hidden < digits.pixels


def test_cells_have_the_decimal_places_of_their_column():
    values = {MSE.heading: 0.0123456, SECONDS.heading: 0.01, "units": 1000}
    columns = [MSE, SECONDS, Column("units", 0), Column("missing", 1)]
    assert [cell(values, column) for column in columns] == ["0.01235", "<0.1", "1,000", "–"]


def copying(test_mse, lost, norms=(20.0, 2.0, 3.0), moved=(1.0, 0.5, 0.4)):
    names = (contraction.PLAIN, contraction.NOTEBOOK, contraction.TIED)
    return {
        name: {MSE.heading: test_mse, contraction.LOST: lost, contraction.NORM: norm, contraction.MOVED: share}
        for name, norm, share in zip(names, norms, moved, strict=True)
    }


def test_only_a_small_error_is_nothing_lost():
    copies, _ = contraction.verdicts(copying(0.0013, 1.9))
    assert copies.holds is True
    assert "Almost nothing is lost" in copies.evidence
    fails, _ = contraction.verdicts(copying(0.05322, 78.9))
    assert fails.holds is False
    assert "0.05322, 78.9 % of the variance" in fails.evidence
    assert "lmost nothing" not in fails.evidence


def activities(penalised, never=0):
    rows = {
        name: {sparsity.UNITS: 1000, sparsity.ON: 25.0, sparsity.NEVER: never, sparsity.ACTIVITY: 5.0}
        for name in (sparsity.PLAIN, *sparsity.SPARSE)
    }
    rows[sparsity.PENALISED] |= {sparsity.ACTIVITY: penalised}
    return rows


@pytest.mark.parametrize(
    ("penalised", "never", "holds"), [(6.0, 3, True), (0.1, 3, False), (30.0, 3, False), (5.0, 1000, False)]
)
def test_units_that_are_never_on_are_not_sparse_but_dead(penalised, never, holds):
    claim = sparsity.sparsity_is_reached(activities(penalised, never), 25)
    assert claim.holds is holds
    assert f"{never:,} of 1,000 units (sparse)" in claim.evidence


def test_all_ten_digits_are_interpolated():
    assert sorted(digit for pair in variational.PAIRS for digit in pair) == list(range(10))
