"""Every chapter, on scikit-learn's digits with few epochs."""

import json
import math

import numpy as np
import pytest
import torch

from isthmus.core import jacobian
from isthmus.data import load_dataset
from isthmus.paper.further import CHAPTERS, contraction, denoising, linear, sparsity
from isthmus.paper.further.chapter import (
    held_out_error,
    number,
    paper_recipe,
    training_error,
)
from isthmus.paper.images import images_of
from isthmus.paper.networks import wide_sizes
from isthmus.paper.tables import further_as_json
from isthmus.reports.metrics import image_quality

# Too few epochs leave dead units.
pytestmark = pytest.mark.filterwarnings("ignore::isthmus.TrainingWarning")


@pytest.fixture(scope="module")
def digits():
    return images_of(load_dataset("digits")).first(400)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_is_complete(name, digits):
    chapter = CHAPTERS[name](digits, 2, 0)
    assert chapter.title
    assert all(paragraph.endswith(".") for paragraph in chapter.paragraphs)
    assert all(len(row) == len(chapter.columns) for row in chapter.cells)
    assert all(set(values) <= set(chapter.columns) for values in chapter.rows.values())
    assert all(math.isfinite(value) for values in chapter.rows.values() for value in values.values())
    assert chapter.pictures
    assert all(picture.png.startswith(b"\x89PNG") and picture.caption.endswith(".") for picture in chapter.pictures)
    assert chapter.claims
    assert all(claim.evidence.endswith(".") for claim in chapter.claims)
    assert set(json.loads(json.dumps(further_as_json({name: chapter}), allow_nan=False))[name]) == {"models", "claims"}


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
    assert chapter.rows[linear.BEFORE]["largest angle, °"] > 1


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


def test_numbers_have_four_digits_or_all():
    assert [number(value) for value in (1068820, 0.0123456, 142.759)] == ["1,068,820", "0.01235", "142.8"]
