"""Rows that do not fit into memory: sources in the place of arrays, results written as they come, batches scored."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.utils import metadata_routing

from isthmus.data import frame_building, frames, parquet
from isthmus.data.chunks import PIECE_BYTES
from isthmus.data.moments import RunningMoments
from isthmus.data.rows import Rows
from isthmus.data.scaling import AffineScaling, scaling
from isthmus.data.sources import Source, in_blocks, opened
from isthmus.estimators import tabular, validation
from isthmus.estimators.rescaling import can_follow, fold
from isthmus.estimators.validation import Table

SCORE = "score"
"""The column that `score_batches` adds."""


class Checked(NamedTuple):
    """Rows that were checked against the columns seen in `fit`."""

    rows: Table


class Streams:
    """The part of `AutoEncoder` that reads and writes a block of rows at a time."""

    # A place to write to is nothing that a pipeline passes on.
    __metadata_request__transform = {"to": metadata_routing.UNUSED}  # noqa: RUF012

    network_: Any
    scaling_: AffineScaling
    n_features_in_: int
    feature_names_in_: np.ndarray
    get_feature_names_out: Callable[[], np.ndarray]
    score_samples: Callable[[Any], np.ndarray]
    _ready: Callable[[], torch.device]
    _optimiser: torch.optim.Optimizer | None

    def score_batches(self, batches: Iterable[Any], columns: Sequence[str] | None = None) -> Iterator[Any]:
        """Score record batches as they come: each with its own columns and `score`, what `score_samples` returns.

        What it takes and returns is what Spark's ``mapInArrow`` asks of a function; docs/streaming.md shows that and
        others.

        Parameters
        ----------
        batches : iterable of pyarrow.RecordBatch
            Of any columns, the model's among them; ones without rows are fine.
        columns : sequence of str, optional
            The model's columns, in their order. By default those seen in `fit` by name; of a model that was fitted on
            rows without names, all.

        Yields
        ------
        pyarrow.RecordBatch
            One for each that comes, when it is asked for.

        Raises
        ------
        ValueError
            If a column is missing, holds no numbers or has gaps, or a column is called `score` already.
        """
        self._ready()
        return self._scores(batches, self._columns() if columns is None else list(columns))

    def _scores(self, batches: Iterable[Any], columns: list[str] | None) -> Iterator[Any]:
        pa = parquet.arrow()
        for batch in batches:
            if SCORE in batch.schema.names:
                raise ValueError(f"a column of the batch is called {SCORE!r} already; rename it first")
            names = batch.schema.names if columns is None else columns
            if hasattr(self, "columns_"):
                rows = tabular.known_table(self, parquet.as_frame(batch, names)) if len(batch) else np.empty((0, 0))
            else:
                rows = parquet.numbers(batch, names)
                self._check_block(rows, 0)
            scores = self.score_samples(Checked(rows)) if len(rows) else np.empty(0)
            yield batch.append_column(SCORE, pa.array(scores, pa.float64()))

    # -- reading ----------------------------------------------------------------------------------------------------

    def _columns(self) -> list[str] | None:
        """Return the names of the columns seen in `fit`, if they had any."""
        names = getattr(self, "feature_names_in_", None)
        return None if names is None else list(names)

    def _table(self, X: Any, *, reset: bool, least_rows: int = 1, sample_weight: Any = None) -> Table:
        """Check rows; with `reset` learn the number and names of the columns, otherwise they have to be the known ones.

        Of a source the rows are checked when they are read for the first time.
        """
        if isinstance(X, Checked):
            return X.rows
        if reset:
            tabular.forget(self)
        source = opened(X, None if reset else self._columns())
        if source is None or isinstance(source, np.ndarray):
            array = X if source is None else source
            return tabular.table(self, array, reset=reset, least_rows=least_rows, sample_weight=sample_weight)
        if hasattr(self, "columns_") or (reset and not (source.plain and getattr(self, "columns", None) is None)):
            return tabular.chunked(self, source, reset=reset, least_rows=least_rows)
        table = source.table(lambda block, start: refuse_gaps(block, start, source.names))
        rows, features = table.shape
        if rows < least_rows or features < 1:
            raise ValueError(
                f"X has {rows} rows and {features} columns; at least {least_rows} and 1 are needed by "
                f"{type(self).__name__}"
            )
        if reset:
            self._learn_columns(source, features)
        else:
            self._refuse_width(features)
        return table

    def _learn_columns(self, source: Source, features: int) -> None:
        self.n_features_in_ = features
        if source.names is not None:
            self.feature_names_in_ = np.array(source.names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _refuse_width(self, features: int) -> None:
        if features != self.n_features_in_:
            raise ValueError(
                f"X has {features} features, but {type(self).__name__} is expecting {self.n_features_in_} features as "
                "input"
            )

    def _check_block(self, block: np.ndarray, start: int) -> None:
        """Raise a `ValueError` if rows are not what the model was fitted on."""
        self._refuse_width(block.shape[1])
        refuse_gaps(block, start, self._columns())

    # -- use, a block at a time -------------------------------------------------------------------------------------

    def _in_pieces(self, X: Any, to: Any = None) -> bool:
        """Whether rows are to be read, or results written, a block at a time."""
        return not isinstance(X, Checked) and (to is not None or in_blocks(X))

    def _piecewise(self, use: str, X: Any, to: str | Path | None = None) -> Any:
        """Return what the method of that name gives for X, worked out a block at a time; or write it, and say where."""
        self._ready()
        # Without what scikit-learn puts around it, which would make a frame of every piece.
        method = inspect.unwrap(getattr(type(self), use))
        pieces = (method(self, Checked(block)) for block in self._blocks(X))
        if to is None:
            whole = np.concatenate(list(pieces))
            return tabular.as_given(self, whole) if use == "reconstruct" else whole
        names = self._names_out(use)
        if use == "reconstruct":
            parquet.write((self._as_arrow(piece, names) for piece in pieces), Path(to))
        else:
            parquet.write((parquet.as_table(piece, names) for piece in pieces), Path(to))
        return Path(to)

    def _as_arrow(self, numbers: np.ndarray, names: Sequence[str]) -> Any:
        """Return rows that were rebuilt as a table of Arrow's, with the types of the columns seen in `fit`."""
        given = tabular.as_given(self, numbers)
        return frame_building.to_arrow(given) if frames.is_frame(given) else parquet.as_table(given, names)

    def _names_out(self, use: str) -> list[str]:
        """Name the columns of a result."""
        if use == "transform":
            return list(self.get_feature_names_out())
        if use == "score_samples":
            return [SCORE]
        return self._columns() or [f"x{j}" for j in range(self.n_features_in_)]

    def _blocks(self, X: Any) -> Iterator[Table]:
        """Pass over checked rows, some MiB at a time."""
        source = opened(X, self._columns())
        if source is None or isinstance(source, np.ndarray):
            table = tabular.table(self, X if source is None else source, reset=False)
            size = max(1, PIECE_BYTES // max(1, table.shape[1] * table.dtype.itemsize))
            yield from (table[start : start + size] for start in range(0, table.shape[0], size))
            return
        start, by_columns = 0, hasattr(self, "columns_")
        if by_columns:
            source.convert = lambda piece: tabular.known_table(self, piece)
        for block in gathered(source.blocks()):
            if not by_columns:
                self._check_block(block, start)
            start += len(block)
            yield block
        if not start:
            raise ValueError(f"X has no rows, and {type(self).__name__} needs one at least")

    # -- learning from a stream -------------------------------------------------------------------------------------

    _seen: RunningMoments

    def _follow(self, rows: Rows) -> None:
        """Take rows into the running statistics, and let a standard scaling follow them; a table's stays."""
        if hasattr(self, "columns_"):
            return
        before, _ = scaling("standard", self._seen.summary, rows.raw.dtype)
        pairs = (before.shift, self.scaling_.shift), (before.scale, self.scaling_.scale)
        standard = all(torch.allclose(one, other, rtol=1e-9, atol=0) for one, other in pairs)
        # In place, all of it, so that an estimator whose training fails later still is in one piece.
        self._seen.join(rows.running())
        if standard and can_follow(self.network_):
            after, _ = scaling("standard", self._seen.summary, rows.raw.dtype)
            fold(self.network_, self._optimiser, self.scaling_, after)
            self.scaling_.load_state_dict(after.state_dict())
            self.scaling_.refresh()


def refuse_gaps(block: np.ndarray, start: int, names: Sequence[str] | None) -> None:
    """Raise a `ValueError` if a value is NaN or infinite: in which columns, and in which rows."""
    try:
        validation.refuse_gaps(block, None if names is None else np.array(names, dtype=object))
    except ValueError as error:
        raise ValueError(f"{error}. They are among the rows {start} to {start + len(block) - 1}") from None


def gathered(blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Put small blocks together, up to some MiB."""
    small: list[np.ndarray] = []
    for block in blocks:
        small.append(block)
        if sum(part.nbytes for part in small) >= PIECE_BYTES:
            yield np.concatenate(small) if len(small) > 1 else small[0]
            small = []
    if small:
        yield np.concatenate(small)
