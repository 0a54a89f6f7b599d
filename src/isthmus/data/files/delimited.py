"""CSV and its relatives: cells in lines of text."""

import io
from collections.abc import Iterator
from typing import IO, Any

from isthmus.data.arrow_tables import arrow
from isthmus.data.files.blank_separated import standard_blocks, standard_rows
from isthmus.data.files.compression import open_bytes
from isthmus.data.files.dialects import BLANKS, Dialect, found_dialect, spelled
from isthmus.data.files.encodings import Encoding, found_encoding, known_encoding
from isthmus.data.files.places import Place
from isthmus.data.files.quoting import broken_quote, uneven_row
from isthmus.data.files.registry import Found, Wishes, reads
from isthmus.data.files.roles import Split
from isthmus.data.files.row_blocks import DoubtfulQuotesError, row_blocks
from isthmus.data.files.spilling import Collector, collected
from isthmus.data.files.text_streams import Utf8Stream
from isthmus.data.files.text_types import TextColumns

SAMPLE = 1 << 18
"""Characters that tell the dialect."""
NO_DELIMITER = "\x1f"
"""Stands between the cells of a single column: a character that no text has."""


class DelimitedFile:
    """A text file that holds a table.

    Parameters
    ----------
    place
        The file.
    wishes
        What the user says about it.
    tabs
        Whether its ending says that tabs stand between cells.
    """

    def __init__(self, place: Place, wishes: Wishes, tabs: bool = False) -> None:
        self.place = place
        self.shown = place.shown
        if wishes.encoding is None:
            self.encoding = found_encoding(self.open, self.shown)
        else:
            self.encoding = known_encoding(wishes.encoding)
        self.bare_returns = False
        sample = self.sample()
        if "\r" in sample and "\n" not in sample:
            self.bare_returns, sample = True, sample.replace("\r", "\n")
        self.dialect = found_dialect(sample, self.shown, wishes.delimiter, wishes.quote, wishes.header, tabs=tabs)
        self.each_cell = self.dialect.delimiter == BLANKS or self.dialect.after_blank

    def open(self) -> IO[bytes]:
        """Open the file, unpacked."""
        return open_bytes(self.place)

    def text(self) -> Utf8Stream:
        """Open the file as UTF-8."""
        return Utf8Stream(self.open(), self.encoding, self.shown, self.bare_returns)

    def lines(self) -> io.TextIOWrapper:
        """Open the file as lines of text."""
        return io.TextIOWrapper(io.BufferedReader(self.text(), 1 << 20), "utf-8", "surrogatepass", newline="")

    def sample(self) -> str:
        """Return the first lines."""
        with self.lines() as lines:
            found = lines.read(SAMPLE)
        if len(found) < SAMPLE:
            return found
        whole, _, _ = found.rpartition("\n")
        return whole + "\n" if whole else found

    def blocks(self, needed: tuple[str, ...]) -> Iterator[Any]:
        """Yield the rows as batches of texts."""
        count = 0
        try:
            for rows in self.texts(count):
                block = self.parsed(rows, needed)
                yield block
                count += block.num_rows
        except DoubtfulQuotesError:
            self.refuse_broken_quote()
            self.each_cell = True
            for rows in self.texts(count):
                yield self.parsed(rows, needed)

    def texts(self, done: int) -> Iterator[bytes]:
        """Yield the rows as text, in blocks, after some that are done."""
        dialect = self.dialect
        if self.each_cell:
            lines = self.lines()
            yield from standard_blocks(lines, dialect, dialect.skipped + dialect.has_header, done)
            return
        with self.text() as stream:
            skip_rows(stream, self.lines, dialect)
            yield from row_blocks(stream, dialect.delimiter, dialect.quote, self.shown)

    def parsed(self, rows: bytes, needed: tuple[str, ...]) -> Any:
        """Return rows as a table of texts."""
        import pyarrow.csv as reader

        dialect, pa = self.dialect, arrow()
        try:
            return reader.read_csv(
                pa.BufferReader(rows),
                reader.ReadOptions(column_names=list(dialect.names), block_size=max(len(rows), 1)),
                reader.ParseOptions(
                    delimiter=("," if self.each_cell else dialect.delimiter) or NO_DELIMITER,
                    quote_char='"' if self.each_cell else dialect.quote or False,
                    newlines_in_values=True,
                ),
                reader.ConvertOptions(
                    include_columns=list(needed),
                    column_types=dict.fromkeys(dialect.names, pa.string()),
                    strings_can_be_null=True,
                    null_values=[""],
                    quoted_strings_can_be_null=True,
                    check_utf8=False,  # every byte was checked
                ),
            )
        except pa.ArrowInvalid as error:
            raise ValueError(self.fault(error)) from error

    def refuse_broken_quote(self) -> None:
        """Raise a `ValueError` if a quotation mark is broken; line and column are told."""
        if not self.dialect.quote:
            return
        with self.lines() as lines:
            fault = broken_quote(lines, self.dialect.delimiter, self.dialect.quote)
        if fault is not None:
            raise ValueError(
                f"{self.shown} has a broken quotation: the mark in line {fault.line}, column {fault.column} "
                f"{fault.what}; write marks within cells twice, or give quote='' if marks are part of the text"
            )

    def fault(self, error: Exception) -> str:
        """Return the message that says what is wrong with the rows, and in which line."""
        self.refuse_broken_quote()
        dialect = self.dialect
        skipped, width = dialect.skipped + dialect.has_header, len(dialect.names)
        with self.lines() as lines:
            if dialect.delimiter == BLANKS:
                found = uneven_row(standard_rows(lines, dialect), ",", '"', width, skipped)
            else:
                found = uneven_row(lines, dialect.delimiter, dialect.quote, width, skipped)
        if found is None:
            return f"{self.shown} cannot be read: {error}"
        named = f", which names {width} columns" * dialect.has_header
        return (
            f"rows of {self.shown} differ in length: line {found.line} has {found.what}, and {width} are expected, as "
            f"in line {dialect.skipped + 1}{named}; mend that line (a {spelled(dialect.delimiter)} within a cell needs "
            "quotation marks around the cell), or give the right delimiter"
        )

    def told(self) -> list[str]:
        """Return what was found by looking, in sentences."""
        dialect = self.dialect
        between = f"{spelled(dialect.delimiter)} between cells" if dialect.delimiter else "a single column"
        names = "names in the first line" if dialect.has_header else "no names, so columns are called column_1, ..."
        quote = "" if dialect.quote in ('"', "") else ", cells in apostrophes"
        parts = [f"text with {between}{quote}, {names}, {told_encoding(self.encoding)}"]
        return [*parts, *dialect.notes]


