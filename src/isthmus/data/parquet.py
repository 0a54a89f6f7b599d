"""Parquet: files and folders are read one row group at a time."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.arrow_tables import (
    arrow,
    column_names,
    common_type,
    index_columns,
    is_numeric,
    numbers,
    refuse_absence,
    refuse_text,
)
from isthmus.data.chunks import ChunkedTable
from isthmus.data.sources import Convert, data_source

OPEN_FILES = 2
"""Files that are open at a time."""


class ParquetGroups:
    """The row groups of Parquet files as chunks of numbers.

    Parameters
    ----------
    files
        (what opens it for reading, its name) of each file, in their order.
    what
        How messages call all of them.
    columns
        Names of the columns to read, in this order; None reads all.

    Attributes
    ----------
    names : list of str
        Of the columns that are read.
    labels : list of str
        The columns of pandas' index, which are no columns of the table; none if files have different ones.
    lengths : list of int
        Rows of each row group that has any.
    dtype : dtype
        A number type that holds all columns.

    Raises
    ------
    ValueError
        If there is no file; one is truncated or no Parquet; schemas diverge; a column is missing or holds no numbers.
    """

    in_order = False
    row_shape: tuple[int, ...] | None = None

    def __init__(self, files: Sequence[tuple[Any, str]], what: str, columns: Sequence[str] | None = None) -> None:
        self.files = list(files)
        self.what = what
        self.open: OrderedDict[int, Any] = OrderedDict()
        if not self.files:
            raise ValueError(f"{what} holds no Parquet file; give a folder with files that end in .parquet")
        schema = None
        self.labels: list[str] = []
        nothing: set[str] = set()
        self.groups: list[tuple[int, int]] = []
        self.lengths: list[int] = []
        for number in range(len(self.files)):
            file = self.file(number)
            refuse_absence(file.schema_arrow, self.what, columns)
            found = file.schema_arrow
            schema = schema or found
            refuse_divergence(schema, found, self.files[0][1], self.files[number][1], columns)
            self.labels = index_columns(found) if not number or self.labels == index_columns(found) else []
            nothing |= {field.name for field in found if arrow().types.is_null(field.type)}
            schema = without_nothing(schema, found)
            for group in range(file.metadata.num_row_groups):
                if file.metadata.row_group(group).num_rows:
                    self.groups.append((number, group))
                    self.lengths.append(file.metadata.row_group(group).num_rows)
        assert schema is not None
        self.columns = column_names(schema) if columns is None else list(columns)
        if not self.columns:
            raise ValueError(f"{what} has no columns; write it with at least one")
        self.names: list[str] | None = self.columns
        self.schema = schema
        self.plain = all(is_numeric(schema.field(name).type) and name not in nothing for name in self.columns)
        self.plain = self.plain and not self.nulls()
        self.dtype = np.dtype(np.float64)
        if self.plain:
            self.dtype = common_type(schema.field(name).type for name in self.columns)
        self.convert: Convert | None = None

    def nulls(self) -> bool:
        """Whether the files say of a column that is read that it has gaps."""
        for number, group in self.groups:
            described = self.file(number).metadata.row_group(group)
            for column in map(described.column, range(described.num_columns)):
                known = column.statistics if column.path_in_schema in self.columns else None
                if known is not None and known.has_null_count and known.null_count:
                    return True
        return False

    def frames(self) -> Iterator[Any]:
        """Pass over all row groups in their order, as tables of Arrow's."""
        labels = [name for name in self.labels if name not in self.columns]
        return (self.group(i, labels) for i in range(len(self.groups)))

    def first(self) -> Any:
        """Return the first row group as a table of Arrow's; None if there is none."""
        return self.group(0) if self.groups else None

    def file(self, number: int) -> Any:
        """Open a file, or find it open."""
        if number not in self.open:
            opener, name = self.files[number]
            pa = arrow()
            try:
                file = opener(name)
                if not isinstance(file, pa.parquet.ParquetFile):
                    file = pa.parquet.ParquetFile(file)
                # Nothing is kept of a file that is closed: what the footers of many say takes more room than a chunk.
                self.open[number] = file
            except (pa.ArrowInvalid, pa.ArrowIOError) as error:
                raise ValueError(
                    f"the file {name} cannot be read: it is truncated, or no Parquet ({error}); write it again"
                ) from error
            while len(self.open) > OPEN_FILES:
                self.open.popitem(last=False)[1].close(force=True)
        self.open.move_to_end(number)
        return self.open[number]

    def read(self, i: int) -> np.ndarray:
        """Return a row group as numbers, (b, F)."""
        group = self.group(i)
        return numbers(group, self.columns, self.dtype) if self.convert is None else self.convert(group)

    def group(self, i: int, labels: Sequence[str] = ()) -> Any:
        """Return a row group as a table of Arrow's; with the columns of pandas' index of these names."""
        number, group = self.groups[i]
        pa = arrow()
        try:
            # On the thread that asks: as a rule it is one that reads ahead of the training's.
            return self.file(number).read_row_group(group, columns=[*self.columns, *labels], use_threads=False)
        except (pa.ArrowInvalid, pa.ArrowIOError) as error:
            raise ValueError(
                f"row group {group} of the file {self.files[number][1]} cannot be read: the file is damaged or was "
                f"changed ({error}); write it again"
            ) from error

    def blocks(self) -> Iterator[np.ndarray]:
        """Pass over all row groups in their order."""
        return map(self.read, range(len(self.groups)))

    def table(self, check: Callable[[np.ndarray, int], None]) -> ChunkedTable:
        """Return the rows as a table to train on; `check` is shown every row group, and where it begins.

        Raises
        ------
        ValueError
            If a column holds no numbers; it is named.
        """
        refuse_text(self.schema, self.what, self.columns)
        return ChunkedTable(self.lengths, self.read, len(self.columns), self.dtype, check=check)

    def measured(self, lengths: list[int]) -> None:
        """Do nothing: lengths are known."""


