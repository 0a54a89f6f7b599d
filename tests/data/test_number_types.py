import numpy as np
import pytest

from isthmus.data.number_types import AS_THEY_COME, as_tensor, kept_type


@pytest.mark.parametrize("dtype", [*map(str, AS_THEY_COME), "bool", "uint16", "uint64", ">f8", "longdouble"])
def test_kept_types_are_those_of_tensors(dtype):
    tensor = as_tensor(np.zeros(2, dtype))
    assert tensor.numpy().dtype == kept_type(np.dtype(dtype))
    assert (kept_type(np.dtype(dtype)) == dtype) == (np.dtype(dtype) in AS_THEY_COME)
