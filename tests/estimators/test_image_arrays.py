"""Images as arrays: the same model as of flat rows, and results in the shape of what was given."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from isthmus import AnomalyDetector, AutoEncoder, Imputer, load, zoo

pytestmark = pytest.mark.filterwarnings("ignore::isthmus.TrainingWarning")
GREY = load_digits().images[:300]
BYTES = (15 * GREY).astype(np.uint8)
COLOUR = np.stack([BYTES, BYTES // 2, 255 - BYTES], axis=-1)
GAPS = np.where(np.random.default_rng(0).random(GREY.shape) < 0.1, np.nan, GREY)


def flat(images):
    return images.reshape(len(images), -1)


def short(make=AutoEncoder, **settings):
    return make(latent=3, epochs=1, random_state=0, **settings)


@pytest.mark.parametrize("images", [GREY, BYTES, COLOUR, COLOUR / np.float32(255), GAPS], ids=lambda x: str(x.dtype))
def test_dense_networks_give_the_numbers_of_flat_rows(images, tmp_path):
    ours, theirs = short().fit(images), short().fit(flat(images))
    assert ours.n_features_in_ == flat(images).shape[1]
    np.testing.assert_array_equal(ours.transform(images), theirs.transform(flat(images)))
    np.testing.assert_array_equal(ours.score_samples(images), theirs.score_samples(flat(images)))
    rebuilt = ours.reconstruct(images)
    assert rebuilt.shape == images.shape
    np.testing.assert_array_equal(flat(rebuilt), theirs.reconstruct(flat(images)))
    np.testing.assert_array_equal(ours.reconstruct(flat(images)), flat(rebuilt))
    assert ours.inverse_transform(ours.transform(images)).shape == images.shape
    ours.save(tmp_path / "model.isthmus")
    np.testing.assert_array_equal(load(tmp_path / "model.isthmus").reconstruct(images), rebuilt)


@pytest.mark.parametrize("images", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("make", [zoo.convolutional, zoo.convolutional_variational])
def test_convolutional_parts_take_the_shape(make, images):
    ours = short(make).fit(images)
    theirs = short(make, shape=images.shape[1:]).fit(flat(images))
    assert ours.model_.composition.encoder.shape == images.shape[1:]
    assert ours.get_params()["encoder__shape"] is None
    np.testing.assert_array_equal(ours.transform(images), theirs.transform(flat(images)))
    by_name = short(encoder="convolutional").fit(images)
    assert by_name.reconstruct(images).shape == images.shape
    with pytest.raises(ValueError, match=r"the images of X have the shape \(8, 8.*: leave shape out"):
        short(make, shape=(4, 16)).fit(images)


def test_draws_and_lines_are_images():
    model = short(zoo.variational).fit(GREY)
    assert model.sample(5, random_state=0).shape == (5, 8, 8)
    assert model.interpolate(GREY[0], GREY[1], 4).shape == (4, 8, 8)
    assert model.interpolate(GREY[:2], GREY[2:4], 4).shape == (2, 4, 8, 8)
    assert model.score_columns(GREY[:2]).shape == (2, 64)
    np.testing.assert_array_equal(model.interpolate(GREY[0], GREY[1], 4)[0], model.reconstruct(GREY[:1])[0])


def test_files_and_batches(tmp_path):
    np.save(tmp_path / "images.npy", COLOUR)
    from_file = short().fit(tmp_path / "images.npy")
    np.testing.assert_array_equal(from_file.transform(COLOUR), short().fit(COLOUR).transform(COLOUR))
    assert from_file.reconstruct(tmp_path / "images.npy").shape == COLOUR.shape
    batches = short().fit(lambda: (GREY[start : start + 100] for start in (0, 100, 200)))
    assert batches.partial_fit(GREY[:50]).reconstruct(GREY).shape == GREY.shape
    written = batches.write(GREY, tmp_path / "rebuilt.parquet", what="reconstruct")
    assert written.exists()


def test_other_shapes_are_refused():
    model = short().fit(GREY)
    for method in (model.transform, model.partial_fit, model.reconstruct):
        with pytest.raises(ValueError, match=r"X holds images of the shape \(4, 8\), and AutoEncoder was fitted on"):
            method(GREY[:, :4])
        with pytest.raises(ValueError, match=r"X is one image of the shape \(8, 8\).*give X\[None\]"):
            method(GREY[0])
    with pytest.raises(ValueError, match=r"fitted on flat rows of 64 numbers: give X\.reshape\(len\(X\), -1\)"):
        short().fit(flat(GREY)).transform(GREY)


@pytest.mark.parametrize(
    "settings",
    [{"method": "mahalanobis"}, {"estimator": short(zoo.convolutional)}, {"method": "residual"}],
    ids=["mahalanobis", "convolutional", "residual"],
)
def test_detectors(settings, tmp_path):
    detector = AnomalyDetector("clean", random_state=0, **settings).fit(GREY)
    odd = GREY[:3].copy()
    odd[1, 0, 0] = 16.0
    explained = detector.explain(odd)
    assert explained.expected.shape == odd.shape
    assert explained.map().shape == odd.shape
    np.testing.assert_array_equal(explained.map(), explained.map((8, 8)))
    assert len(explained.frame()) == 3 * 64
    assert len(detector.report(odd, 2)) == 2
    detector.save(tmp_path / "detector.isthmus")
    again = load(tmp_path / "detector.isthmus")
    np.testing.assert_array_equal(again.score_samples(odd), detector.score_samples(flat(odd)))
    assert again.explain(odd).map().shape == odd.shape
    with pytest.raises(ValueError, match="give the shape of the images"):
        AnomalyDetector("clean", "mahalanobis").fit(flat(GREY)).explain(flat(odd)).map()


def test_an_imputer_fills_missing_pixels(tmp_path):
    images = GAPS[:, 2:5, 2:6]
    imputer = Imputer(short(), members=1, random_state=0).fit(images)
    filled = imputer.transform(images)
    assert filled.shape == images.shape
    seen = ~np.isnan(images)
    np.testing.assert_array_equal(filled[seen], images[seen])
    imputer.save(tmp_path / "imputer.isthmus")
    np.testing.assert_array_equal(load(tmp_path / "imputer.isthmus").transform(images), filled)
    np.testing.assert_array_equal(imputer.transform(flat(images)), flat(filled))
