import numpy as np
import pytest
import scipy.sparse

from isthmus.data.files import open_file, write_table


@pytest.fixture
def arrays(tmp_path):
    path = tmp_path / "all.npz"
    np.savez(path, X=np.arange(6.0).reshape(3, 2), y=[0, 1, 0], feature_names=["a", "b"])
    return path


def test_an_array_is_mapped(tmp_path):
    rows = np.arange(12.0).reshape(4, 3)
    path = write_table(rows, tmp_path / "a.npy")
    file = open_file(path)
    assert isinstance(file.data, np.memmap)
    np.testing.assert_array_equal(file.data, rows)
    file = open_file(path, exclude="column_2", target="column_3")
    np.testing.assert_array_equal(file.data, rows[:, :1])
    np.testing.assert_array_equal(file.target, rows[:, 2])
    large = open_file(path, exclude="column_2", memory=1)
    assert large.streamed
    np.testing.assert_array_equal(large.data[1:3], rows[1:3][:, [0, 2]])


def test_one_array_of_several(arrays):
    file = open_file(arrays, target="y")
    assert (file.columns, file.target.tolist(), file.rows) == (("a", "b"), [0, 1, 0], 3)
    assert file.found[0] == "the array 'X' of float64, taken for the rows; there are also y, feature_names"
    assert open_file(f"{arrays}::y").data.shape == (3, 1)
    with pytest.raises(ValueError, match="no array 'Z'; its arrays are X, y, feature_names"):
        open_file(f"{arrays}::Z")
    with pytest.raises(ValueError, match="holds 2 labels, and 'X' holds 3 rows"):
        open_file(arrays, target="feature_names")


def test_no_array_is_the_likely_one(tmp_path):
    np.savez(tmp_path / "a.npz", first=[1], second=[2])
    with pytest.raises(ValueError, match=r"holds 2 arrays, and one must be named, as in .*a.npz::first"):
        open_file(tmp_path / "a.npz")


def test_a_sparse_matrix(tmp_path):
    rows = scipy.sparse.random_array((5, 4), density=0.4, format="csr", rng=np.random.default_rng(0))
    for ending in (".npz", ".mtx"):
        file = open_file(write_table(rows, tmp_path / f"a{ending}"))
        assert scipy.sparse.issparse(file.data)
        np.testing.assert_array_equal(file.data.toarray(), rows.toarray())


def test_python_objects_and_damage_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}, []], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="Python objects, and reading these could run code"):
        open_file(tmp_path / "a.npy")
    np.save(tmp_path / "b.npy", np.zeros((100, 3)))
    content = (tmp_path / "b.npy").read_bytes()
    (tmp_path / "b.npy").write_bytes(content[:500])
    with pytest.raises(ValueError, match="damaged or cut short"):
        open_file(tmp_path / "b.npy")
    np.savez(tmp_path / "c.npz", X=np.zeros((1000, 3)))
    content = (tmp_path / "c.npz").read_bytes()
    (tmp_path / "c.npz").write_bytes(content[:500])
    with pytest.raises(ValueError, match=r"damaged|cut short"):
        open_file(tmp_path / "c.npz")


def test_text_is_no_number(tmp_path):
    import pyarrow as pa

    with pytest.raises(ValueError, match="column 'b' holds others"):
        write_table(pa.table({"a": [1], "b": ["x"]}), tmp_path / "a.npy")
    assert list(tmp_path.iterdir()) == []