@data_source
class ParquetFiles(ParquetGroups):
    """Parquet at a path, in a folder, as an open `pyarrow.parquet.ParquetFile` or as a data set of such files.

    Parameters
    ----------
    X
        The path, file or data set.
    columns
        Names of the columns to read, in this order; None reads all.
    """

    def __init__(self, X: Any, columns: Sequence[str] | None = None) -> None:
        super().__init__(*parquet_files(X), columns)

    @staticmethod
    def opens(X: object) -> bool:
        """Whether X is Parquet, or a folder, which should hold it."""
        if isinstance(X, str | Path):
            path = Path(X)
            return path.is_dir() or path.suffix in (".parquet", ".pq")
        return type(X).__module__.split(".")[0] == "pyarrow" and (
            isinstance(X, arrow().parquet.ParquetFile) or is_parquet_dataset(X)
        )


def parquet_files(X: Any) -> tuple[list[tuple[Any, str]], str]:
    """Return how each file of X is opened, with its name, and what to call all of them in messages."""
    if isinstance(X, str | Path):
        path = Path(X)
        if not path.exists():
            raise FileNotFoundError(
                f"there is no file or folder {path}; give the path of a .npy or Parquet file or folder"
            )
        return [(str, name) for name in parquet_paths(path)], f"the folder {path}"
    if isinstance(X, arrow().parquet.ParquetFile):
        return [(lambda _: X, "given")], "the file"
    return [(X.filesystem.open_input_file, name) for name in X.files], "the data set"


def is_parquet_dataset(X: Any) -> bool:
    """Whether X is a data set of pyarrow's that is nothing but Parquet files."""
    dataset = arrow().dataset
    plain = isinstance(X, dataset.FileSystemDataset) and not getattr(X, "_scan_options", None)
    return plain and isinstance(X.format, dataset.ParquetFileFormat)


def parquet_paths(path: Path) -> list[str]:
    """Return a Parquet file, or all that end in .parquet or .pq below a folder, by name; hidden ones are left out."""
    if path.is_file():
        return [str(path)]
    found = (file for file in path.rglob("*") if file.suffix in (".parquet", ".pq") and file.is_file())
    return sorted(str(file) for file in found if not file.name.startswith((".", "_")))


def refuse_divergence(first: Any, other: Any, first_name: str, name: str, columns: Sequence[str] | None) -> None:
    """Raise a `ValueError` if the columns of two files differ in name or type."""
    if columns is None:
        for has, lacks, a, b in ((first, other, first_name, name), (other, first, name, first_name)):
            missing = [column for column in column_names(has) if column not in lacks.names]
            if missing:
                raise ValueError(
                    f"the files have diverging schemas: column {missing[0]!r} is in {a}, but not in {b}; write them "
                    "with the same columns"
                )
    for column in column_names(first) if columns is None else columns:
        kinds = first.field(column).type, other.field(column).type
        if kinds[0] != kinds[1] and not any(map(arrow().types.is_null, kinds)):
            raise ValueError(
                f"the files have diverging schemas: column {column!r} is {kinds[0]} in {first_name}, but {kinds[1]} in "
                f"{name}; write them with the same types"
            )


def without_nothing(schema: Any, other: Any) -> Any:
    """Return a schema with the types of another one for columns of which it knows only that all cells are empty."""
    for place, field in enumerate(schema):
        if arrow().types.is_null(field.type) and field.name in other.names:
            schema = schema.set(place, other.field(field.name))
    return schema
