import h5py
import numpy as np
import pytest
import zarr

from isthmus.data import disk_arrays
from isthmus.data.disk_arrays import ArrayOnDisk, chunk_rows
from isthmus.data.sources import open_source

X = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)


class Sliced:
    """No array, and no way to become one at once."""

    shape, dtype = X.shape, X.dtype

    def __getitem__(self, rows):
        return X[rows]


@pytest.mark.parametrize("chunks", [(7, 2), (50, 3), (1, 1)])
def test_frames_blocks_and_pieces_are_the_rows(tmp_path, monkeypatch, chunks):
    monkeypatch.setattr(disk_arrays, "PIECE_BYTES", 10 * 3 * 4)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        source = ArrayOnDisk(file.create_dataset("x", data=X, chunks=chunks), ["names", "are", "ignored"])
        count = len(source.edges) - 1
        assert (source.names, source.plain, source.in_order) == (None, True, False)
        for pieces in (source.frames(), source.blocks(), map(source.read, range(count))):
            np.testing.assert_array_equal(np.concatenate(list(pieces)), X)
        source.measured([50])
        source.convert = lambda block: 2 * block
        np.testing.assert_array_equal(np.concatenate(list(source.blocks())), 2 * X)
        np.testing.assert_array_equal(np.concatenate(list(source.frames())), X)


def test_every_block_is_checked_with_its_first_row(monkeypatch):
    monkeypatch.setattr(disk_arrays, "PIECE_BYTES", 20 * 3 * 4)
    seen = []
    table = ArrayOnDisk(Sliced()).table(lambda block, start: seen.append((len(block), start)))
    np.testing.assert_array_equal(table[:].numpy(), X)
    assert seen == [(20, 0), (20, 20), (10, 40)]


def test_arrays_in_memory_and_frames_are_left_alone():
    pandas = pytest.importorskip("pandas")
    assert ArrayOnDisk.opens(Sliced())
    for other in (X, pandas.DataFrame(X, columns=["chunks", "b", "c"]), 3.0, "path", [[1.0]]):
        assert not ArrayOnDisk.opens(other)


@pytest.mark.parametrize(
    ("attributes", "rows"),
    [({}, 1), ({"chunks": (8, 3)}, 8), ({"chunks": (4, 3), "shards": (12, 3)}, 12), ({"chunks": ((5, 5), (3,))}, 5)],
)
def test_rows_that_are_together_on_disk(attributes, rows):
    array = Sliced()
    vars(array).update(attributes)
    assert chunk_rows(array) == rows


def test_blocks_follow_the_chunks_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(disk_arrays, "PIECE_BYTES", 20 * 3 * 4)
    assert ArrayOnDisk(zarr.create_array(tmp_path / "a", data=X, chunks=(8, 3))).edges == [0, 16, 32, 48, 50]
    assert ArrayOnDisk(zarr.create_array(tmp_path / "b", data=X, chunks=(25, 3))).edges == [0, 25, 50]
    assert ArrayOnDisk(zarr.create_array(tmp_path / "c", data=X, chunks=(4, 3), shards=(12, 3))).edges[1] == 12
    assert ArrayOnDisk(Sliced()).edges == [0, 20, 40, 50]


def test_arrays_of_other_shapes_and_types(tmp_path):
    with pytest.raises(ValueError, match=r"X has the shape \(50,\); two dimensions are needed"):
        open_source(zarr.create_array(tmp_path / "a", data=X[:, 0]))
    with pytest.raises(ValueError, match="X holds complex64 values; numbers are needed"):
        open_source(zarr.create_array(tmp_path / "b", data=X.astype(np.complex64)))


def test_images_are_read_as_rows(tmp_path):
    images = np.arange(50 * 12, dtype=np.float32).reshape(50, 4, 3)
    source = open_source(zarr.create_array(tmp_path / "a", data=images, chunks=(8, 2, 3)))
    assert source.row_shape == (4, 3)
    np.testing.assert_array_equal(np.concatenate(list(source.blocks())), images.reshape(50, 12))
    assert open_source(zarr.create_array(tmp_path / "b", data=X)).row_shape is None
