import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from isthmus.data.holes import filled, with_holes

IMAGES = np.arange(24.0).reshape(2, 3, 4)
COLOURS = np.arange(48.0).reshape(2, 3, 4, 2)


def test_hidden_cells_are_missing_and_the_others_as_they_are():
    mask = np.random.default_rng(0).random(IMAGES.shape) < 0.5
    holed = with_holes(IMAGES, mask)
    np.testing.assert_array_equal(np.isnan(holed), mask)
    np.testing.assert_array_equal(holed[~mask], IMAGES[~mask])


@pytest.mark.parametrize(
    ("rows", "mask", "whole"),
    [
        (IMAGES, np.eye(3, 4, dtype=bool), np.eye(3, 4, dtype=bool)[None]),
        (COLOURS, np.eye(3, 4, dtype=bool), np.eye(3, 4, dtype=bool)[None, ..., None]),
        (COLOURS, IMAGES > 7, (IMAGES > 7)[..., None]),
        (IMAGES, np.array([[[True]], [[False]]]), np.array([[[True]], [[False]]])),
    ],
    ids=["all images", "all images and channels", "all channels", "one image"],
)
def test_masks_broadcast(rows, mask, whole):
    np.testing.assert_array_equal(np.isnan(with_holes(rows, mask)), np.broadcast_to(whole, rows.shape))


@pytest.mark.parametrize(
    ("dtype", "kept"), [("uint8", "float32"), ("int64", "float64"), ("float32", "float32"), ("bool", "float32")]
)
def test_the_number_type_holds_every_value(dtype, kept):
    rows = np.ones((2, 3), dtype=dtype)
    assert with_holes(rows, np.array([True, False, False])).dtype == kept
    assert rows.all()


def test_filling_restores_what_was_hidden():
    mask = IMAGES % 3 == 0
    np.testing.assert_array_equal(filled(with_holes(IMAGES, mask), with_holes(IMAGES, mask), IMAGES), IMAGES)


def test_values_are_brought_into_the_number_type():
    rows, mask = np.array([[0, 7, 0, 0]], dtype=np.uint8), np.array([True, False, True, True])
    back = filled(rows, with_holes(rows, mask), np.array([[2.6, 100, 300, -4]]))
    np.testing.assert_array_equal(back, np.array([[3, 7, 255, 0]], dtype=np.uint8))
    truths = np.array([[True, False]])
    assert filled(truths, with_holes(truths, np.ones(2, dtype=bool)), np.array([[0.4, 0.6]])).tolist() == [
        [False, True]
    ]


@pytest.mark.parametrize(
    ("rows", "mask", "message"),
    [
        (IMAGES, np.ones((3, 4)), r"mask must hold booleans, .* got float64: give mask.astype\(bool\)"),
        (IMAGES, np.ones((4, 3), dtype=bool), r"mask must have the shape \(2, 3, 4\) of X, .* got \(4, 3\)"),
        (pd.DataFrame({"a": [1.0]}), np.ones((1, 1), dtype=bool), "X is a DataFrame: give an array"),
        (scipy.sparse.csr_array(np.eye(2)), np.eye(2, dtype=bool), "X is a csr_array"),
        ("rows.npy", np.eye(2, dtype=bool), "X is of type str"),
    ],
    ids=["numbers", "shape", "frame", "sparse", "path"],
)
def test_what_is_wrong_is_named(rows, mask, message):
    with pytest.raises(ValueError, match=message):
        with_holes(rows, mask)
