"""What holds rows is taken, or refused in a sentence that names the call to make."""

import numpy as np
import pytest
import scipy.sparse
import torch

from isthmus.data.containers import array_of

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pyarrow = pytest.importorskip("pyarrow")
X = np.arange(6.0).reshape(3, 2)
FRAME = pandas.DataFrame(X, columns=["a", "b"])


@pytest.mark.parametrize(
    ("given", "call"),
    [
        (polars.from_pandas(FRAME).lazy(), r"X\.collect\(\)"),
        ({"a": [1, 2], "b": [3, 4]}, r"X is a dict of columns; give pandas\.DataFrame\(X\)"),
        (FRAME.to_records(), r"fields \['index', 'a', 'b'\]; give pandas\.DataFrame\(X\)"),
        (np.zeros(3, dtype=[("a", float)]), r"structured array .* give pandas\.DataFrame\(X\)"),
        (np.ma.zeros(3, dtype=[("a", float)]), r"structured array .* give pandas\.DataFrame\(X\)"),
        ([FRAME, FRAME], r"list of 2 frames of pandas; give pandas\.concat\(X\)"),
        ([polars.from_pandas(FRAME)], r"polars\.concat\(X\)"),
        ([pyarrow.table({"a": [1]})], r"pyarrow\.concat_tables\(X\)"),
        ([FRAME["a"], FRAME["b"]], r"list of columns of pandas; give pandas\.concat\(X, axis=1\)"),
        ([{"a": 1}, {"a": 2}], r"list of dictionaries; give pandas\.DataFrame\(X\)"),
        (FRAME["a"], r"X is a pandas Series, one column; give the frame X\.to_frame\(\)"),
        (polars.Series([1, 2]), r"X is a polars Series, one column; give the frame X\.to_frame\(\)"),
        (pyarrow.chunked_array([[1, 2]]), r"pyarrow\.table\(\{'x': X\}\)"),
        (torch.eye(2).to_sparse(), r"X is a sparse tensor; give X\.to_dense\(\)"),
        ([[1, 2], [3]], "rows of X have different lengths: row 0 has 2 values, and row 1 has 1"),
        ({1, 2}, r"X is a set; give list\(X\)"),
        (None, "X is None, which is no table; give an array"),
        (3, "X is of type int, which is no table"),
        (np.float64(3), "X is of type float64, which is no table"),
        (np.array({"a": 1}), "X is of type ndarray, which is no table"),
        (b"1,2", "X is of type bytes, which is no table"),
        (object(), "X is of type object, which is no table"),
        (torch.utils.data.DataLoader([1, 2]), "X is of type DataLoader, which is no table"),
        (list(FRAME.to_records()), r"list of records; give pandas\.DataFrame\.from_records\(X\)"),
    ],
    ids=lambda given: type(given).__name__,
)
def test_what_is_refused_names_the_call(given, call):
    with pytest.raises(ValueError, match=call):
        array_of(given)


@pytest.mark.parametrize(
    ("package", "call"), [("xarray", "X.to_dataframe()"), ("dask", "X.compute()"), ("duckdb", "X.df()")]
)
def test_tables_of_other_packages_are_known_by_their_module(package, call):
    kind = type("Dataset", (), {"__module__": f"{package}.core", "__array__": None, "ndim": 2, "shape": (1, 2)})
    with pytest.raises(ValueError, match=f"X is a Dataset of {package}; give ") as error:
        array_of(kind())
    assert str(error.value).endswith(call)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor(X),
        torch.tensor(X, requires_grad=True),
        torch.tensor(X, dtype=torch.bfloat16),
        torch.nn.Parameter(torch.tensor(X, dtype=torch.float32)),
        torch.tensor(X).to(torch.int16),
        torch.tensor(X.T.copy()).T,
    ],
    ids=lambda tensor: str(tensor.dtype),
)
def test_tensors_are_taken(tensor):
    found = array_of(tensor)
    np.testing.assert_array_equal(found, X)
    assert found.dtype == (np.float32 if tensor.dtype == torch.bfloat16 else tensor.detach().numpy().dtype)
    np.testing.assert_array_equal(array_of(list(tensor)), X)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "bool", "object", "U3"])
def test_masked_cells_are_missing_cells(dtype):
    values = np.array([[1, 0], [0, 1], [1, 1]]).astype(dtype)
    mask = np.array([[True, False], [False, False], [False, True]])
    found = array_of(np.ma.masked_array(values, mask))
    assert type(found) is np.ndarray
    assert pandas.isna(found).tolist() == mask.tolist()
    assert (found[~mask] == values[~mask]).all()
    if dtype.startswith("float"):
        assert found.dtype == values.dtype
    unmasked = array_of(np.ma.masked_array(values))
    assert type(unmasked) is np.ndarray
    assert np.shares_memory(unmasked, values)


def test_large_whole_numbers_keep_their_digits_beside_a_mask():
    found = array_of(np.ma.masked_array([[2**60 + 1, 5]], [[False, True]]))
    assert found.tolist() == [[2**60 + 1, None]]


def test_lists_of_masked_rows():
    rows = [np.ma.masked_array([1.0, 2.0], [False, True]), np.array([3.0, 4.0])]
    np.testing.assert_array_equal(array_of(rows), [[1, np.nan], [3, 4]])


def test_lists_keep_the_type_of_each_value():
    assert array_of([[1, 2], [3, 4]]).dtype.kind == "i"
    for rows in ([[1, "a"], [2.5, None]], [[1, "a"], [2, "b"]], [[b"1", b"2"]]):
        assert array_of(rows).tolist() == rows
        assert array_of([tuple(row) for row in rows]).tolist() == rows


@pytest.mark.parametrize(
    "given",
    [X, X[0], [1, 2], [], scipy.sparse.csr_array(X), scipy.sparse.dok_array(X), memoryview(X)],
    ids=lambda given: type(given).__name__,
)
def test_other_things_stay_as_they_are(given):
    assert array_of(given) is given
