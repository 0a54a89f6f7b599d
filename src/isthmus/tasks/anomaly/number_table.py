"""`Numbers`: a table after reading, one row of numbers per row of the user's data."""

from typing import TypeAlias

import numpy as np
import scipy.sparse

Numbers: TypeAlias = np.ndarray | scipy.sparse.csr_array
"""(n, R) numbers: a dense array, or a CSR array for sparse data."""


def is_sparse(numbers: Numbers) -> bool:
    """Whether the numbers are a sparse array."""
    return bool(scipy.sparse.issparse(numbers))
