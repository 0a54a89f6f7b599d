"""Columns that tell little or nothing of a row."""

from collections.abc import Iterator

from isthmus.tasks.checking.rule import Hit, rule
from isthmus.tasks.checking.samples import ColumnSample, TableSample
from isthmus.tasks.checking.wording import examples, of

NEARLY_ALL, LEAST_ROWS = 0.995, 200
"""Share of the cells that hold one value in a nearly constant column, and rows from which there is one."""


@rule(
    "constant-column",
    "note",
    TableSample,
    about="a column with one value",
    consequence="it tells nothing of a row; its error is 0, which makes mean errors small",
    mend="leave {column} out of X; kept, it does no harm",
    fitting=True,
)
def constant_columns(sample: TableSample) -> Iterator[Hit]:
    """Yield columns with one value."""
    for column in sample.learned:
        if column.distinct == 1 and len(column.cells.missing) > 1 and not varies_elsewhere(column, sample):
            gaps = int(column.cells.missing.sum())
            what = f"all {len(column.cells.missing) - gaps:,} cells {'that are there ' if gaps else ''}are "
            yield Hit(what + examples(column.levels), float(len(column.cells.missing) - gaps), (column.name,))


def varies_elsewhere(column: ColumnSample, sample: TableSample) -> bool:
    """Whether a column has other values in rows that are not looked at."""
    least, greatest = sample.ends.get(column.name, (0.0, 0.0))
    return least < greatest or (column.column is not None and len(column.column.levels) > 1)


@rule(
    "nearly-constant-column",
    "note",
    TableSample,
    about="a column of which nearly all cells hold one value",
    consequence="standardised, the few other cells are far from the rest and weigh much in errors and scores",
    mend="leave {column} out of X if these cells do not matter",
    fitting=True,
)
def nearly_constant_columns(sample: TableSample) -> Iterator[Hit]:
    """Yield columns of which nearly all cells hold one value."""
    if sample.one_unit:
        return
    for column in sample.learned:
        cells = int(column.counts.sum()) if column.distinct > 1 else 0
        if cells >= LEAST_ROWS and (most := int(column.counts.max())) >= NEARLY_ALL * cells:
            value = examples([column.levels[int(column.counts.argmax())]])
            yield Hit(f"{of(most, cells, 'cells')} are {value}", most / cells, (column.name,))
