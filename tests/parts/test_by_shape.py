import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

from isthmus import AutoEncoder, Blocks, ByShape, Convolutional, Dense, Masking, load

X = load_digits().data[:300]


def model(**settings):
    holes = ByShape(Masking(0.3, mark=True), Blocks())
    layers = ByShape(Dense((16,)), Convolutional(channels=(4,)))
    return AutoEncoder(8, encoder=layers, corruption=holes, epochs=1, random_state=0, **settings)


def parts(fitted):
    composition = fitted.fitted_model().composition
    return composition.encoder, composition.corruption


@pytest.mark.parametrize("rows", [X, X.reshape(-1, 8, 8)], ids=["flat", "images"])
def test_images_get_the_part_for_images(rows):
    encoder, corruption = parts(model().fit(rows))
    assert (encoder.shape, corruption.shape) == ((8, 8), (8, 8))


def test_rows_of_columns_get_the_part_for_these():
    order = np.random.default_rng(0).permutation(64)
    encoder, corruption = parts(model().fit(X[:, order]))
    assert encoder.build_encoder(64, 8).weights[0].shape == (16, 64)
    assert corruption.build(64).rate == 0.3


def test_nested_parameters_clones_and_files(tmp_path):
    ae = model().set_params(encoder__rows__hidden=(20,), corruption__images__strokes=0)
    assert ae.encoder.rows.hidden == (20,)
    fitted = clone(ae).fit(X)
    assert parts(fitted)[1].strokes == 0
    fitted.save(tmp_path / "model.isthmus")
    np.testing.assert_array_equal(load(tmp_path / "model.isthmus").transform(X), fitted.transform(X))


def test_a_part_for_another_slot_is_refused():
    with pytest.raises(ValueError, match="corruption must have build"):
        ByShape(Dense(), Blocks()).build(4)
