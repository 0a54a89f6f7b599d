"""The one place that asks what X is: array, list, frame, sparse matrix, path, or a source of batches.

`learn_table` learns the columns of X, `read_table` checks X against them, `read_pieces` does so a piece at a time, and
`restore` turns rows of numbers into the kind of table that X was.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _get_feature_names, check_array, validate_data

from isthmus.core.choices import refuse_unknown
from isthmus.data import batches, disk_arrays, frames, parquet, weights  # noqa: F401  sources register themselves
from isthmus.data.arrays import read_array, takes_columns
from isthmus.data.chunks import PIECE_BYTES, ChunkedTable
from isthmus.data.columns import Columns, column_choices
from isthmus.data.dense import DenseTable
from isthmus.data.encoding import encoded
from isthmus.data.fields import Cells, Field, Schema
from isthmus.data.finite import refuse_non_finite
from isthmus.data.schema import ARRAY, TableSchema
from isthmus.data.sources import Source, memory_mapped, open_source
from isthmus.data.sparse import SparseTable
from isthmus.data.survey import Survey
from isthmus.data.table import Numbers, Table

ColumnKinds = Mapping[Any, str] | Sequence[str] | str | None
"""What a user says of columns: a kind by name, one per column, one for all, "auto", or nothing."""


def learn_table(
    X: Any,
    *,
    caller: str,
    columns: ColumnKinds = None,
    obstacle: str = "",
    least_rows: int = 1,
    sample_weight: ArrayLike | None = None,
) -> tuple[Table, TableSchema]:
    """Read X and learn its columns.

    Parameters
    ----------
    X
        Array, list of rows, frame, sparse matrix, or anything that a registered source reads.
    caller
        Name of the estimator, for messages.
    columns
        What the user says of columns.
    obstacle
        What keeps the estimator from tables whose columns are of several kinds or have gaps; "" if nothing does.
    least_rows
        Rows that are needed.
    sample_weight
        (n,) weights; rows of weight 0 do not influence what columns are taken for.

    Returns
    -------
    (Table, TableSchema)

    Raises
    ------
    ValueError
        If X is of an unknown kind, has too few rows, or holds values that cannot be learned from; columns are named.
    """
    X = memory_mapped(X)
    source = open_source(X)
    if source is None:
        return learn_in_memory(X, caller, columns, obstacle, least_rows, sample_weight)
    if columns is not None or not source.plain:
        return learn_source(source, caller, columns, obstacle, least_rows)
    table = plain_source(source, caller, least_rows)
    return table, TableSchema(table.shape[1], None if source.names is None else tuple(source.names))


def read_table(X: Any, schema: TableSchema, *, caller: str, least_rows: int = 1) -> Table:
    """Read X and check it against the columns that were learned.

    The columns of a table of several kinds may come in another order.

    Raises
    ------
    ValueError
        If columns are missing, new, or hold other types of values; they are named.
    """
    X = memory_mapped(X)
    source = open_source(X, schema.names)
    if source is None:
        return read_in_memory(X, schema, caller, least_rows)
    if schema.columns is not None:
        return known_source(source, schema, caller, least_rows)
    table = plain_source(source, caller, least_rows)
    refuse_width(table.shape[1], schema, caller)
    return table


def read_pieces(X: Any, schema: TableSchema, *, caller: str, cut: bool = False) -> Iterator[Table]:
    """Read X and check it, a source one piece at a time; what is in memory comes in one piece.

    With `cut`, rows in memory also come in pieces of some MiB, for results that are written as they come.
    """
    X = memory_mapped(X)
    source = open_source(X, schema.names)
    if source is not None:
        yield from pieces_of_source(source, schema, caller)
        return
    table = read_in_memory(X, schema, caller)
    if not cut:
        yield table
        return
    size = max(1, PIECE_BYTES // max(1, table.shape[1] * table.dtype.itemsize))
    for start in range(0, len(table), size):
        yield table.part(slice(start, start + size))


def read_batch(batch: Any, names: Sequence[str], schema: TableSchema, *, caller: str) -> Table:
    """Read the columns of these names of a record batch, and check them."""
    if schema.columns is not None:
        return DenseTable(known_numbers(parquet.as_frame(batch, names), schema, caller))
    rows = parquet.numbers(batch, names)
    refuse_width(rows.shape[1], schema, caller)
    refuse_non_finite(rows, schema.names, start=0)
    return DenseTable(rows)


# -- in memory --------------------------------------------------------------------------------------------------------


def learn_in_memory(
    X: Any, caller: str, columns: ColumnKinds, obstacle: str, least_rows: int, sample_weight: ArrayLike | None
) -> tuple[Table, TableSchema]:
    """Read rows in memory and learn their columns."""
    if not frames.is_frame(X):
        X = rows_of_list(X)
        if not takes_columns(X, columns):
            return learn_numbers(X, caller, least_rows)
        X = any_array(X)
    schema, cells = take_apart(X)
    if columns is None and numbers_alone(schema, cells):
        return learn_numbers(X, caller, least_rows, schema)
    survey = Survey(kinds_by_name(columns, schema))
    rows = len(cells[0].missing) if cells else 0
    look(survey, schema, cells, sample_weight, least_rows)
    if rows < least_rows:
        raise ValueError(f"Found array with {rows} sample(s) while a minimum of {least_rows} is required.")
    found = learned(survey, obstacle)
    names = _get_feature_names(X)
    known = TableSchema(len(found), None if names is None else tuple(names), schema, found)
    return DenseTable(encoded(found, schema.fields, cells)), known


def read_in_memory(X: Any, schema: TableSchema, caller: str, least_rows: int = 1) -> Table:
    """Read rows in memory and check them against the columns that were learned."""
    if schema.columns is not None:
        return DenseTable(known_numbers(X, schema, caller))
    try:
        return table_of_numbers(checked_numbers(X, scikit_learns_view(caller, schema), False, least_rows))
    except ValueError:
        if schema.frame is not None and frames.is_frame(X):
            refuse_new_gaps(X, caller)
        raise


def learn_numbers(X: Any, caller: str, least_rows: int, frame: Schema | None = None) -> tuple[Table, TableSchema]:
    """Read a table of numbers alone, and learn the number and names of its columns."""
    view = scikit_learns_view(caller)
    numbers = checked_numbers(X, view, True, least_rows)
    names = getattr(view, "feature_names_in_", None)
    return table_of_numbers(numbers), TableSchema(numbers.shape[1], None if names is None else tuple(names), frame)


@functools.cache
def view_class(caller: str) -> type[BaseEstimator]:
    """Return a class of the caller's name, which scikit-learn's checks put into their messages."""
    return type(caller, (BaseEstimator,), {})


def scikit_learns_view(caller: str, schema: TableSchema | None = None) -> BaseEstimator:
    """Return what scikit-learn's checks read and write: an estimator of the caller's name that knows the columns."""
    view = view_class(caller)()
    if schema is not None:
        view.n_features_in_ = schema.n_features
        if schema.names is not None:
            view.feature_names_in_ = schema.feature_names
    return view


def checked_numbers(X: Any, view: BaseEstimator, reset: bool, least_rows: int) -> Numbers:
    """Return X as a two-dimensional array of finite numbers, not copied where it is one; a sparse matrix as CSR."""
    caller = type(view).__name__
    try:
        array = validate_data(
            view,
            X,
            reset=reset,
            accept_sparse="csr",
            dtype="numeric",
            ensure_all_finite=False,
            ensure_min_samples=least_rows,
        )
        if array.dtype.kind == "O":  # columns of a frame that have no number type in common
            array = array.astype(np.float64)
    except ValueError as error:
        if "could not convert string" in str(error) or "bytes/strings" in str(error):
            raise ValueError(
                f"X holds text ({error}); {caller} takes numbers: encode such columns first, for "
                "example with sklearn.preprocessing.OneHotEncoder or OrdinalEncoder"
            ) from error
        raise
    if array.dtype.kind not in "biuf":
        raise ValueError(f"X holds {array.dtype} values; {caller} takes numbers: convert them first")
    refuse_non_finite(array, getattr(view, "feature_names_in_", None))
    return array


def table_of_numbers(numbers: Numbers) -> Table:
    """Return an array or a CSR matrix as a table."""
    return DenseTable(numbers) if isinstance(numbers, np.ndarray) else SparseTable(numbers)


def rows_of_list(X: Any) -> Any:
    """Return lists of rows as an array that keeps each value's type, if they make one of two dimensions."""
    if not isinstance(X, list | tuple):
        return X
    try:
        array = np.array(X)
        array = np.array(X, dtype=object) if array.dtype.kind == "U" else array
    except ValueError:
        return X
    return array if array.ndim == 2 else X


