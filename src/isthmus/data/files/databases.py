"""Databases in a file: a table, or a query, of SQLite and DuckDB. Nothing is ever written to them."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

from isthmus.core.extras import extra_module
from isthmus.data.arrow_tables import arrow
from isthmus.data.files.dialects import refuse_twice
from isthmus.data.files.places import Place, chosen_part, listed
from isthmus.data.files.registry import Found, Wishes, reads
from isthmus.data.files.spilling import Collector, collected
from isthmus.data.files.value_types import ValueColumns

ROWS = 20_000
"""Rows that are fetched at a time."""
QUERIES = ("select", "with", "values", "from")
"""First words of queries that only read."""


def is_query(part: str) -> bool:
    """Whether the user gave a query, and not the name of a table.

    >>> is_query("select * from t"), is_query("selection")
    (True, False)
    """
    return part.split(None, 1)[0].lower() in QUERIES and len(part.split()) > 1 if part.strip() else False


def query_of(place: Place, tables: Sequence[str]) -> tuple[str, str]:
    """Return the query that reads what the user named, and what to call that; the only table if nothing was named."""
    if is_query(place.part):
        return place.part.rstrip().rstrip(";"), "a query"
    if place.part:
        name = chosen_part(place, "table", tables)
    elif len(tables) == 1:
        name = tables[0]
    else:
        example = f"{place.path}::{tables[0] if tables else 'table'}"
        raise ValueError(
            f"{place.shown} holds {len(tables)} tables, and one must be named, as in {example}, or a query, as in "
            f'"{place.path}::select ..."; {listed("table", tables)}'
        )
    quoted = '"' + name.replace('"', '""') + '"'
    return f"SELECT * FROM {quoted}", f"the table {name!r}"


class SqliteFile:
    """A database of SQLite, opened only for reading."""

    def __init__(self, place: Place) -> None:
        self.place = place
        try:
            self.query, self.what = query_of(place, self.tables())
            with closing(self.connected()) as connection:
                described = connection.execute(self.query).description
        except sqlite3.Error as error:
            raise ValueError(f"{place.shown} cannot be read: {error}; mend the query, or the file") from error
        self.names = [column[0] for column in described]

    def connected(self) -> sqlite3.Connection:
        """Return a connection that cannot write."""
        path = self.place.path.resolve()
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        connection.execute("PRAGMA query_only = 1")
        return connection

    def tables(self) -> list[str]:
        """Return the names of tables and views."""
        listing = (
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY 1"
        )
        with closing(self.connected()) as connection:
            return [name for (name,) in connection.execute(listing)]

    def blocks(self, needed: Sequence[str]) -> Iterator[dict[str, list[Any]]]:
        """Yield the values of the columns, some thousand rows at a time."""
        places = {name: self.names.index(name) for name in needed}
        try:
            with closing(self.connected()) as connection:
                cursor = connection.execute(self.query)
                while rows := cursor.fetchmany(ROWS):
                    yield {name: [row[place] for row in rows] for name, place in places.items()}
        except sqlite3.Error as error:
            raise ValueError(f"{self.place.shown} cannot be read to its end: {error}; it may be damaged") from error


@reads("sqlite", (".sqlite", ".sqlite3", ".db"), "a table of an SQLite database")
def read_sqlite(place: Place, wishes: Wishes) -> Found:
    """Read a table or the rows of a query."""
    file = SqliteFile(place)
    refuse_twice(file.names, place.shown)
    split = wishes.roles.split(file.names, place.shown)
    types = ValueColumns(place.shown, split.needed, wishes.as_written)
    collector = Collector(split, wishes.limit, wishes.folder)
    found = collected(lambda: file.blocks(split.needed), types, collector)
    refuse_no_rows(found.rows, file.what, place)
    return Found(found, [f"SQLite, {file.what}", *types.told()])


def refuse_no_rows(rows: int, what: str, place: Place) -> None:
    """Raise a `ValueError` if there are no rows."""
    if not rows:
        raise ValueError(f"{what} of {place.shown} has no rows; name another table, or change the query")


def duckdb() -> ModuleType:
    """Return the package duckdb.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    return extra_module("duckdb", "reading DuckDB databases", "duckdb", "duckdb")


@reads("duckdb", (".duckdb", ".ddb"), "a table of a DuckDB database")
def read_duckdb(place: Place, wishes: Wishes) -> Found:
    """Read a table or the rows of a query; types are the database's own."""
    package = duckdb()
    # Without access to other files, a query reads this database alone.
    safe = {"enable_external_access": "false"}
    try:
        with closing(package.connect(str(Path(place.path)), read_only=True, config=safe)) as connection:
            views = "SELECT view_name FROM duckdb_views() WHERE NOT internal"
            found = connection.execute(f"SELECT table_name FROM duckdb_tables() UNION {views}").fetchall()
            query, what = query_of(place, sorted(name for (name,) in found))
            reader = connection.sql(query).to_arrow_reader(ROWS)
            names = list(reader.schema.names)
            refuse_twice(names, place.shown)
            split = wishes.roles.split(names, place.shown)
            collector = Collector(split, wishes.limit, wishes.folder)
            for batch in reader:
                collector.add(plain_types(arrow().Table.from_batches([batch]).select(list(split.needed))))
    except package.Error as error:
        raise ValueError(f"{place.shown} cannot be read: {error}; mend the query, or the file") from error
    refuse_no_rows(collector.rows, what, place)
    return Found(collector.finish(), [f"DuckDB, {what}"])


def plain_types(table: Any) -> Any:
    """Return a table without types that only databases have: whole numbers of 128 bits, which come as decimals."""
    types = arrow().types
    for place, field in enumerate(table.schema):
        if types.is_decimal(field.type) and field.type.scale == 0 and field.type.precision > 18:
            table = table.set_column(place, field.name, table.column(place).cast("double"))
        elif types.is_dictionary(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(field.type.value_type))
    return table
