"""`write_table`: results in the format of the file's ending, whole or not at all."""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np
import scipy.sparse

from isthmus.data.arrow_tables import arrow, is_batch, is_table
from isthmus.data.files import opening, text_writing  # noqa: F401  formats register themselves
from isthmus.data.files.destinations import destination, open_destination
from isthmus.data.frames import is_frame

ROWS = 50_000
"""Rows that are converted at a time."""
OF_ARRAYS = ("npy", "npz", "mtx")
"""Formats that hold an array, and not named columns."""


def write_table(
    rows: object,
    where: str | os.PathLike[str],
    *,
    columns: Sequence[str] | None = None,
    force: bool = False,
    inputs: Collection[str | os.PathLike[str]] = (),
    format: str | None = None,  # noqa: A002
    stream: IO[bytes] | None = None,
) -> Path | None:
    """Write a table to a file in the format of its ending; it appears whole, or not at all.

    Text (.csv, .tsv, .jsonl; also with .gz, .zst, .bz2, .xz), .parquet, .feather, .xlsx, .npy, .npz, .mtx. Numbers are
    written so that they are read again to the last bit; missing cells are empty, in JSON null.

    Parameters
    ----------
    rows : array, frame, Table of pyarrow, sparse matrix, or an iterator of these
        (n, columns) or (n,). Pieces of an iterator are asked for one after another, as they are written.
    where : str or path
        The file, or "-" for standard output, by default as CSV.
    columns : names, optional
        Of the columns of arrays; column_1, column_2, ... by default, and "value" for a single one.
    force : bool, default=False
        Whether a file that is there is replaced.
    inputs : paths
        Files that are being read: none of them is written to, by whatever name.
    format : str, optional
        The format, whatever the ending says.
    stream : binary file, optional
        In place of standard output.

    Returns
    -------
    Path or None
        The file; None for standard output.

    Raises
    ------
    FileExistsError
        If there is a file and `force` is not set.
    OSError
        If the folder is missing or must not be written, or the disk is full; nothing half-written is left.
    ValueError
        If the ending stands for no format, the file is one that is read, or the rows do not fit the format.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "codes.csv"
    >>> _ = write_table(np.array([[0.1, np.nan]]), path, columns=["a", "b"])
    >>> path.read_text().splitlines()
    ['a,b', '0.1,']
    """
    target = destination(where, force=force, inputs=inputs, format=format)
    write = target.format.write
    assert write is not None, "only formats that are written are found"
    pieces = pieces_of_result(rows)
    if target.format.name not in OF_ARRAYS:
        pieces = (table for piece in pieces for table in as_tables(piece, columns))
    first = next(pieces, None)
    if first is None:
        raise ValueError(f"there are no rows to write to {target.shown}")
    with open_destination(target, stream) as file:
        write(chain([first], pieces), file, target.shown)
    return target.path


def pieces_of_result(rows: Any) -> Iterator[Any]:
    """Yield the pieces of a result."""
    return rows if isinstance(rows, Iterator) else iter([rows])


def as_tables(piece: Any, columns: Sequence[str] | None) -> Iterator[Any]:
    """Yield a piece of a result as tables of Arrow's, of some thousand rows each.

    Raises
    ------
    ValueError
        If it is of another kind, or has other columns than there are names.
    """
    if is_table(piece) or is_batch(piece) or is_frame(piece):
        table = as_arrow(piece)
        yield from slices(table, table.num_rows)
        return
    array = piece if scipy.sparse.issparse(piece) else np.asarray(piece)
    if array.ndim == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2 or array.dtype.kind not in "biufUSOMm":
        raise ValueError(f"a table has rows and columns, and an array of shape {array.shape} has not; write it as .npy")
    names = column_names(array.shape[1], columns)
    if scipy.sparse.issparse(array):
        array = scipy.sparse.csr_array(array)
    for block in slices(array, array.shape[0]):
        dense = block.toarray() if scipy.sparse.issparse(block) else block
        yield arrow().table({name: column_of(dense[:, j]) for j, name in enumerate(names)})


def column_of(values: np.ndarray) -> Any:
    """Return a column of an array as Arrow's; NaN is a missing cell in a column of objects alone."""
    pa = arrow()
    return (
        pa.array(values.tolist(), from_pandas=True)
        if values.dtype.kind == "O"
        else pa.array(np.ascontiguousarray(values))
    )


def slices(rows: Any, count: int) -> Iterator[Any]:
    """Yield some thousand rows at a time; the only, empty piece of a table without rows."""
    for start in range(0, max(count, 1), ROWS):
        yield rows.slice(start, ROWS) if is_table(rows) else rows[start : start + ROWS]


def column_names(width: int, given: Iterable[str] | None) -> list[str]:
    """Return the names of the columns of an array."""
    if given is None:
        return ["value"] if width == 1 else [f"column_{place}" for place in range(1, width + 1)]
    names = list(given)
    if len(names) != width or len(set(names)) != width:
        raise ValueError(f"{width} columns need {width} different names; got {names!r}")
    return names


def as_arrow(frame: Any) -> Any:
    """Return a frame as a table of Arrow's; pandas' index is left out unless it is stored in the table."""
    pa = arrow()
    if is_table(frame):
        return frame
    if is_batch(frame):
        return pa.Table.from_batches([frame])
    if type(frame).__module__.split(".")[0] == "pandas":
        return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    from isthmus.data.frame_columns import narwhals

    return narwhals().from_native(frame, eager_only=True).to_arrow()
