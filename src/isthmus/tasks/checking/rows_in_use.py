"""`RowsInUse`: rows that come after a fit, beside what the model knows of the rows it was trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse

from isthmus.data import frames
from isthmus.data.arrow_tables import as_frame, column_names, is_batch, unlabelled
from isthmus.data.columns import Column
from isthmus.data.containers import array_of
from isthmus.data.fields import Name
from isthmus.data.images import flattened
from isthmus.data.joining import one_after_another
from isthmus.data.reading import read_table
from isthmus.data.reading_numbers import any_array
from isthmus.data.schema import TableSchema
from isthmus.data.sources import Source, memory_mapped, open_source
from isthmus.data.table import Table
from isthmus.data.text_arrays import numbers_of_texts
from isthmus.estimators.fitted_model import FittedModel
from isthmus.tasks.anomaly.detector import AnomalyDetector
from isthmus.tasks.checking.samples import SparseSample, TableSample, places_of, rows_to_look_at
from isthmus.tasks.checking.taking import CELLS, column_samples, recorded, taken_in_memory, without

LEAST_ROWS, MOST_ROWS = 1000, 20_000
"""Rows that are looked at, at least and at most."""


@dataclass(frozen=True)
class KnownColumn:
    """What a model knows of a column of the rows it was trained on."""

    name: Name
    rows: float
    """Cells that it was learned from."""
    smallest: float
    largest: float
    mean: float
    deviation: float
    column: Column | None
    """All of it, for tables of several kinds of columns."""


@dataclass(frozen=True)
class RowsInUse:
    """Rows that come after a fit."""

    estimator: object
    """The fitted estimator."""
    schema: TableSchema
    """What it learned of the columns."""
    model: FittedModel | None
    """Its autoencoder, if it is one."""
    sample: TableSample
    """The rows, those of its columns that the model knows."""
    given: Any
    """The same rows as they came."""
    table: Table | None = None
    """The same rows as the model reads them; None if it refuses them."""
    refused: str = ""
    missing: tuple[Name, ...] = ()
    """Columns of the model that the rows lack."""
    new: tuple[Name, ...] = ()
    """Columns of the rows that the model does not know."""

    @property
    def trained(self) -> float:
        """How many rows the estimator was fitted to."""
        if isinstance(self.estimator, AnomalyDetector):
            return float(len(self.estimator.decision_scores_))
        return 0.0 if self.model is None else self.model.record.rows

    @cached_property
    def known(self) -> dict[Name, KnownColumn]:
        """What the model knows of the values of its columns, by name; of those of which it knows them."""
        rows = self.trained
        if self.schema.columns is not None:
            kept = [column for column in self.schema.columns if column.kind != "ignored"]
            return {
                c.name: KnownColumn(c.name, rows * (1 - c.missing), c.smallest, c.largest, c.mean, c.deviation, c)
                for c in kept
            }
        if self.model is None:
            return {}
        stream = self.model.record.stream.moments
        moments, names = stream.all, names_of(self.schema)
        if len(moments.mean) != len(names):
            return {}
        deviation = moments.variance.clamp_min(0).sqrt()
        return {
            name: KnownColumn(
                name,
                float(moments.weight[j]),
                float(stream.smallest[j]),
                float(stream.largest[j]),
                float(moments.mean[j]),
                float(deviation[j]),
                None,
            )
            for j, name in enumerate(names)
        }


def names_of(schema: TableSchema) -> list[Name]:
    """Return the names of the columns of a model as findings have them: positions, for arrays."""
    if schema.frame is not None:
        return [field.name for field in schema.frame.fields]
    return list(schema.names) if schema.names is not None else list(range(schema.n_features))


def rows_in_use(
    X: object, estimator: object, schema: TableSchema, model: FittedModel | None, target: object = None
) -> "RowsInUse | SparseSample":
    """Return what rules look at in rows that come after a fit; a target that the model does not know is left out.

    Raises
    ------
    ValueError
        If X is no table.
    """
    rows, places, given = drawn(X)
    if scipy.sparse.issparse(given):
        _, refused, said = as_read(given, schema)
        return SparseSample(scipy.sparse.csr_array(given), refused, said)
    flat, shape = flattened(given)
    wanted = names_of(schema)
    if isinstance(target, str) and frames.is_frame(flat) and target in frames.names_of(flat) and target not in wanted:
        given = flat = without(flat, [target])
    names: Sequence[Name] = frames.names_of(flat) if frames.is_frame(flat) else range(flat.shape[1])
    if not frames.is_frame(flat) and len(names) == len(wanted):
        names = wanted  # by their place, as every estimator reads arrays
    missing = tuple(name for name in wanted if name not in names)
    new = tuple(name for name in names if name not in wanted)
    taken = taken_in_memory(flat)
    renamed: dict[Name, Name] = {} if frames.is_frame(flat) else dict(enumerate(names))
    pairs = [(field._replace(name=renamed.get(field.name, field.name)), cells) for field, cells in taken.pairs]
    pairs = [pair for pair in pairs if pair[0].name in wanted]
    columns = column_samples(pairs, schema, taken.backend)
    table, refused, said = (None, "", ()) if missing or new else as_read(given, schema)
    some = places if len(taken.places) == len(places) else places[taken.places]
    sample = TableSample(rows, columns, said, unreadable=taken.unreadable, images=shape is not None, places=some)
    return RowsInUse(estimator, schema, model, sample, given, table, refused, missing, new)


def as_read(given: object, schema: TableSchema) -> tuple[Table | None, str, tuple[str, ...]]:
    """Return rows as a model reads them, why it refuses them, and what the reading warns of."""
    said: list[str] = []
    with recorded(said):
        try:
            table = read_table(given, schema, caller="the model")
        except ValueError as error:
            return None, str(error), tuple(said)
    return table, "", tuple(said)


def drawn(X: object) -> tuple[int, np.ndarray, Any]:
    """Return how many rows X has, the positions of some of them, and these rows as they came."""
    X = memory_mapped(X)
    source = open_source(X)
    if source is not None:
        return drawn_from_source(source)
    given = unlabelled(X) if frames.is_frame(X) else array_of(X)
    if scipy.sparse.issparse(given):
        return given.shape[0], np.arange(given.shape[0]), given
    if not frames.is_frame(given):
        given = numbers_of_texts(given) if isinstance(given, np.ndarray) else any_array(given)
    width = int(np.prod(given.shape[1:]))
    places = places_of(len(given), min(MOST_ROWS, rows_to_look_at(CELLS, LEAST_ROWS, width)))
    return len(given), places, given if len(places) == len(given) else at(given, places)


def drawn_from_source(source: Source) -> tuple[int, np.ndarray, Any]:
    """Draw rows of a source: one pass counts them, one takes them."""
    rows = sum(len(piece) for piece in source.frames())
    first = source.first()
    width = 1 if first is None else int(np.prod(first.shape[1:])) if not is_batch(first) else first.num_columns
    places = places_of(rows, min(MOST_ROWS, rows_to_look_at(CELLS, LEAST_ROWS, width)))
    parts, start = [], 0
    for piece in source.frames():
        if is_batch(piece):
            piece = as_frame(piece, column_names(piece.schema))
        chosen = places[(places >= start) & (places < start + len(piece))] - start
        start += len(piece)
        if len(chosen):
            parts.append(at(unlabelled(piece) if frames.is_frame(piece) else piece, chosen))
    if not parts:
        raise ValueError("X has no rows; give some")
    return rows, places, one_after_another(parts)


def at(X: Any, places: np.ndarray) -> Any:
    """Return the rows of a frame or an array at these positions."""
    if not frames.is_frame(X):
        return X[places]
    return frames.narwhals().from_native(X, eager_only=True)[places.tolist()].to_native()
