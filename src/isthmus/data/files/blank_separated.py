"""Text whose cells must be looked at one by one, as rows that every reader knows: commas between, marks where needed.

These are files with blanks between cells, with a blank after each delimiter, or with quotation marks within words.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from isthmus.data.files.dialects import BLANKS, Dialect, cells_between_blanks

ROWS = 20_000
"""Rows that are turned at a time."""


def standard_rows(lines: Iterable[str], dialect: Dialect) -> Iterator[str]:
    """Yield rows with commas between cells, and quotation marks around those that need them."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    if dialect.delimiter == BLANKS:
        rows: Iterable[list[str]] = (cells_between_blanks(line, dialect.quote) for line in lines)
    else:
        style: dict[str, Any] = {"quotechar": dialect.quote} if dialect.quote else {"quoting": csv.QUOTE_NONE}
        rows = csv.reader(lines, delimiter=dialect.delimiter, skipinitialspace=dialect.after_blank, **style)
    for row in rows:
        if row:
            writer.writerow(row)
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()


def standard_blocks(lines: io.TextIOWrapper, dialect: Dialect, skipped: int, done: int) -> Iterator[bytes]:
    """Yield such rows in blocks, after lines that hold none and rows that are done."""
    with lines:
        for _ in range(skipped):
            lines.readline()
        rows = islice(standard_rows(lines, dialect), done, None)
        while block := "".join(islice(rows, ROWS)):
            yield block.encode()
