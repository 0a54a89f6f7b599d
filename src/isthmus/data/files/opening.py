"""`open_file`: data of any format, as every estimator takes them."""

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

from isthmus.data.files import (  # noqa: F401  formats register themselves
    columnar,
    databases,
    delimited,
    excel,
    json_lines,
    matrix_market,
    numpy_files,
)
from isthmus.data.files.detecting import detected
from isthmus.data.files.named_sets import is_named, read_named
from isthmus.data.files.pivoting import pivot_of, pivoted
from isthmus.data.files.places import STANDARD, Place, place_of, refuse_absent
from isthmus.data.files.registry import Found, Wishes
from isthmus.data.files.roles import roles_of
from isthmus.data.files.spilling import TemporaryFolder, memory_limit
from isthmus.data.files.standard_input import kept_input
from isthmus.data.schema import TableSchema
from isthmus.data.text_columns import is_written_as_text


@dataclass(frozen=True, eq=False, repr=False)
class DataFile:
    """Data that were read from a file.

    It may own temporary files, which are removed by `close`, at the end of a `with` block, or with the object.

    Parameters
    ----------
    name : str
        For titles: the file's name without its ending.
    data : Table of pyarrow, ndarray, csr_array, or a source that is read piece by piece
        What is trained on, or given to a model; every estimator takes it as X.
    rows : int
        How many rows.
    columns : tuple of str
        Names of the columns of `data`; () for images, and for arrays whose columns have no names.
    ids : Table of pyarrow or None
        The columns that identify rows, as given, (rows, ids); of a table of pairs, the labels of the rows.
    target : ndarray of shape (rows,) or None
        Labels: numbers, or objects with None where they are missing.
    target_name : str or None
        The name of their column.
    found : tuple of str
        What was found by looking, in sentences.
    format : str
        The format of the file, such as "csv".
    path : Path or None
        The file or folder; None for standard input and named data sets.
    streamed : bool
        Whether `data` is larger than the memory limit, and is read piece by piece.
    """

    name: str
    data: Any
    rows: int
    columns: tuple[str, ...] = ()
    ids: Any = None
    target: np.ndarray | None = None
    target_name: str | None = None
    found: tuple[str, ...] = ()
    format: str = ""
    path: Path | None = None
    streamed: bool = False
    folder: TemporaryFolder = field(default_factory=TemporaryFolder)

    def __repr__(self) -> str:
        return f"DataFile({self.name!r}: {self.rows:,} rows, {len(self.columns) or self.data.shape[1:]} columns)"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove temporary files; `data` of a streamed file cannot be read then."""
        self.folder.close()


def open_file(
    where: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002
    columns: str | Collection[str] | None = None,
    exclude: str | Collection[str] = (),
    ids: str | Collection[str] = (),
    target: str | None = None,
    pivot: str | Collection[str] | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    header: bool | None = None,
    quote: str | None = None,
    schema: TableSchema | None = None,
    memory: int | None = None,
    stream: IO[bytes] | None = None,
) -> DataFile:
    """Read a file of any format, so that every estimator takes its data as they are.

    CSV and other text with cells in lines, JSON lines, Excel, Parquet, Arrow (Feather), numpy's .npy and .npz, Matrix
    Market, SQLite and DuckDB; text also compressed (.gz, .zst, .bz2, .xz, .zip). What the user does not say is found
    by looking, and told in `found`. Types of columns are decided over the whole file; 007, phone numbers and numbers of
    twenty digits stay text; empty cells are missing, and words such as n/a are among numbers.

    Parameters
    ----------
    where : str or path
        A file; a folder or a pattern of paths of Parquet files; a part of a file (`book.xlsx::May`, `all.npz::X`,
        `all.zip::a.csv`, `base.sqlite::orders`, `base.sqlite::select * from orders where paid`); the name of a data set
        (`mnist`, `mnist::test`), if no file has that name; or "-" for standard input.
    format : str, optional
        The format, whatever the file's bytes and its ending say: "csv", "tsv", "json", "excel", "parquet", "arrow",
        "npy", "npz", "mtx", "sqlite" or "duckdb".
    columns : names, optional
        Columns that are in `data`; all without another role by default. Names are a sequence, or a text with commas.
    exclude : names
        Columns that are left out.
    ids : names
        Columns that identify rows, for `DataFile.ids`. They are not trained on.
    target : str, optional
        The column of labels, for `DataFile.target`; of a .npz file also the name of another array. Not trained on.
    pivot : names, optional
        The columns of a table of pairs, which becomes a sparse matrix: of its rows, of its columns, and, if there are
        any, of its cells (numbers; those of the same pair are added).
    delimiter : str, optional
        What stands between cells: ",", ";", "|", a tab, or " " for any number of blanks.
    encoding : str, optional
        Such as "utf-8", "utf-16", "cp1252".
    decimal : {".", ","}, optional
        The decimal sign of numbers.
    header : bool, optional
        Whether the first line holds names.
    quote : str, optional
        What stands around cells that hold the delimiter; "" for nothing.
    schema : TableSchema, optional
        Of a model: columns that were text in its training stay text, whatever they hold here.
    memory : int, optional
        Bytes of rows that are kept in memory; an eighth of the machine's by default. Larger files are read from
        themselves, or from a temporary Parquet file, piece by piece.
    stream : binary file, optional
        In place of standard input.

    Returns
    -------
    DataFile

    Raises
    ------
    FileNotFoundError, PermissionError, OSError
        If the file is not there or must not be read; files with similar names are told.
    ValueError
        If what is in it cannot be read as it should be; the message says where, and what to do.
    MissingExtraError
        If a package is missing that reads the format; the message says how to install it.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "towns.csv"
    >>> _ = path.write_text(chr(10).join(["plate;area", "007;1,5", "012;n/a"]))
    >>> file = open_file(path, ids="plate")
    >>> file.data.to_pydict(), file.ids.to_pydict()
    ({'area': [1.5, None]}, {'plate': ['007', '012']})
    >>> file.found[0]
    "text with semicolon between cells, names in the first line, encoding utf-8, decimal sign ','"
    """
    refuse_odd_options(decimal, pivot, columns, exclude, ids, target)
    folder = TemporaryFolder()
    roles = roles_of(columns, exclude, ids, target) if pivot is None else pivot_of(pivot).roles
    as_written = frozenset() if schema is None else text_columns_of(schema)
    limit = memory_limit() if memory is None else memory
    wishes = Wishes(roles, limit, folder, delimiter, encoding, decimal, header, quote, as_written)
    found, place, kind, notes = read_place(where, format, wishes, stream)
    if pivot is not None:
        found = pivoted(found)
    collected = found.collected
    names = found.columns if found.columns is not None else names_of(collected.data)
    temporary = place.path.parent == folder.made
    size = [f"{collected.rows:,} rows, {len(names) or width_of(collected.data):,} columns"]
    large = [f"more than {limit / 2**20:,.0f} MiB: read piece by piece"] if collected.streamed else []
    return DataFile(
        place.title,
        collected.data,
        collected.rows,
        names,
        collected.ids,
        collected.target,
        None if collected.target is None else target or "class",
        (*notes, *found.found, *size, *large),
        kind,
        None if temporary or kind == "named" else place.path,
        collected.streamed,
        folder,
    )


def refuse_odd_options(decimal: str | None, pivot: object, *roles: object) -> None:
    """Raise a `ValueError` for options that make no sense, or not together."""
    if decimal not in (None, ".", ","):
        raise ValueError(f"the decimal sign must be '.' or ',', got {decimal!r}")
    if pivot is not None and any(role not in (None, (), [], "") for role in roles):
        raise ValueError("a table of pairs (pivot) has no other columns: leave out columns, exclude, ids and target")


def read_place(
    where: str | os.PathLike[str], given: str | None, wishes: Wishes, stream: IO[bytes] | None
) -> tuple[Found, Place, str, tuple[str, ...]]:
    """Read what the user named; return also where it is, its format, and what to tell of how that was found."""
    notes: tuple[str, ...] = ()
    if os.fspath(where).partition("::")[0] == STANDARD:
        part = os.fspath(where).partition("::")[2]
        place = Place(kept_input(wishes.folder, stream), part, "standard input")
    else:
        place = place_of(where)
        if is_named(place) and not place.path.exists():
            return read_named(place, wishes), place, "named", ()
        if is_named(place):
            notes = (f"the file {place.path}, and not the data set of that name",)
        refuse_absent(place)
    found = detected(place, given, wishes.folder)
    assert found.format.read is not None, "only formats that are read are found"
    try:
        read = found.format.read(found.place, wishes)
    except PermissionError as error:
        raise PermissionError(f"{place.path} must not be read by this user: change its permissions") from error
    titled = replace_title(place)
    return read, titled, found.format.name, (*notes, *found.notes)


def replace_title(place: Place) -> Place:
    """Return a place with a part that is fit for a title: queries are not."""
    return place._replace(part="") if len(place.part.split()) > 3 else place


def text_columns_of(schema: TableSchema) -> frozenset[str]:
    """Return the names of the columns that were text when a model was trained."""
    if schema.frame is None:
        return frozenset()
    return frozenset(str(known.name) for known in schema.frame.fields if is_written_as_text(known))


def names_of(data: Any) -> tuple[str, ...]:
    """Return the names of the columns of what was read, if it has any."""
    if isinstance(data, str):
        from isthmus.data.parquet import ParquetFiles

        return tuple(ParquetFiles(data).columns)
    if isinstance(data, columnar.ParquetColumns):
        return data.columns
    return tuple(data.column_names) if hasattr(data, "column_names") else ()


def width_of(data: Any) -> int:
    """Return how many columns an array has; of images, how many pixels."""
    return int(np.prod(data.shape[1:]))
