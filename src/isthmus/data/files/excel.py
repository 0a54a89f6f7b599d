"""Excel: a sheet of a workbook (.xlsx)."""

import datetime as dt
import io
import math
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from importlib import import_module
from itertools import islice
from types import ModuleType
from typing import IO, Any

from isthmus.core.extras import MissingExtraError
from isthmus.data.arrow_tables import arrow
from isthmus.data.files.compression import damage_told
from isthmus.data.files.dialects import column_names, names_come_first
from isthmus.data.files.places import Place, chosen_part, listed
from isthmus.data.files.registry import Found, Wishes, reads, writes
from isthmus.data.files.spilling import Collector, collected
from isthmus.data.files.value_types import NOTHING, ValueColumns, as_text
from isthmus.data.gaps import is_gap_text

ROWS = 5_000
"""Rows that are converted at a time."""
LOOKED_AT = 200
"""Rows that tell whether names come first."""
MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
"""What a sheet holds."""
Row = tuple[Any, ...]


def openpyxl() -> ModuleType:
    """Return the package openpyxl.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        return import_module("openpyxl")
    except ImportError as error:
        raise MissingExtraError("reading and writing Excel files", "openpyxl", "excel") from error


class Sheet:
    """A sheet of a workbook.

    Parameters
    ----------
    place
        The workbook, and the name of the sheet if the user gave it.
    file
        The workbook, open.
    header
        Whether names come first; None to find it.
    """

    def __init__(self, place: Place, file: IO[bytes], header: bool | None) -> None:
        self.place = place
        self.file = file
        with damage_told(place.shown):
            try:
                self.book = openpyxl().load_workbook(file, read_only=True, data_only=True)
            except (KeyError, ValueError, zipfile.BadZipFile) as error:
                raise ValueError(f"{place.shown} cannot be read as an Excel file: {error}; save it again") from error
        self.name, self.others = self.chosen()
        rows = list(islice(self.rows(), LOOKED_AT))
        if not rows:
            raise ValueError(f"the sheet {self.name!r} of {place.shown} is empty; {listed('sheet', self.others)}")
        first = ["" if cell is None else as_text(cell) for cell in rows[0]]
        self.has_header = self.found_header(rows) if header is None else header
        self.names, self.notes = column_names(first, self.has_header, place.shown)

    def close(self) -> None:
        """Close the workbook."""
        self.book.close()

    def has_formulas(self) -> bool:
        """Whether one of the first rows holds a formula."""
        self.file.seek(0)
        with closing(openpyxl().load_workbook(self.file, read_only=True)) as book:
            rows = islice(book[self.name].iter_rows(values_only=True), LOOKED_AT)
            return any(isinstance(cell, str) and cell.startswith("=") for row in rows for cell in row)

    def chosen(self) -> tuple[str, list[str]]:
        """Return the name of the sheet, and of all."""
        names = [sheet.title for sheet in self.book.worksheets]
        if self.place.part:
            return chosen_part(self.place, "sheet", names), names
        for name in names:
            if next(self.rows_of(name), None) is not None:
                return name, names
        return names[0], names

    def rows(self) -> Iterator[Row]:
        """Yield the rows that hold anything."""
        return self.rows_of(self.name)

    def rows_of(self, name: str) -> Iterator[Row]:
        """Yield the rows of a sheet that hold anything, all as wide as the first."""
        width = 0
        sheet = self.book[name]
        sheet.reset_dimensions()  # what the file says of its size may be wrong
        for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
            cells = without_end(row)
            if not cells:
                continue
            width = width or len(cells)
            if len(cells) > width:
                raise ValueError(
                    f"row {number} of the sheet {name!r} of {self.place.shown} has {len(cells)} cells, and the first "
                    f"row {width}; give each column a name in the first row, or remove what stands beside the table"
                )
            yield cells + (None,) * (width - len(cells))

    @staticmethod
    def found_header(rows: Sequence[Row]) -> bool:
        """Whether names come first: texts alone, above anything."""
        first, below = rows[0], rows[1:]
        if any(cell is not None and not isinstance(cell, str) for cell in first):
            return False
        if any(cell is not None and not isinstance(cell, str) for row in below for cell in row):
            return True
        texts = [["" if cell is None else cell for cell in row] for row in rows]
        return names_come_first(texts[0], texts[1:])

    def blocks(self, needed: Sequence[str]) -> Iterator[dict[str, list[Any]]]:
        """Yield the values of the columns, some thousand rows at a time."""
        places = {name: self.names.index(name) for name in needed}
        rows = self.rows()
        if self.has_header:
            next(rows)
        while block := list(islice(rows, ROWS)):
            yield {name: [value_of(row[place]) for row in block] for name, place in places.items()}


def without_end(row: Row) -> Row:
    """Return a row without the empty cells at its end."""
    end = len(row)
    while end and row[end - 1] is None:
        end -= 1
    return row[:end]


def value_of(cell: Any) -> Any:
    """Return the value of a cell; errors of formulas, such as #N/A, are missing."""
    if isinstance(cell, str):
        text = cell.strip()
        return None if not text or (text.startswith("#") and is_gap_text(text)) else cell
    if isinstance(cell, dt.time):
        return cell.isoformat()
    return cell.total_seconds() if isinstance(cell, dt.timedelta) else cell


