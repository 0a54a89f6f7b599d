from isthmus.data.columns import Column, Columns
from isthmus.data.fields import Field, Schema
from isthmus.data.schema import TableSchema


def test_labels_are_names_or_places():
    assert TableSchema(3).labels == ["x0", "x1", "x2"]
    assert TableSchema(2, ("a", "b")).labels == ["a", "b"]


def test_feature_names_are_scikit_learns():
    assert TableSchema(2).feature_names is None
    found = TableSchema(2, ("a", "b")).feature_names
    assert (found.dtype, found.tolist()) == (object, ["a", "b"])


def test_wide_columns_take_two_numbers():
    columns = Columns(
        [Column("a", "float", "real", "gaussian", 0.0), Column("b", "integer", "real", "gaussian", 0.0, wide=True)]
    )
    frame = Schema("pandas", (Field("a", "float", "float64"), Field("b", "integer", "int64")))
    assert TableSchema(2, ("a", "b"), frame, columns).n_numbers == 3
    assert TableSchema(2, ("a", "b"), frame).n_numbers == 2


def test_schemas_are_equal_by_what_they_hold():
    assert TableSchema(2, ("a", "b")) == TableSchema(2, ("a", "b"))
    assert TableSchema(2, ("a", "b")) != TableSchema(2, ("a", "c"))
