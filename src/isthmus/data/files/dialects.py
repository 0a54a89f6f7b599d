"""How a text file writes a table: what stands between its cells, around them, and whether names come first."""

import csv
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from isthmus.data.gaps import is_gap_text
from isthmus.data.number_texts import parts
from isthmus.data.time_texts import shape_of

CANDIDATES = (",", "\t", ";", "|")
BLANKS = " "
"""Stands for any number of blanks and tabs between cells."""
ROWS = 200
"""Rows that are looked at."""
WORDS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar", BLANKS: "blanks"}
IN_APOSTROPHES = re.compile(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|]|$)", re.MULTILINE)


class Dialect(NamedTuple):
    """How a text file writes a table."""

    delimiter: str
    """What stands between cells; "" where there is one column, " " for any number of blanks."""
    quote: str = '"'
    """What stands around cells that hold the delimiter; "" for nothing."""
    names: tuple[str, ...] = ()
    """Of the columns; made up if the file has none."""
    has_header: bool = True
    """Whether names are in the first line."""
    after_blank: bool = False
    """Whether a blank follows every delimiter and is no part of the cell."""
    skipped: int = 0
    """Lines before the names or the first row: remarks, blank lines, "sep=;"."""
    notes: tuple[str, ...] = ()
    """What else was found."""


def spelled(delimiter: str) -> str:
    """Return a delimiter in words."""
    return WORDS.get(delimiter, repr(delimiter))


def found_dialect(
    sample: str, shown: str, delimiter: str | None, quote: str | None, header: bool | None, *, tabs: bool = False
) -> Dialect:
    """Find out how a file writes a table from its first lines.

    Parameters
    ----------
    sample
        Whole lines, at the beginning of the file.
    shown
        What messages call the file.
    delimiter, quote, header
        What the user says; None if nothing.
    tabs
        Whether the ending of the file says that tabs stand between cells.
    """
    lines = sample.splitlines(keepends=True)
    skipped, told, notes = leading_lines(lines)
    body = "".join(lines[skipped:])
    if not body.strip():
        raise ValueError(f"{shown} holds no rows; give a file with names in the first line and a row below")
    quote = found_quote(body) if quote is None else quote
    if len(quote) > 1:
        raise ValueError(f"the quotation mark must be one character, or '' for none; got {quote!r}")
    delimiter = told if delimiter is None else delimiter
    if delimiter is None:
        delimiter = found_delimiter(body, quote, tabs)
    else:
        refuse_wrong_delimiter(delimiter, body, quote, shown, tabs)
    after_blank = delimiter in (",", ";", "|") and follows_blank(body, delimiter)
    rows = rows_of(body, delimiter, quote, after_blank)
    first, below = rows[0], rows[1:]
    has_header = names_come_first(first, below) if header is None else header
    names, more = column_names(first, has_header, shown)
    return Dialect(delimiter, quote, names, has_header, after_blank, skipped, (*notes, *more))


def leading_lines(lines: Sequence[str]) -> tuple[int, str | None, list[str]]:
    """Return how many lines come before the table, the delimiter that one of them names, and what to tell of them."""
    count, told, notes = 0, None, []
    for line in lines:
        if line.lower().startswith("sep=") and len(line.strip()) in (4, 5):
            told = line[4:5] if line[4:5] not in ("\r", "\n", "") else "\t"
        elif line.strip() and not (line.startswith("#") and count < len(lines) - 1):
            break
        count += 1
    if told is not None:
        notes.append(f"the first line says that a {spelled(told)} stands between cells")
    remarks = sum(line.startswith("#") for line in lines[:count])
    if remarks:
        notes.append(f"{remarks} lines that begin with # were passed over")
    return count, told, notes


def found_quote(body: str) -> str:
    """Return what stands around cells: apostrophes if several cells have them and none has quotation marks."""
    return "'" if '"' not in body and len(IN_APOSTROPHES.findall(body)) > 2 else '"'


def rows_of(body: str, delimiter: str, quote: str, after_blank: bool = False) -> list[list[str]]:
    """Return the first rows of a text, cut into cells."""
    lines = body.splitlines(keepends=True)
    if delimiter == BLANKS:
        return [cells_between_blanks(line, quote) for line in lines[: ROWS + 1] if line.strip()]
    if delimiter == "":
        return [[line.strip("\r\n")] for line in lines[: ROWS + 1] if line.strip()]
    style = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=after_blank, **style)
    found = []
    try:
        for row in reader:
            if row:
                found.append(row)
            if len(found) > ROWS:
                break
    except csv.Error:  # a quotation mark that is never closed; it is told of with its place where rows are read
        pass
    return found or [[""]]


def cells_between_blanks(line: str, quote: str) -> list[str]:
    """Return the cells of a line in which blanks stand between them.

    >>> cells_between_blanks("1.5   'New York'  3", "'")
    ['1.5', 'New York', '3']
    """
    if not quote or quote not in line:
        return line.split()
    inside = re.escape(quote)
    found = re.findall(rf"{inside}((?:[^{inside}]|{inside}{inside})*){inside}|(\S+)", line)
    return [quoted or plain for quoted, plain in found]


