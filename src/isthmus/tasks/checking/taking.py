"""From X to what rules look at: the table as a fit reads it, and some or all of its rows taken apart into columns."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike

from isthmus.data import frames
from isthmus.data.arrays import read_array, read_array_column
from isthmus.data.arrow_tables import unlabelled
from isthmus.data.columns import Column
from isthmus.data.containers import array_of
from isthmus.data.fields import Cells, Field, Form, Name, Schema, merged
from isthmus.data.frame_columns import read_column
from isthmus.data.images import flattened
from isthmus.data.reading import learn_table
from isthmus.data.reading_columns import ColumnKinds
from isthmus.data.reading_numbers import any_array
from isthmus.data.reading_sources import cells_of_piece
from isthmus.data.scaling import ScaleChoice, automatic_scale
from isthmus.data.schema import ARRAY, TableSchema
from isthmus.data.sources import Source, memory_mapped, open_source
from isthmus.data.table import Table
from isthmus.data.text_arrays import numbers_of_texts
from isthmus.data.text_columns import in_forms, typed
from isthmus.estimators.units import some_rows
from isthmus.tasks.checking.samples import (
    ColumnSample,
    Refusal,
    SparseSample,
    TableSample,
    places_of,
    rows_to_look_at,
)
from isthmus.tasks.checking.targets import BESIDE

CELLS, LEAST_ROWS = 4_000_000, 2000
"""Cells that are looked at, about, and rows at least; of larger tables some rows are drawn."""
CALLER = "AutoEncoder"
Pair = tuple[Field, Cells]
"""A column: what is known of it, and its cells."""


@dataclass(frozen=True)
class Asked:
    """What the user says beside the table."""

    target: object = None
    columns: ColumnKinds = None
    latent: int | float | str | None = None
    scale: str = "auto"
    groups: ArrayLike | None = None


@dataclass(frozen=True)
class Taken:
    """Some rows of a table, taken apart."""

    rows: int
    """Rows of the table."""
    places: np.ndarray
    """Positions of those that were taken, (n,)."""
    pairs: list[Pair]
    unreadable: tuple[Refusal, ...] = ()
    backend: str = ARRAY


@dataclass(frozen=True)
class Learned:
    """A table as a fit reads it."""

    table: Table | None
    schema: TableSchema | None
    said: tuple[str, ...] = ()
    refused: str = ""


def sample_to_fit(X: object, asked: Asked) -> TableSample | SparseSample:
    """Return what rules look at in rows to fit on.

    Raises
    ------
    ValueError
        If X is no table, or has no such target.
    """
    X = memory_mapped(X)
    source = open_source(X)
    if source is not None:
        return sample_of_source(X, source, asked)
    given, shape = flattened(X)
    given = unlabelled(given) if frames.is_frame(given) else array_of(given)
    if scipy.sparse.issparse(given):
        known = learned(given, asked.columns)
        return SparseSample(scipy.sparse.csr_array(given), known.refused, known.said, asked.latent)
    if not frames.is_frame(given):
        given = any_array(numbers_of_texts(given) if isinstance(given, np.ndarray) else given)
    if 0 in given.shape[1:]:
        raise ValueError("X has no columns; give some")
    rows, target = given, None
    if asked.target is not None:
        rows, target = without_target(given, asked.target)
    known = learned(rows, asked.columns)
    try:
        taken = taken_in_memory(rows)
    except ValueError as error:  # columns that cannot be told apart
        return TableSample(len(rows), (), known.said, known.refused or str(error))
    if taken.unreadable:
        known = learned(without(rows, [one.name for one in taken.unreadable]), asked.columns)
    if target is not None:
        target = (target[0], Cells(*(part[taken.places] for part in target[1])))
    return sample_of(taken, known, target, asked, images=shape is not None)


def sample_of_source(X: object, source: Source, asked: Asked) -> TableSample:
    """Return what rules look at in a source: it is read once to learn its columns, and once to draw rows."""
    kinds, name = asked.columns, asked.target
    if name is not None:
        if not isinstance(name, str | int):
            raise ValueError("target must be the name of a column of X where X is a file or another source")
        kinds = {**(kinds if isinstance(kinds, Mapping) else {}), name: "ignored"}
    known = learned(X, kinds)
    rows = sum(len(piece) for piece in source.frames()) if known.table is None else len(known.table)
    taken = taken_from_source(source, rows)
    target = next((pair for pair in taken.pairs if pair[0].name == name), None) if name is not None else None
    if name is not None and target is None:
        raise ValueError(no_target(name, [field.name for field, _ in taken.pairs]))
    return sample_of(taken, known, target, asked, images=source.row_shape is not None, streamed=True)


def sample_of(
    taken: Taken,
    known: Learned,
    target: Pair | None,
    asked: Asked,
    *,
    images: bool = False,
    streamed: bool = False,
) -> TableSample:
    """Put together what rules look at."""
    kept = [pair for pair in taken.pairs if target is None or pair[0].name != target[0].name]
    columns = column_samples(kept, known.schema, taken.backend)
    of_target = None if target is None else column_samples([target], None, ARRAY)[0]
    return TableSample(
        taken.rows,
        columns,
        known.said,
        known.refused,
        taken.unreadable,
        of_target,
        None if asked.groups is None else np.asarray(asked.groups)[taken.places],
        asked.latent,
        asked.scale,
        scale_of(known, asked.scale),
        streamed,
        images,
        ends_of(known, kept),
        taken.places,
    )


def ends_of(known: Learned, pairs: Sequence[Pair]) -> dict[Name, tuple[float, float]]:
    """Return the least and the greatest value of each column of numbers in all rows, where they are known."""
    if known.table is None or known.schema is None:
        return {}
    if known.schema.columns is not None:
        kept = [column for column in known.schema.columns if column.smallest < column.largest and not column.levels]
        return {column.name: (column.smallest, column.largest) for column in kept}
    summary = known.table.summary()
    ends = zip(summary.smallest.tolist(), summary.largest.tolist(), strict=True)
    return dict(zip((field.name for field, _ in pairs), ends, strict=True))


def column_samples(pairs: Sequence[Pair], schema: TableSchema | None, backend: str) -> tuple[ColumnSample, ...]:
    """Return columns as rules see them: texts are read in the forms that were learned, or that their own texts have."""
    fields, cells = [field for field, _ in pairs], [piece for _, piece in pairs]
    kinds: dict[Name, Column] = {}
    forms: dict[Name, Form | None] = {}
    if schema is not None and schema.columns is not None and schema.frame is not None:
        kinds = {column.name: column for column in schema.columns}
        forms = {field.name: field.form for field in schema.frame.fields}
    with recorded([]):
        if forms:
            read, seen = in_forms(fields, cells, [forms.get(field.name) for field in fields], set(kinds))
        else:
            found, seen = typed(Schema(backend, tuple(fields)), cells, {})
            read = list(found.fields)
    return tuple(
        ColumnSample(
            field, piece, given if own.sort in ("text", "category") and field.form else None, kinds.get(own.name)
        )
        for field, piece, own, given in zip(read, seen, fields, cells, strict=True)
    )


def taken_in_memory(X: Any) -> Taken:
    """Take a frame or an array apart, column by column; those that cannot be read are named.

    Raises
    ------
    ValueError
        If the columns of a frame cannot be told apart.
    """
    rows = len(X)
    if not frames.is_frame(X):
        places = places_of(rows, rows_to_look_at(CELLS, LEAST_ROWS, X.shape[1]))
        some = X if len(places) == rows else X[places]
        if some.dtype.kind != "O":
            schema, cells = read_array(some)
            return Taken(rows, places, list(zip(schema.fields, cells, strict=True)))
        each = [(j, partial(read_array_column, j, some[:, j])) for j in range(some.shape[1])]
        return Taken(rows, places, *readable(each))
    frame = frames.narwhals().from_native(X, eager_only=True)
    places = places_of(rows, rows_to_look_at(CELLS, LEAST_ROWS, len(frame.columns)))
    native = X if len(places) == rows else frame[places.tolist()].to_native()
    by_name = [(name, partial(read_column, name, series)) for name, series in frames.columns_of(native)]
    return Taken(rows, places, *readable(by_name), frames.backend_of(X))


def readable(columns: Iterable[tuple[Name, Callable[[], Pair]]]) -> tuple[list[Pair], tuple[Refusal, ...]]:
    """Return the columns that can be read, by calls that read them, and why others cannot."""
    pairs, refusals = [], []
    for name, read in columns:
        try:
            pairs.append(read())
        except ValueError as error:
            refusals.append(Refusal(name, str(error)))
    return pairs, tuple(refusals)


def taken_from_source(source: Source, rows: int) -> Taken:
    """Draw rows of a source in one pass, and take them apart."""
    fields: list[Field] = []
    parts: list[list[Cells]] = []
    places, start = np.empty(0, dtype=np.int64), 0
    for piece in source.frames():
        found, cells = cells_of_piece(piece)
        if not fields:
            fields, parts = list(found), [[] for _ in found]
            places = places_of(rows, rows_to_look_at(CELLS, LEAST_ROWS, len(fields)))
        by_name = dict(zip((field.name for field in found), zip(found, cells, strict=True), strict=True))
        size = len(cells[0].missing) if cells else 0
        chosen = places[(places >= start) & (places < start + size)] - start
        for place, field in enumerate(fields):
            other, own = by_name[field.name]
            fields[place] = merged(field, other)
            parts[place].append(Cells(own.values[chosen], own.missing[chosen]))
        start += size
    joined = [Cells(*map(np.concatenate, zip(*own, strict=True))) for own in parts]
    return Taken(rows, places, list(zip(fields, joined, strict=True)))


def learned(X: object, columns: ColumnKinds) -> Learned:
    """Read a table as a fit does; keep what it warns of, and why it would be refused."""
    said: list[str] = []
    with recorded(said):
        try:
            table, schema = learn_table(X, caller=CALLER, columns=columns)
        except ValueError as error:
            return Learned(None, None, tuple(said), str(error))
    return Learned(table, schema, tuple(said))


@contextmanager
def recorded(said: list[str]) -> Iterator[None]:
    """Keep the texts of warnings in a list, each once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    said += dict.fromkeys(str(one.message) for one in caught)


