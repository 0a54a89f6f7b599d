"""Pieces of a table one after another: arrays, or frames of one library."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from isthmus.data import frames
from isthmus.data.arrow_tables import arrow, is_table


def are_alike(one: Any, other: Any) -> bool:
    """Whether two pieces can be put together without a change of types: arrays, or tables of Arrow's of one schema."""
    if is_table(one) and is_table(other):
        return bool(one.schema == other.schema)
    return isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and one.dtype == other.dtype


def one_after_another(pieces: Sequence[Any]) -> Any:
    """Return the rows of pieces of one kind, one at least, as one array or frame; pandas' index goes on."""
    if len(pieces) == 1:
        return pieces[0]
    if is_table(pieces[0]):
        return arrow().concat_tables(pieces)
    if frames.is_frame(pieces[0]):
        nw = frames.narwhals()
        return nw.concat([nw.from_native(piece, eager_only=True) for piece in pieces]).to_native()
    return np.concatenate(pieces)
