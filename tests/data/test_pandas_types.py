import numpy as np
import pytest

from isthmus.data import pandas_types

pandas = pytest.importorskip("pandas")


@pytest.mark.parametrize(
    "values",
    [np.array([0.1, 0.5, 1e-3, 12.25]), np.arange(4), pandas.date_range("2024-01-01", periods=4, freq="7h")],
    ids=["floats", "integers", "times"],
)
@pytest.mark.parametrize("right", [True, False])
def test_intervals_come_back(values, right):
    column = pandas.Series(pandas.cut(values, 3, right=right))
    texts = list(pandas_types.levels_of("x", column))
    found = pandas_types.intervals(texts, pandas_types.category_type(column))
    pandas.testing.assert_index_equal(found, column.cat.categories)


@pytest.mark.parametrize(
    ("dtype", "fill"), [("float64", 0.0), ("float64", np.nan), ("int64", 0), ("int8", 7), ("bool", False)]
)
def test_sparse_types_come_back(dtype, fill):
    kind = pandas.SparseDtype(dtype, fill)
    assert pandas_types.sparse_type(str(kind)) == kind


def test_columns_of_common_types_stay_as_they_are():
    for values in ([1.5], [1], ["a"], [True], pandas.date_range("2024", periods=1)):
        column = pandas.Series(values)
        assert pandas_types.common_type(column) is column


def test_odd_categories_are_named():
    with pytest.raises(ValueError, match=r"X\['x'\].cat.rename_categories\(str\)"):
        pandas_types.levels_of("x", pandas.Series(pandas.Categorical([pandas.Timestamp("2024")])))
