"""`ReiterableBatches`: data that a function returns in batches, as often as it is called."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np

from isthmus.data.arrow_tables import (
    arrow,
    as_frame,
    column_names,
    index_columns,
    is_numeric,
    numbers,
    refuse_absence,
)
from isthmus.data.chunks import ChunkedTable
from isthmus.data.containers import array_of
from isthmus.data.frames import is_frame
from isthmus.data.images import RowShape, flattened
from isthmus.data.moments import RunningMoments
from isthmus.data.number_types import as_tensor, kept_type
from isthmus.data.parquet import is_parquet_dataset
from isthmus.data.sources import Convert, data_source


def has_gaps_or_text(batch: object) -> bool:
    """Whether a batch is an array of texts or objects, or masked."""
    return isinstance(batch, np.ma.MaskedArray) or (isinstance(batch, np.ndarray) and batch.dtype.kind in "OUS")


@data_source
class ReiterableBatches:
    """Batches of rows from an iterator that a function returns afresh for every pass.

    Parameters
    ----------
    X
        A function without arguments that returns an iterator of batches: arrays (b, F) or RecordBatches, each time the
        same ones.
    columns
        Names of the columns to take from RecordBatches; None takes all of the first one's.

    Attributes
    ----------
    names : list of str or None
        Of the columns, where batches have any; known once a batch was seen.
    row_shape : tuple of int or None
        Of each row, where batches are arrays of images; known once a batch was seen.
    """

    in_order = True

    def __init__(self, X: Callable[[], Iterable[Any]], columns: Sequence[str] | None = None) -> None:
        self.make = X
        self.names = None if columns is None else list(columns)
        self.called = f"{getattr(X, '__name__', type(X).__name__)}()"
        self.lengths: list[int] = []
        self.convert: Convert | None = None
        self.row_shape: RowShape | None = None
        self.begun: Iterable[Any] | None = None
        self.coming: Iterator[np.ndarray] = iter(())
        self.next = -1

    @staticmethod
    def opens(X: object) -> bool:
        """Whether X is a function."""
        return callable(X) and not hasattr(X, "__array__")

    def measured(self, lengths: list[int]) -> None:
        """Take the number of rows of each batch, known from a first pass."""
        self.lengths = lengths

    def started(self) -> Iterable[Any]:
        """Return a new pass over the batches as they come; the one that `plain` has begun, if it has."""
        if self.begun is not None:
            begun, self.begun = self.begun, None
            return begun
        batches = self.make()
        if not isinstance(batches, Iterable):
            raise ValueError(
                f"{self.called} returned {type(batches).__name__}; it must return an iterator of batches of rows"
            )
        return batches

    def blocks(self) -> Iterator[np.ndarray]:
        """Pass over all batches, (b, F) each; ones without rows are passed by."""
        batches = self.started()
        width = None
        for number, batch in enumerate(batches):
            if self.convert is not None and not len(batch):
                continue
            array = self.numbers(batch, number)
            if width is not None and array.shape[1] != width:
                raise ValueError(
                    f"batch {number} of {self.called} has {array.shape[1]} columns, and those before have {width}; "
                    "every batch needs the same ones"
                )
            width = array.shape[1]
            if len(array):
                yield array

    def first(self) -> Any:
        """Return the first batch as it comes; None if there is none. The pass goes on where this look ends."""
        batches = iter(self.started())
        first = next(batches, None)
        self.begun = batches if first is None else chain([first], batches)
        return first

    @property
    def plain(self) -> bool:
        """Whether the first batch holds nothing but numbers, and no gaps but those of an array."""
        first = self.first()
        if first is None or type(first).__module__.split(".")[0] != "pyarrow":
            return not is_frame(first) and not has_gaps_or_text(first)
        self.names = column_names(first.schema) if self.names is None else self.names
        columns = [first.column(name) for name in self.names if name in first.schema.names]
        return all(is_numeric(column.type) and not column.null_count for column in columns)

    def frames(self) -> Iterator[Any]:
        """Pass over all batches as they come, but for those without rows."""
        return (self.chosen(batch) for batch in self.started() if len(batch))

    def chosen(self, batch: Any) -> Any:
        """Return a batch as a frame, of a RecordBatch the columns that are wanted, or as it is."""
        if type(batch).__module__.split(".")[0] != "pyarrow":
            return self.flat(batch)
        self.names = column_names(batch.schema) if self.names is None else self.names
        return as_frame(batch, [*self.names, *labels_beside(batch.schema, self.names)])

    def numbers(self, batch: Any, number: int) -> np.ndarray:
        """Return a batch as numbers, (b, F)."""
        if self.convert is not None:
            return self.convert(self.chosen(batch))
        if type(batch).__module__.split(".")[0] == "pyarrow":
            self.names = column_names(batch.schema) if self.names is None else self.names
            return numbers(batch, self.names)
        array = np.asarray(array_of(self.flat(batch)))
        if array.ndim != 2 or array.dtype.kind not in "biuf":
            raise ValueError(
                f"batch {number} of {self.called} has the shape {array.shape} and the type {array.dtype}; arrays of "
                "numbers (rows, columns) or RecordBatches are needed"
            )
        return array

    def flat(self, batch: Any) -> Any:
        """Return a batch of images as rows; any other batch as it is."""
        rows, shape = flattened(batch)
        if shape is not None and self.row_shape not in (None, shape):
            raise ValueError(
                f"{self.called} brought images of the shape {self.row_shape} and of the shape {shape}; every batch "
                "needs the same one"
            )
        self.row_shape = self.row_shape if shape is None else shape
        return rows

    def table(self, check: Callable[[np.ndarray, int], None]) -> ChunkedTable:
        """Pass over all batches once, and return them as a table that knows how many rows they have, and what of.

        Raises
        ------
        ValueError
            If there is no row; and whatever `check` raises.
        """
        running: RunningMoments | None = None
        kinds: set[np.dtype] = set()
        for array in self.blocks():
            check(array, sum(self.lengths))
            running = RunningMoments(array.shape[1]) if running is None else running
            self.lengths.append(len(array))
            kinds.add(array.dtype)
            running.add_rows(as_tensor(np.ascontiguousarray(array)))
        if running is None:
            raise ValueError(f"{self.called} brought no rows; it must return an iterator of batches of rows")
        dtype = kept_type(np.result_type(*kinds))
        table = ChunkedTable(self.lengths, self.read, len(running.mean), dtype, in_order=True)
        table.known = running.summary
        return table

    def read(self, i: int) -> np.ndarray:
        """Return a batch; going on from the one before is cheap, going back starts another pass.

        Raises
        ------
        ValueError
            If a later pass brings other batches than the first one.
        """
        if i < self.next or self.next < 0:
            self.coming, self.next = self.blocks(), 0
        while True:
            array = next(self.coming, None)
            expected = self.lengths[self.next]
            if array is None and self.next == 0:
                raise ValueError(
                    f"the iterator that {self.called} returned is exhausted on the second pass: it must return a new "
                    "one each time it is called, as a generator function does"
                )
            if array is None or len(array) != expected:
                brought = "no more rows" if array is None else f"{len(array)} rows"
                raise ValueError(
                    f"{self.called} brought {brought} as batch {self.next} of a later pass, and {expected} in the "
                    "first; every pass must bring the same batches in the same order"
                )
            self.next += 1
            if self.next == len(self.lengths):
                self.end()
            if self.next > i:
                return array

    def end(self) -> None:
        """Look whether a pass ends where the first one did."""
        if next(self.coming, None) is not None:
            raise ValueError(
                f"{self.called} brought more than the {sum(self.lengths)} rows of the first pass in a later one; every "
                "pass must bring the same batches in the same order"
            )


@data_source
class ArrowDataset(ReiterableBatches):
    """A data set of pyarrow's that is not plain Parquet files: every pass scans it again.

    Parameters
    ----------
    X
        A `pyarrow.dataset.Dataset`.
    columns
        Names of the columns to read, in this order; None reads all.

    Raises
    ------
    ValueError
        If X is a `RecordBatchReader`, which can be read only once, or a single `RecordBatch`.
    """

    def __init__(self, X: Any, columns: Sequence[str] | None = None) -> None:
        if isinstance(X, arrow().RecordBatchReader):
            raise ValueError(
                "X is a RecordBatchReader, which can be read only once; give a function that returns a new one each "
                "time, or X.read_all() where that fits into memory"
            )
        if isinstance(X, arrow().RecordBatch):
            raise ValueError("X is a RecordBatch; give pyarrow.Table.from_batches([X])")
        refuse_absence(X.schema, "the data set", columns)
        wanted = None if columns is None else [*columns, *labels_beside(X.schema, columns)]
        super().__init__(lambda: X.to_batches(columns=wanted), columns)

    @staticmethod
    def opens(X: object) -> bool:
        """Whether X is a data set that is not plain Parquet files; or a reader or batch, which are refused."""
        if type(X).__module__.split(".")[0] != "pyarrow":
            return False
        pa = arrow()
        kinds = pa.dataset.Dataset | pa.RecordBatchReader | pa.RecordBatch
        return isinstance(X, kinds) and not is_parquet_dataset(X)


def labels_beside(schema: Any, names: Sequence[str]) -> list[str]:
    """Return the names of the columns of pandas' index that are not among those of these names."""
    return [name for name in index_columns(schema) if name not in names]
