"""Standard input as a file, which can be read several times."""

import shutil
import sys
from pathlib import Path
from typing import IO

from isthmus.data.files.spilling import TemporaryFolder


def kept_input(folder: TemporaryFolder, stream: IO[bytes] | None) -> Path:
    """Write what comes from a stream, by default standard input, to a temporary file; return that.

    Raises
    ------
    ValueError
        If nothing comes, or standard input is the keyboard.
    """
    if stream is None:
        if sys.stdin is None or sys.stdin.isatty():
            raise ValueError(
                "'-' reads standard input, and nothing is piped to it; use it as in: cat table.csv | ... -"
            )
        stream = sys.stdin.buffer
    path = folder.path / "input"
    with open(path, "wb") as file:
        shutil.copyfileobj(stream, file, 1 << 20)
    if not path.stat().st_size:
        raise ValueError("standard input is empty; pipe a table to it, as in: cat table.csv | ... -")
    return path
