"""Matrix Market: sparse matrices as text (.mtx, .mtx.gz)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.io
import scipy.sparse

from isthmus.data.files.array_roles import with_roles
from isthmus.data.files.compression import broken, open_bytes
from isthmus.data.files.numpy_files import described, joined
from isthmus.data.files.places import Place
from isthmus.data.files.registry import Found, Wishes, reads, writes


@reads("mtx", (".mtx",), "a sparse matrix as text (Matrix Market)", inside=True)
def read_mtx(place: Place, wishes: Wishes) -> Found:
    """Read a sparse matrix; its rows are rows."""
    try:
        with open_bytes(place) as file:
            found = scipy.io.mmread(file, spmatrix=False)
    except (ValueError, EOFError, OverflowError) as error:
        raise ValueError(broken(place.shown, error)) from error
    rows = found if isinstance(found, np.ndarray) else scipy.sparse.csr_array(found)
    if np.iscomplexobj(rows):
        raise ValueError(f"{place.shown} holds complex numbers; write real ones")
    filled = "a matrix" if isinstance(rows, np.ndarray) else f"a sparse matrix with {rows.nnz:,} entries"
    return described(with_roles(rows, None, place, wishes), f"Matrix Market, {filled}")


@writes("mtx")
def write_mtx(pieces: Iterator[Any], file: Any, shown: str) -> None:
    """Write an array or a sparse matrix as text; numbers with all digits that they need."""
    rows = joined(pieces, shown)
    sparse = scipy.sparse.coo_array(rows)
    scipy.io.mmwrite(file, sparse, precision=9 if sparse.dtype == np.float32 else 17)
