import numpy as np
import pytest

from isthmus.data.reading import learn_table
from isthmus.data.restoring import as_integers, integer_type, restore
from isthmus.data.schema import TableSchema

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pyarrow = pytest.importorskip("pyarrow")

NUMBERS = {"whole": [3, 1, 2], "part": [0.5, 1.5, -2.0], "flag": [True, False, True]}
SEVERAL = NUMBERS | {"text": ["a", "b", None], "gap": [1.0, None, 3.0]}
MAKERS = {
    "pandas": pandas.DataFrame,
    "polars": polars.DataFrame,
    "pyarrow": pyarrow.table,
}


def assert_equal(one, other):
    assert type(one) is type(other)
    if isinstance(one, pandas.DataFrame):
        pandas.testing.assert_frame_equal(one, other)
    else:
        assert one.equals(other)


@pytest.mark.filterwarnings("ignore:column .* is ignored")
@pytest.mark.parametrize("columns", [NUMBERS, SEVERAL], ids=["numbers", "several kinds"])
@pytest.mark.parametrize("kind", MAKERS)
def test_restoring_undoes_reading(kind, columns):
    frame = MAKERS[kind](columns)
    table, schema = learn_table(frame, caller="Test", columns={"text": "category"} if "text" in columns else None)
    back = restore(table[:].numpy(), schema, like=frame)
    assert_equal(back, frame)
    numbers = table[:].numpy()
    assert_equal(restore(numbers[[2, 0]], schema), MAKERS[kind]({k: [v[2], v[0]] for k, v in columns.items()}))


def test_arrays_of_numbers_are_left_as_they_are():
    X = np.eye(3)
    assert restore(X, TableSchema(3)) is X


def test_arrays_with_gaps_come_back():
    X = np.array([[1.0, np.nan], [2.0, 0.5], [np.nan, 0.25]])
    table, schema = learn_table(X, caller="Test")
    np.testing.assert_array_equal(restore(table[:].numpy(), schema), X)


def test_row_labels_are_those_of_the_frame_that_is_given():
    frame = pandas.DataFrame(NUMBERS, index=["x", "y", "z"])
    table, schema = learn_table(frame, caller="Test")
    assert restore(table[:].numpy(), schema, like=frame).index.tolist() == ["x", "y", "z"]
    assert restore(table[:].numpy(), schema).index.tolist() == [0, 1, 2]


def test_whole_numbers_are_rounded_and_booleans_cut_in_the_middle():
    _, schema = learn_table(pandas.DataFrame(NUMBERS).astype({"whole": "int8"}), caller="Test")
    back = restore(np.array([[1.4, 0.3, 0.49], [1000.0, 0.3, 0.5]]), schema)
    assert back["whole"].tolist() == [1, 127]
    assert back["flag"].tolist() == [False, True]
    assert back["part"].tolist() == [0.3, 0.3]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("UInt8", "uint8"), ("int16[pyarrow]", "int16"), ("Int64", "int64"), ("no type", "int64")],
)
def test_integer_types(name, kind):
    assert integer_type(name) == np.dtype(kind)


@pytest.mark.parametrize("kind", ["int8", "uint16", "int64", "uint64"])
def test_integers_stay_within_their_type(kind):
    ends = np.iinfo(kind)
    found = as_integers(np.array([-1e30, 1.6, 1e30]), np.dtype(kind))
    assert found.dtype == kind
    assert found[1] == 2
    assert float(found[0]) == pytest.approx(float(ends.min), rel=1e-15)
    assert float(found[2]) == pytest.approx(float(ends.max), rel=1e-15)
