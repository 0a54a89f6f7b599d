"""Results as they come: record batches scored one by one, results of any size written to Parquet."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.core.choices import refuse_unknown
from isthmus.data import arrow_tables, frame_building, frames, parquet_writing
from isthmus.data.arrow_tables import unlabelled
from isthmus.data.joining import one_after_another
from isthmus.data.labels import joined, labelled, with_labels
from isthmus.data.reading import read_batch
from isthmus.data.reading_sources import Given
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
        names = arrow_tables.column_names(batch.schema) if known is None else list(known)
        if len(batch):
            scores = score(read_batch(batch, names, schema, caller=caller))
        else:
            if schema.columns is None:
                read_batch(batch, names, schema, caller=caller)  # checks the columns
            scores = np.empty(0)
        yield batch.append_column(SCORE, pa.array(scores, pa.float64()))


def write_codes(pieces: Iterable[tuple[np.ndarray, Given]], names: Sequence[str], path: Path) -> Path:
    """Write a result to a Parquet file with columns of those names, and the row labels of X.

    Parameters
    ----------
    pieces
        The results for pieces of X, (b, columns) or (b,) each, and the pieces.
    names
        Of the columns.
    path
        The file.
    """
    tables = (with_labels(arrow_tables.as_table(found, names), given.labels) for found, given in pieces)
    parquet_writing.write(tables, path)
    return path


def write_rows(pieces: Iterable[tuple[np.ndarray, Given]], schema: TableSchema, path: Path) -> Path:
    """Write numbers (b, R) of pieces of X to a Parquet file, with the columns and types of the table of `fit`."""
    tables = (
        with_labels(as_arrow(restore(found, schema, like=given.rows), schema), given.labels) for found, given in pieces
    )
    parquet_writing.write(tables, path)
    return path


def joined_rows(pieces: Iterable[tuple[np.ndarray, Given]], schema: TableSchema) -> Any:
    """Return numbers (b, R) of pieces of X as one table of the kind that was given to `fit`, with its row labels."""
    found, given = zip(*pieces, strict=True)
    if schema.frame is None or len(found) == 1:
        return restore(np.concatenate(found), schema, like=given[0].rows)
    rows = [restore(piece, schema, like=own.rows) for piece, own in zip(found, given, strict=True)]
    return labelled(one_after_another([unlabelled(part) for part in rows]), joined([own.labels for own in given]))


def as_arrow(rows: Any, schema: TableSchema) -> Any:
    """Return a frame, or an array (b, F), as a table of Arrow's without row labels."""
    if not frames.is_frame(rows):
        return arrow_tables.as_table(rows, schema.labels)
    return arrow_tables.unlabelled(frame_building.to_arrow(rows))


WRITTEN = ("transform", "reconstruct", "score_samples", "reconstruction_error")
"""The methods whose results `write` can store."""


def refuse_unwritten(what: str) -> None:
    """Raise a `ValueError` if there is nothing of that name to write."""
    refuse_unknown("what", what, WRITTEN)
