"""Writing of text: CSV, tab-separated values and JSON lines."""

import datetime as dt
import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from isthmus.data.arrow_tables import arrow
from isthmus.data.files.registry import writes


@writes("csv")
def write_csv(pieces: Iterator[Any], file: Any, shown: str) -> None:
    """Write pieces of a table with commas between cells."""
    write_delimited(pieces, file, ",")


@writes("tsv")
def write_tsv(pieces: Iterator[Any], file: Any, shown: str) -> None:
    """Write pieces of a table with tabs between cells."""
    write_delimited(pieces, file, "\t")


def write_delimited(pieces: Iterator[Any], file: Any, delimiter: str) -> None:
    """Write pieces of a table as lines; quotation marks stand where they are needed."""
    pa = arrow()
    named = False
    for piece in pieces:
        if not named:
            names = [quoted(pa.array([name]), delimiter)[0].as_py() for name in piece.column_names]
            file.write(f"{delimiter.join(names)}\n".encode())
            named = True
        if piece.num_rows:
            file.write(lines_of(piece, delimiter))
            file.write(b"\n")


def lines_of(table: Any, delimiter: str) -> memoryview:
    """Return the rows of a table as lines, without the last line feed."""
    pa = arrow()
    import pyarrow.compute as fn

    cells = [quoted(as_texts(column.combine_chunks()), delimiter) for column in table.columns]
    if len(cells) == 1:
        cells = [fn.fill_null(cells[0], '""')]  # an empty line would be no row
    lines = fn.binary_join_element_wise(*cells, delimiter, null_handling="replace", null_replacement="")
    lists = pa.LargeListArray.from_arrays(pa.array([0, len(lines)], pa.int64()), lines)
    return memoryview(fn.binary_join(lists, "\n")[0].as_buffer())


def quoted(texts: Any, delimiter: str) -> Any:
    """Return texts with quotation marks around those that need them: empty ones, and with a mark or a line feed within.

    Blanks at the ends need them, too.
    """
    import pyarrow.compute as fn

    special = re.escape(delimiter)
    needed = fn.match_substring_regex(texts, f'^$|[{special}"\\n\\r]|^\\s|\\s$')
    if not fn.any(needed).as_py():
        return texts
    mark = arrow().scalar('"', texts.type)
    return fn.if_else(
        needed, fn.binary_join_element_wise(mark, fn.replace_substring(texts, '"', '""'), mark, ""), texts
    )


def as_texts(column: Any) -> Any:
    """Return a column as texts; NaN is a missing cell, durations are in seconds, lists and records are JSON."""
    pa = arrow()
    import pyarrow.compute as fn

    types = pa.types
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if types.is_floating(column.type):
        column = column.cast("float32") if types.is_float16(column.type) else column
        column = fn.if_else(fn.is_nan(column), pa.scalar(None, column.type), column)
    elif types.is_duration(column.type):
        column = fn.divide(column.cast("duration[us]").cast("int64").cast("float64"), 1e6)
    elif types.is_timestamp(column.type):
        return shortest(column)
    elif types.is_nested(column.type):
        return pa.array([None if value is None else json.dumps(value, default=str) for value in column.to_pylist()])
    return column.cast(pa.string())


def shortest(column: Any) -> Any:
    """Return times as text, with as many digits of a second as all of them need."""
    pa = arrow()
    for unit in ("s", "ms", "us"):
        try:
            return column.cast(pa.timestamp(unit, column.type.tz)).cast(pa.string())
        except pa.ArrowInvalid:
            continue
    return column.cast(pa.string())


@writes("json")
def write_json(pieces: Iterator[Any], file: Any, shown: str) -> None:
    """Write pieces of a table as records, one per line."""
    for piece in pieces:
        lines = (json.dumps(plain(row), ensure_ascii=False, allow_nan=False) for row in piece.to_pylist())
        file.write("".join(f"{line}\n" for line in lines).encode())


def plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, float):
        # JSON has no infinite numbers.
        return value if math.isfinite(value) else None if math.isnan(value) else str(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    return float(value) if isinstance(value, Decimal) else value
