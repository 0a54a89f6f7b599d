"""Tables as they are: what an estimator learns of a frame's columns, and how it takes frames and gives them back."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.utils.validation import _check_feature_names

from isthmus.core.choices import refuse_unknown
from isthmus.data import frames
from isthmus.data.batches import ReiterableBatches
from isthmus.data.chunks import ChunkedTable
from isthmus.data.columns import KINDS, LIKELIHOODS, Columns, Survey
from isthmus.data.encoding import decoded, encoded
from isthmus.data.frames import Cells, Field, Schema
from isthmus.data.sources import Source
from isthmus.data.tables import TableScaling
from isthmus.estimators import rules, validation
from isthmus.parts.categories import Categorical
from isthmus.parts.counts import NegativeBinomial, Poisson
from isthmus.parts.heavy_tails import StudentT
from isthmus.parts.likelihoods import Bernoulli, Gaussian
from isthmus.parts.mixed import Mixed
from isthmus.parts.slots import Likelihood

ARRAY = "array"
"""The backend of a schema whose table is a numpy array."""


def table(estimator: Any, X: Any, *, reset: bool, least_rows: int = 1, sample_weight: Any = None) -> Any:
    """Return X as numbers: an array (n, F) or CSR, or, for a table of mixed or missing cells, (n, R) in float64.

    With `reset` the estimator learns what its columns are: `columns_` where they are of several kinds. Rows of weight 0
    have no say in that.
    """
    if reset:
        forget(estimator)
        return first_table(estimator, X, least_rows, sample_weight)
    if hasattr(estimator, "columns_"):
        return known_table(estimator, X)
    try:
        return validation.table(estimator, X, reset=False, least_rows=least_rows)
    except ValueError:
        if frames.is_frame(X) and hasattr(estimator, "_schema"):
            refuse_gaps_unseen(estimator, X)
        raise


def forget(estimator: Any) -> None:
    """Take away what an earlier fit learned of columns."""
    for name in ("columns_", "_schema"):
        if hasattr(estimator, name):
            delattr(estimator, name)


def first_table(estimator: Any, X: Any, least_rows: int, sample_weight: Any) -> Any:
    """Learn the columns of a table; return it as numbers."""
    if not frames.is_frame(X):
        X = listed(X)
        if not of_columns(estimator, X):
            return validation.table(estimator, X, reset=True, least_rows=least_rows)
        X = validation.array_of_anything(X)
    schema, cells = read(X)
    if estimator.columns is None and numbers_alone(schema, cells):
        estimator._schema = schema
        return validation.table(estimator, X, reset=True, least_rows=least_rows)
    survey = Survey(kinds_by_name(estimator.columns, schema))
    look(survey, schema, cells, sample_weight, least_rows)
    rows = len(cells[0].missing) if cells else 0
    if rows < least_rows:
        raise ValueError(f"Found array with {rows} sample(s) while a minimum of {least_rows} is required.")
    columns = survey.columns()
    keep(estimator, columns, schema)
    _check_feature_names(estimator, X, reset=True)
    return encoded(columns, schema.fields, cells)


def numbers_alone(schema: Schema, cells: list[Cells]) -> bool:
    """Whether all columns are numbers, and none is missing."""
    numeric = all(field.sort in ("float", "integer", "boolean") for field in schema.fields)
    return numeric and not any(piece.missing.any() for piece in cells)


def chunked(estimator: Any, source: Source, *, reset: bool, least_rows: int) -> ChunkedTable:
    """Return what a source reads as a table in chunks of numbers, by its columns; with `reset` learn them."""
    # Known columns are checked now, before anything is done with them.
    lengths = learn(estimator, source) if reset else [len(known_table(estimator, one)) for one in source.frames()]
    if sum(lengths) < least_rows:
        raise ValueError(f"X has {sum(lengths)} rows; at least {least_rows} are needed by {type(estimator).__name__}")
    source.convert = lambda piece: known_table(estimator, piece)
    if isinstance(source, ReiterableBatches):
        source.lengths = lengths
    numbers = sum(column.numbers for column in estimator.columns_)
    in_order = isinstance(source, ReiterableBatches)
    return ChunkedTable(lengths, source.read, numbers, np.dtype(np.float64), in_order=in_order)


def learn(estimator: Any, source: Source) -> list[int]:
    """Learn the columns of what a source reads in one pass; return how many rows its pieces have."""
    survey: Survey | None = None
    backend, names, lengths = ARRAY, [], []
    for piece in source.frames():
        piece = piece if frames.is_frame(piece) else validation.array_of_anything(listed(piece))
        schema, cells = read(piece)
        if survey is None:
            backend, survey = schema.backend, Survey(kinds_by_name(estimator.columns, schema))
            names = [field.name for field in schema.fields]
            _check_feature_names(estimator, piece, reset=True)
        fields, cells = in_order(schema, cells, names, "the first batch")
        survey.look(fields, cells)
        lengths.append(len(cells[0].missing))
    if survey is None:
        raise ValueError("X has no rows; give some")
    keep(estimator, survey.columns(), Schema(backend, tuple(column.field for column in survey.found)))
    return lengths


def keep(estimator: Any, columns: Columns, schema: Schema) -> None:
    """Let an estimator know what its columns are.

    Raises
    ------
    ValueError
        If there is nothing to learn from, or a likelihood that is one for all columns.
    """
    refuse_columns(estimator)
    if all(column.kind == "ignored" for column in columns):
        raise ValueError("no column of the table can be learned from: all are ignored")
    estimator.n_features_in_ = len(columns)
    estimator.columns_, estimator._schema = columns, schema


def listed(X: Any) -> Any:
    """Return lists of rows as an array, each value of its own type, if they make one of two dimensions."""
    if not isinstance(X, list | tuple):
        return X
    try:
        array = np.array(X)
        array = np.array(X, dtype=object) if array.dtype.kind == "U" else array
    except ValueError:
        return X
    return array if array.ndim == 2 else X


def look(survey: Survey, schema: Schema, cells: list[Cells], sample_weight: Any, least_rows: int) -> None:
    """Let a survey see the rows of a table that have a weight."""
    rows = len(cells[0].missing) if cells else 0
    if sample_weight is None or rows < least_rows:
        return survey.look(schema.fields, cells)
    used, weight = validation.weights(sample_weight, np.arange(rows)[:, None], least_rows)
    seen = [Cells(piece.values[used[:, 0]], piece.missing[used[:, 0]]) for piece in cells]
    return survey.look(schema.fields, seen, weight)


def refuse_columns(estimator: Any) -> None:
    """Raise a `ValueError` if the estimator has no place for columns of several kinds or with gaps."""
    problem = rules.obstacle_to_columns(estimator)
    if not rules.is_auto(estimator.likelihood):
        problem = (
            f"likelihood={estimator.likelihood!r} is one for all columns: leave likelihood='auto', and say what "
            "columns are by columns={'name': 'count', ...}"
        )
    if problem:
        raise ValueError(f"this table has columns of several kinds or missing cells (NaN), and {problem}")


def of_columns(estimator: Any, X: Any) -> bool:
    """Whether an array is to be taken column by column: the user says so, or cells are missing or text."""
    if scipy.sparse.issparse(X):
        if estimator.columns is not None:
            raise ValueError("columns= goes with frames and dense arrays, and X is sparse; take a likelihood= instead")
        return False
    if estimator.columns is not None:
        return True
    array = X if isinstance(X, np.ndarray) else None
    if array is None or array.ndim != 2 or array.dtype.kind not in "fOU":
        return False
    if array.dtype.kind == "f":
        with np.errstate(invalid="ignore", over="ignore"):
            suspect = bool(np.isnan(array.sum(dtype=np.float64)))
        return suspect and bool(np.isnan(array).any())
    return any(isinstance(cell, str) or is_gap(cell) for cell in array.flat)


def is_gap(cell: Any) -> bool:
    """Whether a Python object stands for a missing cell: None, NaN, or pandas' NA and NaT."""
    return cell is None or (isinstance(cell, float) and cell != cell) or type(cell).__name__ in ("NAType", "NaTType")