def scale_of(known: Learned, scale: str) -> ScaleChoice | None:
    """Return the scale that a fit takes for all columns; None if each kind of column has its own."""
    if known.table is None or known.schema is None or known.schema.columns is not None:
        return None
    if scale != "auto":
        return ScaleChoice(scale, "as stated")
    return automatic_scale(known.table.summary(), known.table.dtype, some_rows(known.table, None))


def without_target(X: Any, target: object) -> tuple[Any, Pair]:
    """Return a table without its target, and the target.

    Parameters
    ----------
    X
        A frame or an array (n, F).
    target
        The name of a column, its position in an array, or the values (n,) themselves.

    Raises
    ------
    ValueError
        If X has no such column, or another number of rows.
    """
    names: list[Name] = frames.names_of(X) if frames.is_frame(X) else list(range(X.shape[1]))
    if isinstance(target, str | int):
        if target not in names:
            raise ValueError(no_target(target, names))
        if not frames.is_frame(X):
            return without(X, [target]), read_array_column(int(target), X[:, int(target)])
        own = next(series for name, series in frames.columns_of(X) if name == target)
        return without(X, [target]), read_column(target, own)
    values = np.asarray(target)
    if values.ndim != 1 or len(values) != len(X):
        raise ValueError(f"target must be the name of a column or {len(X)} values, one per row; got {values.shape}")
    return X, read_array_column(BESIDE, values)


def without(X: Any, names: Sequence[Name]) -> Any:
    """Return a table without the columns of these names."""
    if not frames.is_frame(X):
        return X[:, [place for place in range(X.shape[1]) if place not in names]]
    kept = [place for place, name in enumerate(frames.names_of(X)) if name not in names]
    return frames.narwhals().from_native(X, eager_only=True)[:, kept].to_native()


def no_target(target: object, names: Sequence[Name]) -> str:
    """Return the message that X has no such column."""
    return f"X has no column {target!r} to be the target; it has {', '.join(map(repr, names[:10]))}"
