import numpy as np
import pytest
import scipy.sparse

from isthmus.data.reading import learn_table
from isthmus.data.reading_columns import (
    in_order,
    kinds_by_name,
    known_numbers,
    learned,
    numbers_alone,
    take_apart,
)
from isthmus.data.survey import Survey

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
FRAME = pandas.DataFrame({"x": [0.5, None, 2.5, 1.0], "kind": ["a", "b", "a", None], "n": [3, 4, 5, 4]})


@pytest.fixture
def schema():
    return learn_table(FRAME, caller="Test")[1]


def known(given, schema):
    return known_numbers(given, schema, "Test")


@pytest.mark.parametrize("library", [pandas.DataFrame, polars.DataFrame], ids=["pandas", "polars"])
def test_columns_are_found_by_name(schema, library):
    numbers = known(FRAME, schema)
    for names in (["n", "x", "kind"], ["kind", "n", "x"]):
        given = FRAME[names] if library is pandas.DataFrame else polars.from_pandas(FRAME)[names]
        np.testing.assert_array_equal(known(given, schema), numbers)


def test_columns_of_an_array_are_found_by_place():
    array = FRAME.to_numpy(dtype=object)
    schema = learn_table(array, caller="Test")[1]
    numbers = known(array, schema)
    np.testing.assert_array_equal(known(array.tolist(), schema), numbers)
    np.testing.assert_array_equal(known(FRAME, schema), numbers)
    with pytest.raises(ValueError, match="X has 2 features, but Test is expecting 3"):
        known(array[:, :2], schema)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (FRAME[["x", "n"]], "X has other columns than in fit: 'kind' is missing"),
        (FRAME.assign(more=1), "X has other columns than in fit: 'more' is new"),
        (FRAME.rename(columns={"x": "y", "n": "m"}), "'x', 'n' is missing; 'y', 'm' is new"),
        (FRAME[:0], r"Found array with 0 sample\(s\)"),
        (scipy.sparse.csr_array(np.eye(3)), "Test was fitted on a table of columns, and X is sparse; give a frame"),
        (FRAME.assign(x=["a", "b", "c", "d"]), "column 'x'"),
        (FRAME.assign(n=[1.0, np.inf, 2.0, 3.0]), "column 'n'"),
    ],
)
def test_tables_that_are_refused(schema, given, message):
    with pytest.raises(ValueError, match=message):
        known(given, schema)


def test_numbers_alone():
    assert numbers_alone(*take_apart(FRAME[["n"]]))
    assert numbers_alone(*take_apart(pandas.DataFrame({"flag": [True, False]})))
    for names in (["x"], ["kind", "n"]):
        assert not numbers_alone(*take_apart(FRAME[names]))


@pytest.mark.parametrize("columns", [None, "auto"])
def test_nothing_is_said_of_columns(columns):
    assert kinds_by_name(columns, take_apart(FRAME)[0]) == {}


@pytest.mark.parametrize(
    "columns", ["real", {"x": "real", "kind": "real", "n": "real"}, ["real", "real", "real"], ("real",) * 3]
)
def test_kinds_in_every_form(columns):
    assert kinds_by_name(columns, take_apart(FRAME)[0]) == {"x": "real", "kind": "real", "n": "real"}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (3, "columns must be None, 'auto', a kind for all columns, .* or a sequence of 3 kinds; got 3"),
        (["real"], r"a sequence of 3 kinds; got \['real'\]"),
        ("rael", "unknown columns 'rael'; did you mean 'real'"),
        ({"y": "real"}, "columns= names 'y'"),
        ({"x": "rael"}, "'rael'; did you mean 'real'"),
        ({"x": 3}, "3"),
        (["real", "category", None], "None"),
    ],
)
def test_kinds_that_are_refused(columns, message):
    with pytest.raises(ValueError, match=message):
        learn_table(FRAME, caller="Test", columns=columns)


def test_an_order_is_by_name():
    schema, cells = take_apart(FRAME)
    fields, pieces = in_order(schema, cells, ["n", "x", "kind"], "fit")
    assert [field.name for field in fields] == ["n", "x", "kind"]
    assert pieces[0] is cells[2]
    with pytest.raises(ValueError, match="X has other columns than in the first batch: 'z' is missing; 'n' is new"):
        in_order(schema, cells, ["x", "kind", "z"], "the first batch")


def test_rows_of_weight_0_do_not_count():
    weight = [1, 1, 1, 0]
    one = learn_table(FRAME.assign(n=[3, 4, 5, 10**6]), caller="Test", sample_weight=weight)[1].columns
    other = learn_table(FRAME[:3], caller="Test")[1].columns
    assert one == other
    with pytest.raises(ValueError, match="1 sample weights are positive, but at least 2"):
        learn_table(FRAME, caller="Test", least_rows=2, sample_weight=[1, 0, 0, 0])


@pytest.mark.filterwarnings("ignore:column .* is ignored")
def test_there_must_be_something_to_learn():
    with pytest.raises(ValueError, match="no column of the table can be learned from: all are ignored"):
        learn_table(pandas.DataFrame({"x": [None, None]}), caller="Test")
    with pytest.raises(ValueError, match=r"this table has columns of several kinds or missing cells \(NaN\), and WHY"):
        learned(Survey({}), "WHY")
    with pytest.raises(ValueError, match=r"Found array with 1 sample\(s\) while a minimum of 2 is required"):
        learn_table(FRAME[:1], caller="Test", least_rows=2)
