import numpy as np
import pyarrow as pa
import pytest

from isthmus.core.extras import MissingExtraError
from isthmus.data.arrow_tables import arrow, as_frame, as_table, common_type, numbers, refuse_text

X = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)


def frame(X=X, names="abc"):
    return pa.table({name: X[:, j] for j, name in enumerate(names)})


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8"])
def test_numbers_undoes_as_table(dtype):
    array = (10 * X).astype(dtype)
    found = numbers(as_table(array, ["c", "b", "a"]), ["c", "b", "a"])
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, array)
    np.testing.assert_array_equal(numbers(as_table(array[:, 0], ["score"]), ["score"]), array[:, :1])
    np.testing.assert_array_equal(as_table(np.asfortranarray(array), "abc")["b"].to_numpy(), array[:, 1])


def test_numbers_takes_columns_by_name_and_type():
    np.testing.assert_array_equal(numbers(frame(), ["c", "a"]), X[:, [2, 0]])
    assert numbers(frame(), ["a"], np.dtype(np.float64)).dtype == np.float64


def test_a_batch_and_a_table_give_the_same_frame():
    batch = frame().to_batches()[0]
    assert as_frame(batch, ["c", "a"]).equals(as_frame(frame(), ["c", "a"]))
    assert as_frame(batch, ["b"]).schema.names == ["b"]
    with pytest.raises(ValueError, match=r"column 'd', known from fit, is missing in the batch"):
        as_frame(batch, ["d"])


@pytest.mark.parametrize("kinds", [(pa.int8(), pa.uint8()), (pa.int32(), pa.float32()), (pa.bool_(), pa.int16())])
def test_common_type_is_numpys(kinds):
    types = [np.dtype(kind.to_pandas_dtype()) for kind in kinds]
    assert common_type(kinds) == np.result_type(*types)
    assert common_type(reversed(kinds)) == common_type(kinds)


def test_all_columns_are_examined_where_no_names_are_given():
    refuse_text(frame().schema, "the table", None)
    with pytest.raises(ValueError, match="column 'd' holds string values, and the model was fitted on numbers"):
        refuse_text(frame().append_column("d", pa.array(["x"] * 50)).schema, "the table", None)


def test_without_pyarrow(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"reading and writing Parquet.*pyarrow.*isthmus\[tables\]"):
        arrow()


@pytest.mark.parametrize(
    ("kinds", "common"),
    [
        (["bool", "bool"], "bool"),
        (["uint8", "int8"], "int16"),
        (["float32", "float64"], "float64"),
        (["int64", "float32"], "float64"),
        (["float16", "bool"], "float16"),
    ],
)
def test_one_number_type_holds_all_columns(kinds, common):
    columns = {f"column {j}": np.array([0, 1, 1], kind) for j, kind in enumerate(kinds)}
    for table in (pa.table(columns), pa.RecordBatch.from_pydict(columns), pa.concat_tables([pa.table(columns)] * 2)):
        found = numbers(table, list(columns))
        assert found.dtype == common
        assert found.flags.c_contiguous
        assert found[:3].tolist() == [[0, 0], [1, 1], [1, 1]]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array(["x", "y"]), "column 'b' holds string values, and the model was fitted on numbers or booleans"),
        (pa.array([1.0, None]), "column 'b' has 1 empty cells among 2 rows; fill them first"),
        (pa.array([None, None]), "column 'b' holds null values"),
    ],
)
def test_what_is_no_number_is_refused_by_name(column, message):
    with pytest.raises(ValueError, match=message):
        numbers(pa.table({"a": [1.0, 2.0], "b": column}), ["a", "b"])


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match=r"column 'd', known from fit, is missing in the batch; there are \['a', 'b'"):
        numbers(frame(), ["a", "d"])


def test_a_column_that_is_there_twice_is_named():
    with pytest.raises(ValueError, match="column 'a' is there 2 times"):
        numbers(pa.table([X[:, 0], X[:, 1]], names=["a", "a"]), ["a"])
