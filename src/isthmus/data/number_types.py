"""The number types that numpy and torch share, and the conversion of arrays to tensors."""

import warnings

import numpy as np
import torch
from torch import Tensor

AS_THEY_COME = tuple(map(np.dtype, ("uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")))
"""Number types that numpy has, and torch on every device; arrays of other types are converted once."""


def other_type(dtype: np.dtype) -> type[np.generic]:
    """Return the substitute for a number type that torch does not have on every device."""
    return np.uint8 if dtype == np.bool_ else np.float64


def kept_type(dtype: np.dtype) -> np.dtype:
    """Return the number type in which numbers of this type are kept: the same one, or its substitute."""
    return dtype if dtype in AS_THEY_COME else np.dtype(other_type(dtype))


def as_tensor(array: np.ndarray) -> Tensor:
    """Return an array as a tensor that shares its memory if torch has its number type; nothing is ever written to it.

    >>> as_tensor(np.array([True, False])).dtype
    torch.uint8
    """
    if array.dtype not in AS_THEY_COME:
        array = array.astype(other_type(array.dtype))
    if any(stride < 0 or stride % array.itemsize for stride in array.strides):
        array = np.ascontiguousarray(array)
    with warnings.catch_warnings():
        # For read-only arrays (memory maps, joblib's workers) torch warns that writing would be undefined.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable", category=UserWarning)
        return torch.from_numpy(array)
