import numpy as np
import pandas as pd
import pytest

from isthmus.data.new_levels import with_new_levels
from isthmus.data.reading import learn_table, read_table
from isthmus.data.tables import TableScaling

FRAME = pd.DataFrame({"x": np.linspace(0, 3, 8) + 0.1, "kind": list("aabbaabb")})


def schema_of(frame, **settings):
    return learn_table(frame, caller="Test", **settings)[1]


def test_nothing_new_is_the_same_schema():
    schema = schema_of(FRAME)
    assert with_new_levels(FRAME[::-1], schema) is schema
    assert with_new_levels(FRAME[["kind", "x"]], schema) is schema


def test_new_categories_share_the_cell_of_unknown_ones():
    schema = schema_of(FRAME)
    frame = FRAME.assign(kind=["a", "c", "d", "d", None, "c", "d", "b"])
    found = with_new_levels(frame, schema)
    assert found.columns[1].levels == ("a", "b", "d", "c")
    assert found.columns[1].places == (0, 1, 2, 2, 2)
    before, after = (TableScaling(one.columns) for one in (schema, found))
    assert before.cells == after.cells
    with pytest.warns(UserWarning, match="column 'kind' holds categories that it did not hold in fit"):
        old = read_table(frame, schema, caller="Test")[0:8]
    new = read_table(frame, found, caller="Test")[0:8]
    # Cells are the same whichever schema reads the rows; only now do they stand for a category.
    np.testing.assert_array_equal(before(old, old.dtype), after(new, new.dtype))
    assert before.code_of_cell[2].isnan()
    assert after.code_of_cell[2] == 2


def test_declared_categories_are_declared_in_what_comes_back():
    frame = FRAME.astype({"kind": "category"})
    later = FRAME.assign(kind="new").astype({"kind": "category"})
    found = with_new_levels(later, schema_of(frame))
    assert found.frame.fields[1].levels == ("a", "b", "new")


def test_batches_and_arrays():
    later = FRAME.assign(kind="new")
    assert with_new_levels(lambda: [FRAME, later], schema_of(FRAME)).columns[1].levels == ("a", "b", "new")
    schema = schema_of(FRAME.to_numpy())
    assert with_new_levels(later.to_numpy(), schema).columns[1].levels == ("a", "b", "new")


def test_a_column_that_was_empty_is_named_when_it_has_values():
    with pytest.warns(UserWarning, match="it has no values"):
        schema = schema_of(FRAME.assign(x=np.nan))
    with pytest.warns(UserWarning, match=r"column 'x' had no values when .*columns=\{'x': 'real'\}"):
        assert with_new_levels(FRAME, schema) is schema
    told = schema_of(FRAME.assign(x=np.nan), columns={"x": "real"})
    assert told.columns[0].kind == "real"
    assert with_new_levels(FRAME, told) is told