def told_encoding(encoding: Encoding) -> str:
    """Return the encoding in words."""
    return f"encoding {encoding.name}" + (f" ({encoding.why})" if encoding.why else "")


def skip_rows(stream: Utf8Stream, lines: Any, dialect: Dialect) -> None:
    """Read past what comes before the first row: remarks and names, which may go over several lines."""
    count = dialect.skipped
    if dialect.has_header:
        with lines() as text:
            for _ in range(dialect.skipped):
                text.readline()
            line = text.readline()
            count += 1
            while dialect.quote and line.count(dialect.quote) % 2 == 1:
                more = text.readline()
                if not more:
                    break
                line, count = line + more, count + 1
    for _ in range(count):
        read_past_line(stream)


def read_past_line(stream: Utf8Stream) -> None:
    """Read past the next line, which ends with a line feed, a carriage return, or both."""
    held = b""
    while True:
        block = stream.read(1 << 16)
        held += block
        ends = [place for place in (held.find(b"\n"), held.find(b"\r")) if place >= 0]
        if not block or (ends and min(ends) + 1 < len(held)):
            break
    end = min(ends) if ends else len(held)
    end += 2 if held[end : end + 2] == b"\r\n" else 1
    stream.waiting = held[end:] + stream.waiting


def read_delimited(place: Place, wishes: Wishes, tabs: bool = False) -> Found:
    """Read a text file that holds a table."""
    file = DelimitedFile(place, wishes, tabs)
    dialect = file.dialect
    split: Split = wishes.roles.split(dialect.names, place.shown)
    whole_only = frozenset(split.ids) - frozenset(split.data)
    types = TextColumns(split.needed, wishes.as_written, whole_only, wishes.decimal)
    collector = Collector(split, wishes.limit, wishes.folder)
    found = collected(lambda: file.blocks(split.needed), types, collector)
    if not found.rows:
        names = "only names in the first line and" if dialect.has_header else ""
        raise ValueError(f"{place.shown} holds {names} no rows; give a file with rows below the names")
    told = file.told()
    if types.found_decimal:
        told[0] += f", decimal sign {types.found_decimal!r}"
    return Found(found, [*told, *types.gap_words()])


@reads("csv", (".csv", ".txt", ".dat"), "cells in lines of text", inside=True)
def read_csv(place: Place, wishes: Wishes) -> Found:
    """Read a text file, whatever stands between its cells."""
    return read_delimited(place, wishes)


@reads("tsv", (".tsv", ".tab"), "cells in lines of text with tabs between them", inside=True)
def read_tsv(place: Place, wishes: Wishes) -> Found:
    """Read a text file in which tabs are likely between cells."""
    return read_delimited(place, wishes, tabs=True)
