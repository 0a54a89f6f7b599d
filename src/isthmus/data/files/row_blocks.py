"""Blocks of whole rows of a text file, whose quotation marks were checked."""

from collections.abc import Iterator
from typing import Any

import numpy as np

BLOCK = 1 << 23
"""Bytes that are read at a time."""
LONGEST = 1 << 26
"""Bytes that a row may take."""


class DoubtfulQuotesError(Exception):
    """A quotation mark neither opens a cell nor closes it: only a slow look at each cell tells what it is."""


def row_blocks(stream: Any, delimiter: str, quote: str, shown: str) -> Iterator[bytes]:
    """Yield the rows of a text in UTF-8, some MiB at a time; each block ends with a line feed.

    Parameters
    ----------
    stream
        The text, from its first row on.
    delimiter, quote
        What stands between and around cells; "" for nothing.
    shown
        What messages call the file.

    Raises
    ------
    DoubtfulQuotesError
        At the block in which a quotation mark is not at the edge of a cell, or is never closed.
    ValueError
        If a row is larger than a table's can be.
    """
    rest = b""
    while block := stream.read(BLOCK):
        rest += block
        end = end_of_rows(rest, quote)
        if end:
            yield checked(rest[:end], delimiter, quote)
            rest = rest[end:]
        elif len(rest) > LONGEST:
            checked(rest[: rest.rfind(b"\n") + 1], delimiter, quote)
            raise ValueError(f"{shown} has a row of more than {LONGEST >> 20} MiB, so it is no table of cells in lines")
    if rest.strip():
        yield checked(rest if rest.endswith(b"\n") else rest + b"\n", delimiter, quote)


def end_of_rows(text: bytes, quote: str) -> int:
    """Return where the last whole row ends, in a text that begins with a row; 0 if none does.

    >>> rows = b"1,2" + bytes([10]) + b'3,"4' + bytes([10])
    >>> end_of_rows(rows, '"')
    4
    """
    end = text.rfind(b"\n")
    if not quote or end < 0:
        return end + 1
    marks = np.flatnonzero(np.frombuffer(text, np.uint8) == ord(quote))
    while end >= 0:
        before = int(np.searchsorted(marks, end))
        if before % 2 == 0:
            return end + 1
        end = text.rfind(b"\n", 0, int(marks[before - 1]))
    return 0


def checked(rows: bytes, delimiter: str, quote: str) -> bytes:
    """Return whole rows if every quotation mark opens a cell, closes it, or is doubled within it."""
    if not quote or quote.encode() not in rows:
        return rows
    text = np.frombuffer(b"\n" + rows, np.uint8)
    marks = np.flatnonzero(text == ord(quote))
    edges = np.frombuffer(f"{delimiter}\r\n{quote}".encode(), np.uint8)
    well_placed = np.isin(text[marks[0::2] - 1], edges).all() and np.isin(text[marks[1::2] + 1], edges).all()
    if len(marks) % 2 or not well_placed:
        raise DoubtfulQuotesError
    return rows