def any_array(X: Any) -> np.ndarray:
    """Return X as a two-dimensional array of numbers or objects; missing values stay as they are."""
    array: np.ndarray = check_array(X, dtype=None, ensure_all_finite=False, ensure_min_samples=0)
    return array


def refuse_new_gaps(X: Any, caller: str) -> None:
    """Raise a `ValueError` that names a column with missing cells, where the table of `fit` had none."""
    for name, series in frames.columns_of(X):
        if series.is_null().any():
            raise ValueError(
                f"column {name!r} has missing cells, and there were none in fit: {caller} "
                "(columns='auto') learns to do without cells"
            )


def refuse_width(width: int, schema: TableSchema, caller: str) -> None:
    """Raise a `ValueError` if there are more or fewer columns than in `fit`."""
    if width != schema.n_features:
        raise ValueError(f"X has {width} features, but {caller} is expecting {schema.n_features} features as input")


# -- columns of several kinds -----------------------------------------------------------------------------------------


def take_apart(X: Any) -> tuple[Schema, list[Cells]]:
    """Return the columns of a frame or of a two-dimensional array."""
    return frames.read(X) if frames.is_frame(X) else read_array(X)


def numbers_alone(schema: Schema, cells: Sequence[Cells]) -> bool:
    """Whether all columns hold numbers, and no cell is missing."""
    numeric = all(field.sort in ("float", "integer", "boolean") for field in schema.fields)
    return numeric and not any(piece.missing.any() for piece in cells)


