import numpy as np
import pytest
import scipy.sparse

from isthmus.data import finite
from isthmus.data.finite import column_label, non_finite, refuse_non_finite

X = np.zeros((40, 4))


def spoiled(dtype="float64", **cells):
    array = X.astype(dtype)
    for place, value in cells.items():
        row, column = map(int, place.removeprefix("at").split("_"))
        array[row, column] = value
    return array


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "uint8", "bool"])
@pytest.mark.parametrize("sparse", [False, True])
def test_finite_numbers_pass(dtype, sparse):
    array = (X + 1).astype(dtype)
    if sparse and dtype == "float16":
        return  # scipy keeps no sparse float16
    refuse_non_finite(scipy.sparse.csr_array(array) if sparse else array, None)


@pytest.mark.parametrize("block", [7, 2**20])
@pytest.mark.parametrize("sparse", [False, True])
def test_columns_and_kinds_are_counted(monkeypatch, block, sparse):
    monkeypatch.setattr(finite, "CELLS", block)
    array = spoiled(at3_1=np.nan, at4_1=np.inf, at39_3=-np.inf)
    array = scipy.sparse.csr_array(array) if sparse else array
    with pytest.raises(ValueError, match=r"1 NaN and 2 infinite values \(column 1: 2, column 3: 1\)\. Columns may"):
        refuse_non_finite(array, None)
    with pytest.raises(ValueError, match=r"\(column 'b': 2, column 'd': 1\).*among the rows 100 to 139$"):
        refuse_non_finite(array, list("abcd"), start=100)


def test_only_five_columns_are_listed():
    assert "column 4: 3 and 4 more columns)" in non_finite(np.full((3, 9), np.nan), None, in_use=False)


@pytest.mark.parametrize("sparse", [False, True])
def test_numbers_whose_squares_overflow(sparse):
    array = spoiled(at3_2=-1e200)
    array = scipy.sparse.csr_array(array) if sparse else array
    assert non_finite(array, list("abcd"), in_use=False) == (
        "Input X has values too large to be squared (column 'c': -1e+200); divide such columns first"
    )
    assert non_finite(array, list("abcd"), in_use=True) == ""
    assert non_finite(spoiled(at3_2=1e149), None, in_use=False) == ""


def test_in_use_dense_cells_may_be_missing():
    array = spoiled(at3_2=np.nan)
    refuse_non_finite(array, None, in_use=True)
    with pytest.raises(ValueError, match=r"1 NaN and 0 infinite values \(column 2: 1\)"):
        refuse_non_finite(scipy.sparse.csr_array(array), None, in_use=True)
    with pytest.raises(ValueError, match=r"0 NaN and 1 infinite values \(column 1: 1\)"):
        refuse_non_finite(spoiled(at3_2=np.nan, at4_1=-np.inf), None, in_use=True)


def test_labels():
    assert column_label(3, None) == "column 3"
    assert column_label(1, np.array(["a", "b"], dtype=object)) == "column 'b'"