def found_delimiter(body: str, quote: str, tabs: bool = False) -> str:
    """Return the delimiter that cuts most rows into the same number of cells, at least two; "" if none does."""
    order = ("\t", ",", ";", "|") if tabs else CANDIDATES
    scores = {delimiter: evenness(rows_of(body, delimiter, quote)) for delimiter in order}
    best = max(order, key=lambda delimiter: scores[delimiter])
    if scores[best][0] >= 0.8:
        return best
    if evenness(rows_of(body, BLANKS, quote))[0] == 1.0:
        return BLANKS
    # Names that hold the delimiter as often as rows do, and rows that are broken: the error tells the line.
    return best if scores[best][0] >= 0.5 else ""


def evenness(rows: Sequence[Sequence[str]]) -> tuple[float, int]:
    """Return the share of rows with as many cells as the first one, and that number; (0, 1) for a single column."""
    width = len(rows[0])
    if width < 2:
        return 0.0, 1
    # The last row of a sample may be cut.
    return sum(len(row) == width for row in rows) / len(rows), width


def refuse_wrong_delimiter(delimiter: str, body: str, quote: str, shown: str, tabs: bool) -> None:
    """Raise a `ValueError` if the delimiter that the user gave does not cut the rows, and another one does."""
    if len(delimiter) > 1:
        raise ValueError(
            f"the delimiter must be one character, got {delimiter!r}; give ',', ';', '|', '\\t' for tabs, or ' ' for "
            "any number of blanks"
        )
    if len(rows_of(body, delimiter, quote)[0]) > 1:
        return
    other = found_delimiter(body, quote, tabs)
    if other not in ("", delimiter):
        first = body.splitlines()[0]
        cells = len(rows_of(body, other, quote)[0])
        raise ValueError(
            f"a {spelled(delimiter)} does not stand between the cells of {shown}: its first line is {first[:80]!r}; a "
            f"{spelled(other)} makes {cells} columns of it: give that, or leave the delimiter to be found"
        )


def follows_blank(body: str, delimiter: str) -> bool:
    """Whether a blank follows nearly every delimiter, as in "1, 2, 3"."""
    inside = "".join(body.splitlines(keepends=True)[:ROWS])
    return 0 < inside.count(delimiter) * 0.9 <= inside.count(delimiter + " ")


def is_value(text: str) -> bool:
    """Whether a text is a number or a time."""
    return parts(text) is not None or shape_of(text) is not None


def names_come_first(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether the first row holds names: words above numbers or times, or above other words."""
    rows = [row for row in below if len(row) == len(first)]
    values = words = 0
    for place, name in enumerate(first):
        column = [row[place] for row in rows if not is_gap_text(row[place])]
        if not column or sum(map(is_value, column)) <= 0.5 * len(column):
            continue
        values += is_value(name)
        words += not is_value(name) and not is_gap_text(name)
    if words or not rows:
        return True
    if values:
        return are_numbered(first) and 2 * sum(map(are_numbered, rows)) < len(rows)
    named = [name for name in first if name.strip()]
    again = any(any(row[place] == name for row in rows) for place, name in enumerate(first) if name.strip())
    return bool(named) and len(set(named)) == len(named) and not again


def are_numbered(row: Sequence[str]) -> bool:
    """Whether the cells of a row are numbers one after another, as names may be: 0, 1, 2, or the years of a table.

    >>> are_numbered(["", "0", "1"]), are_numbered(["2019", "2020", "2021"]), are_numbered(["1", "2"])
    (True, True, False)
    """
    numbers = [int(cell) for cell in row if cell.strip().isdecimal()]
    one_by_one = all(b - a == 1 for a, b in itertools.pairwise(numbers))
    words = [cell for cell in row if not is_value(cell)]
    return one_by_one and len(numbers) + len(words) == len(row) and len(numbers) > (1 if words else 2)


def column_names(first: Sequence[str], has_header: bool, shown: str) -> tuple[tuple[str, ...], list[str]]:
    """Return the names of the columns, and what to tell of them.

    Raises
    ------
    ValueError
        If a name is there twice.
    """
    if not has_header:
        return tuple(f"column_{place}" for place in range(1, len(first) + 1)), []
    names = [name.strip() for name in first]
    refuse_twice(names, shown)
    nameless = [place for place, name in enumerate(names, 1) if not name]
    for place in nameless:
        names[place - 1] = free_name(f"column_{place}", names)
    return tuple(names), [f"column {place} has no name and is called {names[place - 1]!r}" for place in nameless]


def free_name(name: str, taken: Sequence[str]) -> str:
    """Return a name that is not taken."""
    while name in taken:
        name += "_"
    return name


def refuse_twice(names: Sequence[str], shown: str) -> None:
    """Raise a `ValueError` if a name of a column is there twice; the places are told."""
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        places = [str(place) for place, name in enumerate(names, 1) if name == twice[0]]
        raise ValueError(
            f"{shown} has {len(places)} columns called {twice[0]!r} (columns {', '.join(places[:-1])} and "
            f"{places[-1]}); give each a name of its own in the first line"
        )