def kinds_by_name(columns: ColumnKinds, schema: Schema) -> dict[Any, str]:
    """Return what the user says of columns, by name.

    Raises
    ------
    ValueError
        If it is neither None, "auto", a kind, a mapping, nor a sequence with one kind per column.
    """
    if columns is None or (isinstance(columns, str) and columns == "auto"):
        return {}
    names = [field.name for field in schema.fields]
    if isinstance(columns, str):
        refuse_unknown("columns", columns, ["auto", *column_choices()])
        return dict.fromkeys(names, columns)
    if isinstance(columns, Mapping):
        return dict(columns)
    if isinstance(columns, Sequence) and len(columns) == len(names):
        return dict(zip(names, columns, strict=True))
    raise ValueError(
        "columns must be None, 'auto', a kind for all columns, a mapping from names to kinds, or a sequence of "
        f"{len(names)} kinds; got {columns!r}"
    )


def look(survey: Survey, schema: Schema, cells: list[Cells], sample_weight: ArrayLike | None, least_rows: int) -> None:
    """Show a survey the rows that have a positive weight."""
    rows = len(cells[0].missing) if cells else 0
    if sample_weight is None or rows < least_rows:
        survey.look(schema.fields, cells)
        return
    weight = weights.checked(sample_weight, range(rows))
    used = weight > 0
    weights.refuse_too_few(used, least_rows)
    seen = [Cells(piece.values[used], piece.missing[used]) for piece in cells]
    survey.look(schema.fields, seen, weights.normalised(weight)[used])


def learned(survey: Survey, obstacle: str) -> Columns:
    """Return what a survey found.

    Raises
    ------
    ValueError
        If there is an obstacle, or nothing to learn from.
    """
    if obstacle:
        raise ValueError(f"this table has columns of several kinds or missing cells (NaN), and {obstacle}")
    found = survey.columns()
    if all(column.kind == "ignored" for column in found):
        raise ValueError("no column of the table can be learned from: all are ignored")
    return found


def known_numbers(X: Any, schema: TableSchema, caller: str) -> np.ndarray:
    """Check a table against the columns of `fit`; return it as numbers (n, R), its columns in the order of `fit`."""
    columns, frame = schema.columns, schema.frame
    assert columns is not None, "only tables of several kinds of columns are known so"
    assert frame is not None, "and these have a frame"
    if scipy.sparse.issparse(X):
        raise ValueError(f"{caller} was fitted on a table of columns, and X is sparse; give a frame")
    if not frames.is_frame(X):
        X = any_array(rows_of_list(X))
    by_place = not frames.is_frame(X) or frame.backend == ARRAY
    if by_place:
        refuse_width(X.shape[1], schema, caller)
    found, cells = take_apart(X)
    fields: Sequence[Field] = found.fields
    if not by_place:
        fields, cells = in_order(found, cells, [column.name for column in columns], "fit")
    if not len(cells[0].missing):
        raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
    return encoded(columns, fields, cells)


