"""Text files with blanks between cells, or after what stands between them, as lines that every reader knows."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from isthmus.data.files.dialects import BLANKS, Dialect, cells_between_blanks

ROWS = 5_000
"""Rows that are turned at a time."""


class StandardLines(io.RawIOBase):
    """The rows of a text file with commas between cells, and quotation marks where they are needed.

    Parameters
    ----------
    lines
        The file's.
    dialect
        How they write cells.
    skipped
        Lines before the first row.
    """

    def __init__(self, lines: io.TextIOBase, dialect: Dialect, skipped: int) -> None:
        self.lines = lines
        for _ in range(skipped):
            lines.readline()
        self.texts_left = self.texts(lines, dialect)
        self.waiting = b""

    @staticmethod
    def texts(lines: Iterable[str], dialect: Dialect) -> Iterator[str]:
        """Yield lines with commas between cells."""
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        if dialect.delimiter == BLANKS:
            rows: Iterable[list[str]] = (cells_between_blanks(line, dialect.quote) for line in lines)
        else:
            style: dict[str, Any] = {"quotechar": dialect.quote} if dialect.quote else {"quoting": csv.QUOTE_NONE}
            rows = csv.reader(lines, delimiter=dialect.delimiter, skipinitialspace=True, **style)
        for row in rows:
            writer.writerow(row)
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most `size`; all if that is negative."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(1 << 20), b""))
        if not self.waiting:
            self.waiting = "".join(islice(self.texts_left, ROWS)).encode()
        found, self.waiting = self.waiting[:size], self.waiting[size:]
        return found
