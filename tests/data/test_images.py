import numpy as np
import pytest
import torch

from isthmus.data.images import dimensions, flattened, in_shape, refuse_one_image, refuse_other_shape
from isthmus.data.schema import TableSchema

GREY = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
COLOUR = np.random.default_rng(0).random((5, 4, 6, 3)).astype(np.float32)


@pytest.mark.parametrize("images", [GREY, COLOUR, GREY[:0], COLOUR[..., :1]], ids=lambda images: str(images.shape))
def test_rows_are_pixels_in_memory_order(images):
    rows, shape = flattened(images)
    assert shape == images.shape[1:]
    assert rows.dtype == images.dtype
    assert np.shares_memory(rows, images) or not images.size
    for row, image in zip(rows, images, strict=True):
        np.testing.assert_array_equal(row, image.ravel())
    np.testing.assert_array_equal(in_shape(rows, TableSchema(rows.shape[1], row_shape=shape)), images)


@pytest.mark.parametrize(
    "kind",
    [
        list,
        tuple,
        np.ndarray.tolist,
        np.asfortranarray,
        torch.tensor,
        lambda images: torch.tensor(images, dtype=torch.float32, requires_grad=True),
        lambda images: torch.tensor(images).to(torch.bfloat16),
        lambda images: list(torch.tensor(images)),
    ],
    ids=["list", "tuple", "lists", "fortran", "tensor", "gradient", "bfloat16", "tensors"],
)
def test_images_of_every_container_are_the_same(kind):
    rows, shape = flattened(kind(GREY))
    assert shape == (4, 3)
    np.testing.assert_array_equal(rows, GREY.reshape(5, 12))


@pytest.mark.parametrize("other", [GREY[0], GREY[0, 0], 3.0, "x", None, [[1, 2], [3]], [], [GREY[0, 0], GREY[0, 1]]])
def test_anything_else_stays_as_it_is(other):
    assert dimensions(other) < 3
    assert flattened(other)[0] is other
    assert flattened(other)[1] is None


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((5, 3, 32, 32)), r"channels first as it seems; .* give numpy\.moveaxis\(X, 1, -1\)"),
        (np.zeros((2, 5, 4, 4, 3)), r"give flat rows, X\.reshape\(len\(X\), -1\)"),
        ([GREY[0], GREY[0][:2]], r"different shapes, such as \(4, 3\) and \(2, 3\): bring them to one"),
    ],
)
def test_images_that_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        flattened(images)


def test_other_shapes_than_in_fit():
    images, flat = TableSchema(12, row_shape=(4, 3)), TableSchema(12)
    refuse_other_shape((4, 3), images, "Test")
    refuse_other_shape(None, images, "Test")
    with pytest.raises(ValueError, match=r"images of the shape \(3, 4\), and Test was fitted on images of .* \(4, 3\)"):
        refuse_other_shape((3, 4), images, "Test")
    with pytest.raises(ValueError, match=r"fitted on flat rows of 12 numbers: give X\.reshape\(len\(X\), -1\)"):
        refuse_other_shape((4, 3), flat, "Test")
    with pytest.raises(ValueError, match="fitted on flat rows of 12 numbers: give such rows"):
        refuse_other_shape((4, 4), flat, "Test")
    with pytest.raises(ValueError, match=r"X is one image of the shape \(4, 3\).*give X\[None\]"):
        refuse_one_image(GREY[0], images)


def test_results_are_flat_where_rows_were():
    schema, rows = TableSchema(12, row_shape=(4, 3)), np.zeros((5, 12))
    assert in_shape(rows, schema).shape == in_shape(rows, schema, like=GREY).shape == (5, 4, 3)
    assert in_shape(rows, schema, like="rows.npy").shape == (5, 4, 3)
    assert in_shape(rows, schema, like=rows).shape == in_shape(rows, schema, like=rows.tolist()).shape == (5, 12)
    assert in_shape(rows, TableSchema(12), like=GREY).shape == (5, 12)
