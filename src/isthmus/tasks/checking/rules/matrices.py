"""Sparse matrices of counts, ratings or words: empty rows and columns, rows that hold nearly all, negative values."""

from collections.abc import Iterator

import numpy as np

from isthmus.tasks.checking.rule import Hit, rule
from isthmus.tasks.checking.samples import SparseSample
from isthmus.tasks.checking.wording import number, of, percent

FEW_ENTRIES = 3
"""Entries of a row from which a code can be told."""
TOP, HOLDING, LEAST_ROWS = 0.01, 0.25, 100
"""A share of the rows that holds as large a share of the entries' sum; of so many rows at least."""
MOST_SHORT = 0.1


@rule(
    "empty-matrix-rows",
    "warning",
    SparseSample,
    about="rows without any entry",
    consequence="they are all alike: their code says only that they are empty",
    mend="leave them out: X[X.getnnz(axis=1) > 0]",
)
def empty_rows(sample: SparseSample) -> Iterator[Hit]:
    """Yield how many rows are empty."""
    empty = sample.entries_by_row == 0
    if empty.any():
        rows = tuple(np.flatnonzero(empty)[:10].tolist())
        yield Hit(of(int(empty.sum()), sample.rows) + " have no entry", float(empty.mean()), rows=rows)


@rule(
    "short-matrix-rows",
    "note",
    SparseSample,
    about=f"many rows with fewer than {FEW_ENTRIES} entries",
    consequence="little can be told of them, and their reconstructions are near the mean row",
    mend="leave out rows with few entries, or look at their scores apart",
    fitting=True,
)
def short_rows(sample: SparseSample) -> Iterator[Hit]:
    """Yield how many rows have few entries."""
    short = (sample.entries_by_row > 0) & (sample.entries_by_row < FEW_ENTRIES)
    if short.mean() >= MOST_SHORT:
        found = f"{of(int(short.sum()), sample.rows)} have fewer than {FEW_ENTRIES} entries"
        yield Hit(found, float(short.mean()))


@rule(
    "empty-matrix-columns",
    "note",
    SparseSample,
    about="columns without any entry, or with one",
    consequence="nothing is learned of them; they take time and memory",
    mend="leave them out: X[:, X.getnnz(axis=0) > 1]",
    fitting=True,
)
def empty_columns(sample: SparseSample) -> Iterator[Hit]:
    """Yield how many columns are empty or have one entry."""
    columns = sample.matrix.shape[1]
    empty, single = (int((sample.entries_by_column == entries).sum()) for entries in (0, 1))
    if empty + single:
        both = [(empty, "no entry"), (single, "one entry")]
        found = ", ".join(f"{of(part, columns, 'columns')} have {what}" for part, what in both if part)
        yield Hit(found, (empty + single) / columns)


@rule(
    "heavy-matrix-rows",
    "note",
    SparseSample,
    about="a few rows that hold a large part of all that is counted",
    consequence="under a likelihood of counts, and in components, they outweigh the others",
    mend="likelihood='multinomial' learns the shares of a row, whatever its total; or take logarithms: X.log1p()",
    fitting=True,
)
def heavy_rows(sample: SparseSample) -> Iterator[Hit]:
    """Yield the share of the sum that the largest rows hold."""
    sums = np.asarray(np.abs(sample.matrix).sum(1), dtype=np.float64).ravel()
    total = float(sums.sum())
    if sample.rows < LEAST_ROWS or total <= 0:
        return
    share = float(np.sort(sums)[-max(1, int(TOP * len(sums))) :].sum()) / total
    if share >= HOLDING:
        yield Hit(f"1 % of the rows hold {percent(share)} of the sum of all entries", share)


@rule(
    "negative-entries",
    "note",
    SparseSample,
    about="negative entries",
    consequence="likelihoods of counts refuse them",
    mend="a likelihood of counts needs X >= 0; a Gaussian likelihood takes them",
)
def negative_entries(sample: SparseSample) -> Iterator[Hit]:
    """Yield how many entries are negative."""
    negative = int((sample.matrix.data < 0).sum())
    if negative:
        least = number(float(sample.matrix.data.min()))
        found = of(negative, len(sample.matrix.data), "entries") + f" are negative, down to {least}"
        yield Hit(found, negative)


@rule(
    "duplicate-matrix-rows",
    "note",
    SparseSample,
    about="rows that equal an earlier row",
    consequence="they weigh double, and where a copy of a validation row is trained on, held-out errors are too small",
    mend="leave out the copies, or fit(X, groups=...) with one group for each different row",
)
def duplicate_rows(sample: SparseSample) -> Iterator[Hit]:
    """Yield how many rows equal an earlier one; short rows are equal by chance."""
    matrix = sample.matrix.copy()
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    long = np.flatnonzero(np.diff(matrix.indptr) > FEW_ENTRIES)
    seen: set[tuple[bytes, bytes]] = set()
    again = []
    for row in long.tolist():
        part = slice(matrix.indptr[row], matrix.indptr[row + 1])
        key = (matrix.indices[part].tobytes(), matrix.data[part].tobytes())
        if key in seen:
            again.append(row)
        seen.add(key)
    if again:
        share = len(again) / sample.rows
        yield Hit(f"{of(len(again), sample.rows)} equal an earlier row", share, rows=tuple(again[:10]))
