"""Missing and hidden cells of images: what the network sees of them, and what comes back."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from isthmus import AutoEncoder, Poisson, load, zoo

IMAGES = load_digits().images
TRAIN, TEST = IMAGES[:1200], IMAGES[1200:1300]
HOLE = np.zeros((8, 8), dtype=bool)
HOLE[2:5, 2:6] = True
MASK = np.random.default_rng(0).random(TEST.shape) < 0.3
SHORT = {"epochs": 2, "random_state": 0}
PRESETS = {
    "masked": lambda: zoo.masked(32, channels=(8, 16), **SHORT),
    "masked, flat": lambda: zoo.masked(32, channels=(8, 16), **SHORT),
    "convolutional": lambda: zoo.convolutional(latent=8, channels=(8, 16), **SHORT),
    "convolutional_variational": lambda: zoo.convolutional_variational(latent=8, channels=(8, 16), **SHORT),
    "denoising": lambda: zoo.denoising(16, hidden=(32,), **SHORT),
    "dense": lambda: AutoEncoder(8, (32,), **SHORT),
    "bernoulli": lambda: AutoEncoder(8, (32,), likelihood="bernoulli", scale="global", **SHORT),
}
FITTED = {}


@pytest.fixture(params=PRESETS)
def fitted(request):
    """Return a fitted model with the test images and the mask in the shape that it takes."""
    name = request.param
    flat = name.endswith("flat")
    if name not in FITTED:
        FITTED[name] = PRESETS[name]().fit(TRAIN.reshape(len(TRAIN), -1) if flat else TRAIN)
    shape = (len(TEST), 64) if flat else TEST.shape
    return FITTED[name], TEST.reshape(shape), MASK.reshape(shape)


pytestmark = pytest.mark.filterwarnings("ignore::isthmus.TrainingWarning")


def test_missing_is_what_hidden_is(fitted):
    model, rows, mask = fitted
    back = model.reconstruct(rows, mask)
    assert back.shape == rows.shape
    assert np.isfinite(back).all()
    np.testing.assert_array_equal(back, model.reconstruct(np.where(mask, np.nan, rows)))


def test_values_under_the_mask_do_not_matter(fitted):
    model, rows, mask = fitted
    other = np.where(mask, 1e9, rows)
    np.testing.assert_array_equal(model.reconstruct(rows, mask), model.reconstruct(other, mask))


def test_a_mask_that_hides_nothing_changes_nothing(fitted):
    model, rows, mask = fitted
    np.testing.assert_array_equal(model.reconstruct(rows, np.zeros_like(mask)), model.reconstruct(rows))


def test_filling_keeps_what_is_seen_and_takes_the_rest_from_the_reconstruction(fitted):
    model, rows, mask = fitted
    filled = model.fill(rows, mask)
    np.testing.assert_array_equal(filled[~mask], rows[~mask])
    np.testing.assert_array_equal(filled[mask], model.reconstruct(rows, mask)[mask])
    np.testing.assert_array_equal(model.fill(np.where(mask, np.nan, rows)), filled)


def test_a_row_does_not_depend_on_the_others(fitted):
    model, rows, mask = fitted
    whole = model.reconstruct(rows, mask)
    np.testing.assert_array_equal(model.reconstruct(rows[7:8], mask[7:8]), whole[7:8])
    some = np.where(np.arange(len(rows)).reshape(-1, *[1] * (rows.ndim - 1)) == 7, mask, False)
    np.testing.assert_array_equal(model.reconstruct(rows, some)[7], whole[7])


def test_missing_pixels_contribute_nothing_to_scores(fitted):
    model, rows, mask = fitted
    holed = np.where(mask, np.nan, rows)
    columns = model.score_columns(holed)
    np.testing.assert_array_equal(columns[mask.reshape(len(mask), -1)], 0)
    np.testing.assert_allclose(columns.sum(1), model.score_samples(holed), rtol=1e-5)
    assert np.isfinite(model.transform(holed)).all()
    assert np.isfinite(model.reconstruction_error(holed)).all()


def test_whole_numbers_stay_whole(fitted):
    model, rows, mask = fitted
    filled = model.fill(rows.astype(np.uint8), mask)
    assert filled.dtype == np.uint8
    np.testing.assert_array_equal(filled[~mask], rows[~mask])


def test_one_mask_hides_the_same_pixels_of_all_images():
    model = PRESETS["masked"]().fit(TRAIN)
    whole = np.broadcast_to(HOLE, TEST.shape)
    np.testing.assert_array_equal(model.fill(TEST, HOLE), model.fill(TEST, whole))


def test_files_keep_what_is_seen_of_holes(tmp_path):
    model = PRESETS["masked"]().fit(TRAIN)
    model.save(tmp_path / "model.isthmus")
    np.testing.assert_array_equal(load(tmp_path / "model.isthmus").fill(TEST, MASK), model.fill(TEST, MASK))


def test_holes_are_filled_better_than_by_the_mean_and_by_principal_components():
    errors = {}
    for name, model in (
        ("masked", zoo.masked(64, channels=(16, 32), epochs=15, random_state=0)),
        ("plain", AutoEncoder(16, epochs=15, random_state=0)),
    ):
        filled = model.fit(TRAIN).fill(TEST, HOLE)
        errors[name] = np.mean((filled - TEST)[:, HOLE] ** 2)
    mean = np.mean((TRAIN.mean(0) - TEST)[:, HOLE] ** 2)
    assert errors["masked"] < 0.6 * mean
    assert errors["masked"] < 0.8 * errors["plain"]


def test_the_floor_is_a_normal_distribution_given_what_is_seen():
    model = zoo.masked(32, channels=(8, 16), **SHORT).fit(TRAIN)
    assert model.floor_.method == "Gaussian of 32"
    assert model.floor_.error < 0.7 * model.floor_.variance


@pytest.mark.filterwarnings("ignore:column .* (is ignored|held zeros and ones):UserWarning")
def test_images_with_missing_pixels_in_fit_are_tables_of_columns():
    holed = np.where(np.random.default_rng(1).random(TRAIN.shape) < 0.1, np.nan, TRAIN)
    model = zoo.masked(16, hidden=(32,), **SHORT).fit(holed)
    filled = model.fill(TEST, MASK)
    np.testing.assert_array_equal(filled[~MASK], TEST[~MASK])
    assert np.isfinite(filled[:, HOLE]).all()


def test_counts_take_no_holes():
    counts = np.random.default_rng(0).poisson(3.0, (200, 5, 5))
    model = AutoEncoder(2, likelihood=Poisson(), **SHORT).fit(counts)
    with pytest.raises(ValueError, match="NaN"):
        model.reconstruct(counts, np.ones((5, 5), dtype=bool))


def test_flat_rows_of_a_convolutional_network_take_a_mask_but_no_gaps():
    rows = TRAIN.reshape(len(TRAIN), -1)
    model = zoo.convolutional((8, 8), 4, (8,), **SHORT).fit(rows)
    holed = np.where(HOLE.ravel(), np.nan, rows[:5])
    with pytest.raises(ValueError, match=r"mask=numpy.isnan\(X\)"):
        model.reconstruct(holed)
    np.testing.assert_array_equal(model.fill(holed, np.isnan(holed)), model.fill(rows[:5], HOLE.ravel()))
