"""Number types that numpy and torch share, and the way of an array from the one to the other."""

import warnings

import numpy as np
import torch
from torch import Tensor

AS_THEY_COME = tuple(map(np.dtype, ("uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")))
"""Number types that both numpy and torch have on every device; others are converted once."""


def other_type(dtype: np.dtype) -> type[np.generic]:
    """Return the number type in the place of one that torch does not have everywhere."""
    return np.uint8 if dtype == np.bool_ else np.float64


def kept_type(dtype: np.dtype) -> np.dtype:
    """Return the number type in which numbers of this type are kept: their own, or the one in its place."""
    return dtype if dtype in AS_THEY_COME else np.dtype(other_type(dtype))


def as_tensor(array: np.ndarray) -> Tensor:
    """Share the memory of an array with a tensor, where torch has its number type; nothing is ever written to it."""
    if array.dtype not in AS_THEY_COME:
        array = array.astype(other_type(array.dtype))
    if any(stride < 0 or stride % array.itemsize for stride in array.strides):
        array = np.ascontiguousarray(array)
    with warnings.catch_warnings():
        # Read-only arrays (memory maps, joblib's workers): torch warns that writing would be undefined.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable", category=UserWarning)
        return torch.from_numpy(array)
