"""Writing to Parquet, one piece of a result at a time."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from isthmus.core.files import atomic_write
from isthmus.data.arrow_tables import arrow


def write(pieces: Iterable[Any], path: Path) -> None:
    """Write tables of Arrow's, pieces of a result, to one Parquet file; it appears whole or not at all.

    Parameters
    ----------
    pieces
        In their order; one at least. They are asked for one after another, as they are written.
    path
        The file; one that is there is replaced.
    """
    pa = arrow()
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} for the file {path.name} does not exist; create it first")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a file, such as {path / 'result.parquet'}")
    with atomic_write(path) as temporary:
        writer = None
        try:
            for piece in pieces:
                writer = writer or pa.parquet.ParquetWriter(str(temporary), piece.schema)
                writer.write_table(piece.cast(writer.schema))
        finally:
            if writer is not None:
                writer.close()