def kinds_by_name(columns: Any, schema: Schema) -> dict[Any, str]:
    """Return what the user says of columns: by name, one for all, or "auto" for nothing."""
    if columns is None or (isinstance(columns, str) and columns == "auto"):
        return {}
    names = [field.name for field in schema.fields]
    if isinstance(columns, str):
        refuse_unknown("columns", columns, ["auto", *KINDS, *LIKELIHOODS])
        return dict.fromkeys(names, columns)
    if isinstance(columns, Mapping):
        return dict(columns)
    if isinstance(columns, Sequence) and len(columns) == len(names):
        return dict(zip(names, columns, strict=True))
    raise ValueError(
        "columns has to be None, 'auto', a kind for all columns, a mapping from names to kinds, or a sequence of "
        f"{len(names)} kinds; got {columns!r}"
    )


def read(X: Any) -> tuple[Schema, list[Cells]]:
    """Take a frame or an array of two dimensions apart."""
    if frames.is_frame(X):
        return frames.read(X)
    found = [read_array_column(index, X[:, index]) for index in range(X.shape[1])]
    return Schema(ARRAY, tuple(field for field, _ in found)), [cells for _, cells in found]


def read_array_column(index: int, values: np.ndarray) -> tuple[Field, Cells]:
    """Take a column of an array apart."""
    own = str(values.dtype)
    if values.dtype.kind in "OU":
        objects = values.astype(object)
        missing = np.array([is_gap(value) for value in objects], dtype=bool)
        if missing.all():
            return Field(index, "nothing", own), Cells(np.full(len(missing), np.nan), missing)
        return frames.read_objects(index, own, objects, missing)
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)
    if missing.all() and len(missing):
        return Field(index, "nothing", own), Cells(np.full(len(missing), np.nan), missing)
    sort = {"f": "float", "b": "boolean"}.get(values.dtype.kind, "integer")
    return Field(index, sort, own), Cells(values.astype(np.float64) if sort == "float" else values, missing)