def in_order(
    schema: Schema, cells: Sequence[Cells], wanted: Sequence[Any], where: str
) -> tuple[list[Field], list[Cells]]:
    """Return the columns of a table in the order of these names.

    Raises
    ------
    ValueError
        If one is missing or new; the columns are named, and `where` they were otherwise.
    """
    by_name = {field.name: (field, piece) for field, piece in zip(schema.fields, cells, strict=True)}
    gone = [name for name in wanted if name not in by_name]
    new = [name for name in by_name if name not in wanted]
    if gone or new:
        problems = [f"{', '.join(map(repr, gone))} is missing"] * bool(gone)
        problems += [f"{', '.join(map(repr, new))} is new"] * bool(new)
        raise ValueError(f"X has other columns than in {where}: {'; '.join(problems)}")
    ordered = [by_name[name] for name in wanted]
    return [field for field, _ in ordered], [piece for _, piece in ordered]


# -- sources ----------------------------------------------------------------------------------------------------------


def plain_source(source: Source, caller: str, least_rows: int) -> ChunkedTable:
    """Return a source of numbers alone as a table; its values are checked when they are first read."""
    table = source.table(lambda block, start: refuse_non_finite(block, source.names, start))
    rows, features = table.shape
    if rows < least_rows or features < 1:
        raise ValueError(
            f"X has {rows} rows and {features} columns; at least {least_rows} and 1 are needed by {caller}"
        )
    return table


def learn_source(
    source: Source, caller: str, columns: ColumnKinds, obstacle: str, least_rows: int
) -> tuple[Table, TableSchema]:
    """Learn the columns of several kinds of a source, in one pass."""
    survey: Survey | None = None
    backend, fields_of_first, names = ARRAY, [], None
    lengths: list[int] = []
    for piece in source.frames():
        piece = piece if frames.is_frame(piece) else any_array(rows_of_list(piece))
        schema, cells = take_apart(piece)
        if survey is None:
            backend, survey = schema.backend, Survey(kinds_by_name(columns, schema))
            fields_of_first, names = [field.name for field in schema.fields], _get_feature_names(piece)
        fields, cells = in_order(schema, cells, fields_of_first, "the first batch")
        survey.look(fields, cells)
        lengths.append(len(cells[0].missing))
    if survey is None:
        raise ValueError("X has no rows; give some")
    found = learned(survey, obstacle)
    frame = Schema(backend, tuple(column.field for column in survey.found))
    known = TableSchema(len(found), None if names is None else tuple(names), frame, found)
    return measured_table(source, known, lengths, caller, least_rows), known


def known_source(source: Source, schema: TableSchema, caller: str, least_rows: int) -> ChunkedTable:
    """Check a source against the columns of `fit`, in one pass; return it as a table."""
    lengths = [len(known_numbers(piece, schema, caller)) for piece in source.frames()]
    return measured_table(source, schema, lengths, caller, least_rows)


def measured_table(
    source: Source, schema: TableSchema, lengths: list[int], caller: str, least_rows: int
) -> ChunkedTable:
    """Return a source whose pieces have these lengths as a table of numbers."""
    if sum(lengths) < least_rows:
        raise ValueError(f"X has {sum(lengths)} rows; at least {least_rows} are needed by {caller}")
    source.convert = lambda piece: known_numbers(piece, schema, caller)
    source.measured(lengths)
    return ChunkedTable(lengths, source.read, schema.n_numbers, np.dtype(np.float64), in_order=source.in_order)


def pieces_of_source(source: Source, schema: TableSchema, caller: str) -> Iterator[Table]:
    """Yield the rows of a source as checked tables of some MiB."""
    start = 0
    if schema.columns is not None:
        source.convert = lambda piece: known_numbers(piece, schema, caller)
    for block in gathered(source.blocks()):
        if schema.columns is None:
            refuse_width(block.shape[1], schema, caller)
            refuse_non_finite(block, schema.names, start)
        start += len(block)
        yield DenseTable(block)
    if not start:
        raise ValueError(f"X has no rows, and {caller} needs one at least")


def gathered(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Concatenate small blocks, up to some MiB."""
    small: list[np.ndarray] = []
    for block in blocks:
        small.append(block)
        if sum(part.nbytes for part in small) >= PIECE_BYTES:
            yield np.concatenate(small) if len(small) > 1 else small[0]
            small = []
    if small:
        yield np.concatenate(small)
