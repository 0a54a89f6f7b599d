"""Writing of text: CSV, tab-separated values and JSON lines."""

import datetime as dt
import json
import math
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
    import pyarrow.csv as csv

    writer = None
    try:
        for piece in pieces:
            table = as_cells(piece)
            if writer is None:
                names = delimiter.join(quoted(name, delimiter) for name in table.column_names)
                file.write(f"{names}\n".encode())
                options = csv.WriteOptions(include_header=False, delimiter=delimiter, quoting_style="needed")
                writer = csv.CSVWriter(file, table.schema, write_options=options)
            writer.write_table(table.cast(writer_schema(table, piece)))
    finally:
        if writer is not None:
            writer.close()


def writer_schema(table: Any, piece: Any) -> Any:
    """Return the schema of the cells of a piece."""
    return table.schema


def quoted(name: str, delimiter: str) -> str:
    """Return the name of a column as the first line holds it."""
    needed = not name or any(sign in name for sign in (delimiter, '"', "\n", "\r"))
    return '"' + name.replace('"', '""') + '"' if needed else name


def as_cells(table: Any) -> Any:
    """Return a table whose columns are of types that can be written as text; NaN is a missing cell.

    Durations are written in seconds.
    """
    pa = arrow()
    import pyarrow.compute as fn

    types = pa.types
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if types.is_floating(column.type):
            column = column.cast("float32") if types.is_float16(column.type) else column
            column = fn.if_else(fn.is_nan(column), pa.scalar(None, column.type), column)
        elif types.is_duration(column.type):
            column = fn.divide(column.cast("duration[us]").cast("int64").cast("float64"), 1e6)
        elif types.is_timestamp(column.type) and column.type.unit != "s":
            column = shortest(column)
        elif types.is_nested(column.type):
            column = pa.array([None if value is None else json.dumps(value, default=str) for value in column.to_pylist()])
        columns[name] = column
    return pa.table(columns)


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
