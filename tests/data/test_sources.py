import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
import scipy.sparse
import torch
import zarr

from isthmus.data import (
    disk_arrays,
    reading,  # noqa: F401  sources register themselves
)
from isthmus.data.disk_arrays import ArrayOnDisk
from isthmus.data.sources import is_source, memory_mapped, open_source

X = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
FRAME = pa.table({name: X[:, j] for j, name in enumerate("abc")})


def hdf5(folder, **settings):
    return h5py.File(folder / "x.h5", "w").create_dataset("x", data=X, **settings)


class Sliced:
    """No array, and no way to become one at once."""

    shape, dtype = X.shape, X.dtype

    def __getitem__(self, rows):
        return X[rows]


GIVEN = {
    "file": lambda folder: folder / "x.parquet",
    "folder": str,
    "data set": lambda folder: pyarrow.dataset.dataset(folder, format="parquet"),
    "filtered": lambda folder: pyarrow.dataset.dataset(folder).filter(pyarrow.dataset.field("a") < 1e9),
    "in memory": lambda folder: pyarrow.dataset.dataset(FRAME),
    "Parquet file": lambda folder: pq.ParquetFile(folder / "x.parquet"),
    "function": lambda folder: lambda: iter([X[:20], X[20:]]),
    "h5py": hdf5,
    "h5py in chunks": lambda folder: hdf5(folder, chunks=(7, 2)),
    "zarr": lambda folder: zarr.create_array(folder / "x.zarr", data=X, chunks=(8, 3)),
    "zarr in shards": lambda folder: zarr.create_array(folder / "x.zarr", data=X, chunks=(4, 3), shards=(8, 3)),
    "array-like": lambda folder: Sliced(),
}


@pytest.mark.parametrize("kind", GIVEN)
def test_sources_bring_the_rows(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(disk_arrays, "PIECE_BYTES", 10 * 3 * 4)
    pq.write_table(FRAME, tmp_path / "x.parquet", row_group_size=16)
    given = GIVEN[kind](tmp_path)
    assert is_source(given)
    np.testing.assert_array_equal(np.concatenate(list(open_source(given).blocks())), X)
    source = open_source(given)
    table = source.table(lambda block, start: None)
    np.testing.assert_array_equal(table[:].numpy(), X)
    if source.names is not None:
        assert source.names == ["a", "b", "c"]
        np.testing.assert_array_equal(np.concatenate(list(open_source(given, ["c", "a"]).blocks())), X[:, [2, 0]])
    if hasattr(given, "file"):
        given.file.close()


def test_blocks_follow_the_chunks_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(disk_arrays, "PIECE_BYTES", 20 * 3 * 4)
    assert ArrayOnDisk(zarr.create_array(tmp_path / "a", data=X, chunks=(8, 3))).edges == [0, 16, 32, 48, 50]
    assert ArrayOnDisk(zarr.create_array(tmp_path / "b", data=X, chunks=(25, 3))).edges == [0, 25, 50]
    assert ArrayOnDisk(zarr.create_array(tmp_path / "c", data=X, chunks=(4, 3), shards=(12, 3))).edges[1] == 12
    assert ArrayOnDisk(Sliced()).edges == [0, 20, 40, 50]


def test_a_path_of_an_array_is_mapped(tmp_path):
    np.save(tmp_path / "x.npy", X)
    found = memory_mapped(tmp_path / "x.npy")
    assert isinstance(found, np.memmap)
    assert not is_source(str(tmp_path / "x.npy"))
    np.testing.assert_array_equal(found, X)


@pytest.mark.parametrize(
    "given",
    [
        X,
        X.tolist(),
        torch.from_numpy(X),
        scipy.sparse.csr_array(X),
        pd.DataFrame(X, columns=["chunks", "b", "c"]),
        FRAME,
    ],
    ids=lambda given: type(given).__name__,
)
def test_what_is_in_memory_is_left_alone(given):
    assert open_source(given) is None
    assert not is_source(given)


def test_an_iterator_is_refused():
    with pytest.raises(ValueError, match="X is an iterator, which can be read only once; give a function"):
        open_source(iter([X]))


def test_paths_that_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file or folder"):
        open_source(tmp_path / "nothing.parquet")
    (tmp_path / "x.csv").touch()
    with pytest.raises(ValueError, match=r"x\.csv is not of a kind that can be read"):
        open_source(tmp_path / "x.csv")
    np.save(tmp_path / "x.npy", X)
    whole = (tmp_path / "x.npy").read_bytes()
    for left in (0, 50, 300):
        (tmp_path / "x.npy").write_bytes(whole[:left])
        with pytest.raises(ValueError, match=r"x\.npy cannot be read: it is truncated, or holds no plain array"):
            memory_mapped(tmp_path / "x.npy")


def test_arrays_of_other_shapes_and_types(tmp_path):
    with pytest.raises(ValueError, match=r"X has the shape \(50, 3, 1\); two dimensions are needed"):
        open_source(zarr.create_array(tmp_path / "a", data=X[:, :, None]))
    with pytest.raises(ValueError, match="X holds complex64 values; numbers are needed"):
        open_source(zarr.create_array(tmp_path / "b", data=X.astype(np.complex64)))
