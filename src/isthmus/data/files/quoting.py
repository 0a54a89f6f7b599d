"""What breaks the rules of a text file, with its line: a quotation mark, or a row of another length."""

import csv
from collections.abc import Iterable
from typing import Any, NamedTuple


class Fault(NamedTuple):
    """A place in a text file that breaks its rules."""

    line: int
    column: int
    """In characters, from 1."""
    what: str


def broken_quote(lines: Iterable[str], delimiter: str, quote: str) -> Fault | None:
    """Return the first quotation mark that is never closed, or is followed by more of the cell; None if there is none.

    Examples
    --------
    >>> fault = broken_quote(["a,b", '1,"x"y'], ",", '"')
    >>> fault.line, fault.column
    (2, 5)
    >>> broken_quote(["a,b", '1,5" pipe'], ",", '"')
    """
    opened: tuple[int, int] | None = None
    for number, line in enumerate(lines, 1):
        if quote not in line:
            continue
        place = 0
        while True:
            if opened is None:
                place = next_opening(line, place, delimiter, quote)
                if place < 0:
                    break
                opened, place = (number, place + 1), place + 1
            place, after = closing_mark(line, place, quote)
            if place < 0:
                break
            if after not in ("", "\r", "\n", delimiter):
                comma = "a comma" if delimiter == "," else repr(delimiter)
                return Fault(number, place + 1, f"is followed by {after!r} and not by {comma} or the end of the line")
            opened, place = None, place + 1
    return None if opened is None else Fault(*opened, "is never closed")


def next_opening(line: str, start: int, delimiter: str, quote: str) -> int:
    """Return where the next mark stands that opens a cell; -1 for none."""
    place = line.find(quote, start)
    while place > 0 and line[place - 1] != delimiter:
        place = line.find(quote, place + 1)
    return place


def closing_mark(line: str, start: int, quote: str) -> tuple[int, str]:
    """Return where the mark stands that closes a cell, and what follows it; -1 if the line has none."""
    place = line.find(quote, start)
    while place >= 0 and line[place + 1 : place + 2] == quote:
        place = line.find(quote, place + 2)
    return place, line[place + 1 : place + 2]


def uneven_row(lines: Iterable[str], delimiter: str, quote: str, width: int, skipped: int) -> Fault | None:
    """Return the first row that has not `width` cells, after some lines that are no rows; None if there is none."""
    remaining = iter(lines)
    for _ in range(skipped):
        next(remaining, None)
    limit = csv.field_size_limit(2**31 - 1)
    try:
        style: dict[str, Any] = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
        reader = csv.reader(remaining, delimiter=delimiter or "\0", **style)
        before = 0
        for row in reader:
            if row and len(row) != width:
                return Fault(before + 1 + skipped, 1, f"{len(row)} cells")
            before = reader.line_num
    finally:
        csv.field_size_limit(limit)
    return None