def known_table(estimator: Any, X: Any) -> np.ndarray:
    """Check a table against the columns of `fit`; return it as numbers (n, R).

    Columns of another order are put in theirs.
    """
    if scipy.sparse.issparse(X):
        raise ValueError(f"{type(estimator).__name__} was fitted on a table of columns, and X is sparse; give a frame")
    columns = estimator.columns_
    if not frames.is_frame(X):
        X = validation.array_of_anything(listed(X))
    by_place = not frames.is_frame(X) or estimator._schema.backend == ARRAY
    if by_place and X.shape[1] != len(columns):
        raise ValueError(
            f"X has {X.shape[1]} features, but {type(estimator).__name__} is expecting {len(columns)} features as input"
        )
    schema, cells = read(X)
    fields: Sequence[Field] = schema.fields
    if not by_place:
        fields, cells = in_order(schema, cells, [column.name for column in columns], "fit")
    if not len(cells[0].missing):
        raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
    return encoded(columns, fields, cells)


def in_order(
    schema: Schema, cells: Sequence[Cells], wanted: Sequence[Any], where: str
) -> tuple[list[Field], list[Cells]]:
    """Put the columns of a table in the order of these names.

    Raises
    ------
    ValueError
        If one is missing or another is there; the columns are named, and `where` they were otherwise.
    """
    by_name = {field.name: (field, piece) for field, piece in zip(schema.fields, cells, strict=True)}
    gone = [name for name in wanted if name not in by_name]
    new = [name for name in by_name if name not in wanted]
    if gone or new:
        raise ValueError(
            f"X has other columns than in {where}: "
            + "; ".join(
                [f"{', '.join(map(repr, gone))} is missing"] * bool(gone)
                + [f"{', '.join(map(repr, new))} is new"] * bool(new)
            )
        )
    ordered = [by_name[name] for name in wanted]
    return [field for field, _ in ordered], [piece for _, piece in ordered]


