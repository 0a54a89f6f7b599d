"""Results as they come: record batches scored one by one, results of any size written to Parquet."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.core.choices import refuse_unknown
from isthmus.data import arrow_tables, frame_building, frames, parquet_writing
from isthmus.data.reading import read_batch
from isthmus.data.restoring import restore
from isthmus.data.schema import TableSchema
from isthmus.data.table import Table

SCORE = "score"
"""The column that `scored_batches` adds."""


def scored_batches(
    score: Callable[[Table], np.ndarray],
    batches: Iterable[Any],
    columns: Sequence[str] | None,
    schema: TableSchema,
    caller: str,
) -> Iterator[Any]:
    """Yield each record batch with a column `score`.

    Parameters
    ----------
    score
        Maps a table to scores (n,).
    batches
        Record batches of pyarrow's.
    columns
        The model's columns in their order; None: those of `fit`, or all if these had no names.
    schema
        What was learned of the table.
    caller
        Name of the estimator, for messages.
    """
    pa = arrow_tables.arrow()
    known = schema.names if columns is None else columns
    for batch in batches:
        if SCORE in batch.schema.names:
            raise ValueError(f"a column of the batch is called {SCORE!r} already; rename it first")
        names = batch.schema.names if known is None else list(known)
        if len(batch):
            scores = score(read_batch(batch, names, schema, caller=caller))
        else:
            if schema.columns is None:
                read_batch(batch, names, schema, caller=caller)  # checks the columns
            scores = np.empty(0)
        yield batch.append_column(SCORE, pa.array(scores, pa.float64()))


def write_codes(pieces: Iterable[np.ndarray], names: Sequence[str], path: Path) -> Path:
    """Write pieces of a result, (b, columns) or (b,) each, to a Parquet file with columns of those names."""
    parquet_writing.write((arrow_tables.as_table(piece, names) for piece in pieces), path)
    return path


def write_rows(pieces: Iterable[np.ndarray], schema: TableSchema, path: Path) -> Path:
    """Write pieces of numbers (b, R) to a Parquet file, with the columns and types of the table of `fit`."""
    parquet_writing.write((as_arrow(restore(piece, schema), schema) for piece in pieces), path)
    return path


def as_arrow(rows: Any, schema: TableSchema) -> Any:
    """Return a frame, or an array (b, F), as a table of Arrow's."""
    return frame_building.to_arrow(rows) if frames.is_frame(rows) else arrow_tables.as_table(rows, schema.labels)


WRITTEN = ("transform", "reconstruct", "score_samples", "reconstruction_error")
"""The methods whose results `write` can store."""


def refuse_unwritten(what: str) -> None:
    """Raise a `ValueError` if there is nothing of that name to write."""
    refuse_unknown("what", what, WRITTEN)
