"""Too few rows for what is to be learned from them."""

from collections.abc import Iterator

from isthmus.engine.report import counted
from isthmus.tasks.checking.rule import Hit, rule
from isthmus.tasks.checking.samples import SparseSample, TableSample

FEW, PER_NUMBER = 50, 5
"""Rows that are few for anything, and rows per number of the code that are few."""


@rule(
    "few-rows",
    "warning",
    TableSample,
    about="few rows, for anything, for the columns or for the size of the code",
    consequence="a code of that size holds the rows themselves: errors on new rows are much larger than on these",
    mend="take more rows, a smaller latent=, or latent='auto', which is chosen on held-out rows",
    fitting=True,
)
def few_rows(sample: TableSample) -> Iterator[Hit]:
    """Yield what the rows are too few for."""
    if sample.looked_at and sample.learned:
        yield from too_few(sample.rows, len(sample.learned), sample.latent, one_unit=sample.one_unit)


@rule(
    "few-rows-of-matrix",
    "warning",
    SparseSample,
    about="few rows of a sparse matrix, for anything or for the size of the code",
    consequence="a code of that size holds the rows themselves: errors on new rows are much larger than on these",
    mend="take more rows, or a smaller latent=",
    fitting=True,
)
def few_rows_of_matrix(sample: SparseSample) -> Iterator[Hit]:
    """Yield what the rows of a matrix are too few for."""
    hits = too_few(sample.rows, sample.matrix.shape[1], sample.latent, one_unit=True)
    # There are nearly always more words or products than rows, each in few rows.
    yield from (hit for hit in hits if not hit.severity)


def too_few(rows: int, columns: int, latent: int | float | str | None, *, one_unit: bool) -> Iterator[Hit]:
    """Yield what so many rows are too few for; the columns of pixels and words may be more than the rows."""
    size = latent if isinstance(latent, int) and not isinstance(latent, bool) else None
    if rows < FEW:
        yield Hit(f"there {'is' if rows == 1 else 'are'} {counted(rows, 'row')}", rows)
    elif size is not None and rows < PER_NUMBER * size:
        yield Hit(f"{rows:,} rows for a code of {size:,} numbers", rows / size)
    elif rows < columns:
        severity = "note" if one_unit else ""
        yield Hit(f"{rows:,} rows for {columns:,} columns", rows / columns, severity=severity)
    if size is not None and size >= columns:
        mend = "take a latent below the number of columns, penalty='l1' or corruption='gaussian_noise'"
        consequence = "the network can copy its input, and the code is no summary of it"
        found = f"latent={size:,} is not smaller than the {columns:,} columns"
        yield Hit(found, size / max(columns, 1), consequence=consequence, mend=mend)