@reads("excel", (".xlsx", ".xlsm"), "a sheet of an Excel workbook")
def read_excel(place: Place, wishes: Wishes) -> Found:
    """Read the sheet that was named, or the first that holds anything."""
    # openpyxl refuses paths with other endings, but no open files.
    with open(place.path, "rb") as file, closing(Sheet(place, file, wishes.header)) as sheet:
        return read_sheet(sheet, place, wishes)


def read_sheet(sheet: Sheet, place: Place, wishes: Wishes) -> Found:
    """Read a sheet."""
    split = wishes.roles.split(sheet.names, place.shown)
    types = ValueColumns(place.shown, split.needed, wishes.as_written)
    collector = Collector(split, wishes.limit, wishes.folder)
    found = collected(lambda: sheet.blocks(split.needed), types, collector)
    if not found.rows:
        raise ValueError(f"the sheet {sheet.name!r} of {place.shown} holds names and no rows; add rows below them")
    empty = [name for name, kind in types.kinds.items() if kind == NOTHING]
    if empty and sheet.has_formulas():
        raise ValueError(
            f"column {empty[0]!r} of the sheet {sheet.name!r} of {place.shown} is empty, and the sheet holds formulas "
            "whose results were never stored; open it in Excel and save it, or leave the column out"
        )
    names = "names in the first row" if sheet.has_header else "no names, so columns are called column_1, ..."
    others = [f"there are {len(sheet.others)} sheets: {', '.join(sheet.others)}"] * (len(sheet.others) > 1)
    return Found(found, [f"Excel, sheet {sheet.name!r}, {names}", *others, *sheet.notes, *types.told()])


@writes("excel")
def write_excel(pieces: Iterator[Any], file: Any, shown: str) -> None:
    """Write pieces of a table to one sheet."""
    book = openpyxl().Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    try:
        append_rows(sheet, pieces, shown)
    finally:
        sheet.close()
    # openpyxl leaves the archive open if the disk is full; a sheet fits into memory.
    whole = io.BytesIO()
    book.save(whole)
    file.write(whole.getbuffer())


def append_rows(sheet: Any, pieces: Iterator[Any], shown: str) -> None:
    """Write pieces of a table to a sheet, with names in the first row."""
    rows = 0
    for piece in pieces:
        if not rows:
            sheet.append([as_cell(sheet, name) for name in piece.column_names])
        rows += piece.num_rows
        if rows >= MOST_ROWS or piece.num_columns > MOST_COLUMNS:
            raise ValueError(
                f"{shown} would have more than {MOST_ROWS:,} rows or {MOST_COLUMNS:,} columns, which no sheet of Excel "
                "holds; write CSV or Parquet"
            )
        columns = [plain_values(column) for column in piece.columns]
        for row in zip(*columns, strict=True):
            sheet.append([as_cell(sheet, value) for value in row])


def plain_values(column: Any) -> list[Any]:
    """Return the values of a column as Excel takes them: times have no zone there."""
    pa = arrow()
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        return [None if value is None else value.isoformat() for value in column.to_pylist()]
    return [None if isinstance(value, float) and value != value else value for value in column.to_pylist()]


def as_cell(sheet: Any, value: Any) -> Any:
    """Return a cell; text that begins with "=" stays text and is no formula, and numbers keep all their digits."""
    if isinstance(value, float) and (math.isinf(value) or float(f"{value:.16g}") != value):
        return number_cell(sheet, value)
    if not isinstance(value, str):
        return value
    package = openpyxl()
    try:
        cell = package.cell.WriteOnlyCell(sheet, value=value)
    except package.utils.exceptions.IllegalCharacterError as error:
        raise ValueError(
            f"the text {value!r} has a character that Excel does not take; write CSV or Parquet"
        ) from error
    cell.data_type = "s"
    return cell


def number_cell(sheet: Any, value: float) -> Any:
    """Return a cell with a number of 17 digits, of which openpyxl would write 16; infinite ones are text."""
    cell = openpyxl().cell.WriteOnlyCell(sheet, value=repr(value))
    cell.data_type = "n" if math.isfinite(value) else "s"
    return cell
