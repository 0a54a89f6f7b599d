import numpy as np
import pytest
import torch

from isthmus.data.dense import DenseTable, two_pass_summary

X = np.random.default_rng(0).normal(size=(50, 3))


@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_is_shared(order):
    array = np.array(X, order=order)
    table = DenseTable(array)
    assert table[:].data_ptr() == array.ctypes.data
    assert np.shares_memory(table.part(slice(3, 9)).numbers, array)


def test_rows_may_be_kept_elsewhere():
    moved = torch.from_numpy(X).to("meta")
    table = DenseTable(X, moved)
    assert (table.device.type, table.shape, table.nbytes) == ("meta", (50, 3), X.nbytes)
    assert DenseTable(X).to(torch.device("meta")).device.type == "meta"
    np.testing.assert_array_equal(table.drawn(np.array([3, 1])), X[[3, 1]])


def test_the_summary_does_not_depend_on_the_order_in_memory():
    one, other = (two_pass_summary(torch.from_numpy(np.array(X, order=order)), None) for order in "CF")
    assert all(map(torch.equal, one, other))


def test_weights_of_one_are_equal_weights():
    values = torch.from_numpy(X)
    one, other = two_pass_summary(values, None), two_pass_summary(values, torch.ones(50))
    assert all(map(torch.equal, one, other))
