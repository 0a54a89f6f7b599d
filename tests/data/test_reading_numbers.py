import numpy as np
import pytest
import scipy.sparse

from isthmus.data.reading_numbers import (
    any_array,
    in_common_types,
    learn_numbers,
    read_numbers,
    refuse_new_gaps,
    refuse_width,
    scikit_learns_view,
    table_of_numbers,
    view_class,
)
from isthmus.data.schema import TableSchema
from isthmus.data.table import is_sparse

pandas = pytest.importorskip("pandas")
X = np.random.default_rng(0).normal(size=(6, 3))
FRAME = pandas.DataFrame(X, columns=["a", "b", "c"])


def read(given, schema, least_rows=1):
    return read_numbers(given, schema, "Test", least_rows, in_use=True)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_are_not_copied(dtype, order):
    array = np.array(10 * X, dtype=dtype, order=order)
    table, schema = learn_numbers(array, "Test", 2)
    assert np.shares_memory(table.numbers, array)
    assert np.shares_memory(read(array, schema).numbers, array)
    assert schema == TableSchema(3)


@pytest.mark.parametrize("make", [scipy.sparse.csr_array, scipy.sparse.csc_matrix, scipy.sparse.coo_array])
def test_sparse_matrices_stay_sparse(make):
    table, schema = learn_numbers(make(X), "Test", 2)
    assert table.sparse
    assert is_sparse(table.drawn(np.arange(2)))
    np.testing.assert_array_equal(read(make(X), schema)[:].numpy(), X)


def test_names_are_learned_and_checked():
    table, schema = learn_numbers(FRAME, "Test", 2)
    assert (schema.names, schema.n_features) == (("a", "b", "c"), 3)
    np.testing.assert_array_equal(table[:].numpy(), X)
    with pytest.raises(ValueError, match="The feature names should match those that were passed during fit"):
        read(FRAME.rename(columns={"a": "x"}), schema)
    with pytest.warns(UserWarning, match="X does not have valid feature names, but Test was fitted with"):
        read(X, schema)


def test_columns_of_several_number_types_become_float64():
    frame = FRAME.assign(a=range(6), b=pandas.array([True, False] * 3, dtype="boolean"))
    assert learn_numbers(frame, "Test", 2)[0][:].numpy().dtype == np.float64


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (X[:0], r"Found array with 0 sample\(s\).*minimum of 2 is required by Test"),
        (X[:1], r"Found array with 1 sample\(s\).*minimum of 2 is required by Test"),
        (X[:, :0], r"Found array with 0 feature\(s\)"),
        (X[0], "Expected 2D array, got 1D array instead"),
        (3.0, "Expected 2D array, got scalar array instead"),
        (X[None], "Found array with dim 3"),
        (X + 1j, "Complex data not supported"),
        (X.astype("M8[D]"), r"X holds datetime64\[D\] values; Test takes numbers: convert them first"),
        (np.array([["x", "y"], ["z", "w"]]), "X holds text .*; Test takes numbers: encode such columns first"),
        (np.array([[b"x"], [b"z"]]), "X holds text"),
        (np.where(X > 0, X, np.nan), "Input X contains NaN or infinity"),
        (np.where(X > 0, X, 1e200), "too large to be squared"),
    ],
)
def test_tables_that_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        learn_numbers(given, "Test", 2)


def test_widths():
    refuse_width(3, TableSchema(3), "Test")
    for given in (X[:, :2], scipy.sparse.csr_array(X[:, :2])):
        with pytest.raises(ValueError, match="X has 2 features, but Test is expecting 3 features as input"):
            read(given, TableSchema(3))
    with pytest.raises(ValueError, match="X has 4 features, but Test is expecting 3 features as input"):
        refuse_width(4, TableSchema(3), "Test")


def test_new_gaps_are_named():
    whole = pandas.DataFrame({"a": pandas.array([1, 2], dtype="Int64")})
    refuse_new_gaps(whole, "Test")
    with pytest.raises(ValueError, match=r"column 'a' has missing cells, and there were none in fit: Test \(columns="):
        refuse_new_gaps(pandas.DataFrame({"a": pandas.array([1, None], dtype="Int64")}), "Test")


def test_any_array_keeps_gaps_and_objects():
    gaps = np.array([[1, None], [np.nan, "a"]], dtype=object)
    assert any_array(gaps) is gaps
    assert any_array(X[:0]).shape == (0, 3)
    with pytest.raises(ValueError, match="Expected 2D array"):
        any_array([1, 2])


def test_messages_name_the_caller():
    assert view_class("Test") is view_class("Test")
    view = scikit_learns_view("Test", TableSchema(2, ("a", "b")))
    assert (type(view).__name__, view.n_features_in_, view.feature_names_in_.tolist()) == ("Test", 2, ["a", "b"])
    assert not hasattr(scikit_learns_view("Test", TableSchema(2)), "feature_names_in_")


def test_tables_of_numbers():
    assert not table_of_numbers(X).sparse
    assert table_of_numbers(scipy.sparse.csr_array(X)).sparse


@pytest.mark.parametrize(
    ("frame", "dtypes"),
    [
        (pandas.DataFrame.sparse.from_spmatrix(scipy.sparse.csr_array(X), columns=list("abc")), ["float64"] * 3),
        (FRAME.assign(a=pandas.arrays.SparseArray([True, False] * 3)), ["bool", "float64", "float64"]),
    ],
)
def test_unusual_types_of_numbers_become_usual_ones(frame, dtypes):
    found = in_common_types(frame)
    assert found.dtypes.astype(str).tolist() == dtypes
    np.testing.assert_array_equal(found.to_numpy(float), frame.to_numpy(float))
    table, _ = learn_numbers(frame, "Test", 2)
    assert not table.sparse


def test_usual_frames_and_other_things_stay_as_they_are():
    for given in (FRAME, FRAME.assign(a="x"), X, [[1]], FRAME.assign(a=pandas.arrays.SparseArray([0, 1] * 3), b="x")):
        assert in_common_types(given) is given


def test_texts_and_masked_cells_in_use_are_numbers():
    _, schema = learn_numbers(X, "Test", 2)
    np.testing.assert_array_equal(read(X.astype(str), schema)[:].numpy(), X)
    np.testing.assert_array_equal(read(np.ma.masked_array(X), schema)[:].numpy(), X)
    with pytest.raises(ValueError, match=r"X holds text .* Test takes numbers"):
        read(np.full((2, 3), "a"), schema)