def refuse_gaps_unseen(estimator: Any, X: Any) -> None:
    """Raise a `ValueError` for missing cells in columns that had none in `fit`, with their names."""
    for name, series in frames.columns_of(X):
        if series.is_null().any():
            raise ValueError(
                f"column {name!r} has missing cells, and there were none in fit: {type(estimator).__name__} "
                "(columns='auto') learns to do without cells"
            )


def likelihood(scaling: TableScaling) -> Mixed:
    """Return the likelihood of a table's cells."""
    families: list[Likelihood] = []
    cells, scored = [], []
    usual: dict[str, Likelihood] = {
        "gaussian": Gaussian("columns"),
        "student_t": StudentT(),
        "calendar": Gaussian("columns"),
        "bernoulli": Bernoulli(),
        "poisson": Poisson(),
        "negative_binomial": NegativeBinomial(),
    }
    for name, sizes in scaling.groups:
        if name == "categorical":
            families.append(Categorical(sizes))
        else:
            families.append(usual[name])
        cells.append(sum(sizes))
        scored.append(name != "calendar")
    return Mixed(tuple(families), tuple(cells), tuple(scaling.feature_group.tolist()), tuple(scored))


def as_given(estimator: Any, numbers: np.ndarray, like: Any = None) -> Any:
    """Return rows of numbers as a table of the kind that was given to `fit`: a frame, or an array.

    `like` is the frame whose row labels they have.
    """
    schema: Schema | None = getattr(estimator, "_schema", None)
    if schema is None:
        return numbers
    columns: Columns | None = getattr(estimator, "columns_", None)
    cells = whole(schema, numbers) if columns is None else decoded(columns, numbers)
    if schema.backend != ARRAY:
        return frames.build(schema, cells, like)
    of_times = [field.sort == "time" for field in schema.fields]
    values = [
        frames.time_objects(field, piece) if timed else piece.values
        for field, piece, timed in zip(schema.fields, cells, of_times, strict=True)
    ]
    gap: Any = None if any(column.dtype.kind == "O" for column in values) else np.nan
    return np.stack([np.where(piece.missing, gap, one) for piece, one in zip(cells, values, strict=True)], axis=1)


def whole(schema: Schema, numbers: np.ndarray) -> list[Cells]:
    """Return numbers (n, F) as the cells of a frame of numbers: whole ones rounded, booleans by their half.

    Whole numbers end where their type does.
    """
    nothing = np.zeros(len(numbers), dtype=bool)
    cells = []
    for field, values in zip(schema.fields, numbers.T, strict=True):
        if field.sort == "integer":
            values = as_integers(values, integer_type(field.dtype))
        elif field.sort == "boolean":
            values = values >= 0.5
        cells.append(Cells(values.astype(np.float64) if field.sort == "float" else values, nothing))
    return cells


def integer_type(name: str) -> np.dtype:
    """Return numpy's type for whole numbers of a frame's type ("UInt8", "int16[pyarrow]"); the widest for others."""
    try:
        return np.dtype(name.removesuffix("[pyarrow]").lower())
    except TypeError:
        return np.dtype(np.int64)


def as_integers(values: np.ndarray, kind: np.dtype) -> np.ndarray:
    """Round numbers to whole ones that the type holds."""
    kind = kind if kind.kind in "iu" else np.dtype(np.int64)
    ends = np.iinfo(kind)
    # Beside the ends of the widest types there is no float.
    least, most = (np.nextafter(float(end), 0) if kind.itemsize == 8 else float(end) for end in (ends.min, ends.max))
    return np.round(values.astype(np.float64)).clip(least, most).astype(kind)
