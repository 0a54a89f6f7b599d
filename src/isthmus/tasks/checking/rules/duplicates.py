"""Rows that are there twice."""

from collections.abc import Iterator, Sequence

import numpy as np

from isthmus.estimators.held_out_checks import FEW_COINCIDENCES, LOOKED_AT, MOST_DUPLICATES
from isthmus.tasks.checking.rule import Hit, named, rule
from isthmus.tasks.checking.samples import ColumnSample, TableSample
from isthmus.tasks.checking.wording import of


@rule(
    "duplicate-rows",
    "note",
    TableSample,
    about="rows that equal an earlier row, perhaps but for an identifier",
    consequence="they weigh double, and where a copy of a validation row is trained on, held-out errors are too small",
    mend="X.drop_duplicates(), or fit(X, groups=...) with one group for each different row; keep them if they are "
    "different cases that look alike",
)
def duplicate_rows(sample: TableSample) -> Iterator[Hit]:
    """Yield how many rows equal an earlier one."""
    columns = [column for column in sample.learned if column.field.sort != "nothing"]
    rows = sample.looked_at
    if rows < 2 or not columns:
        return
    again = repeated(columns)
    share = float(again.mean())
    if not share or coincidences(columns, rows) >= FEW_COINCIDENCES:
        return
    others = [column for column in sample.columns if column.ignored and column.field.sort != "nothing"]
    exactly = int(repeated([*columns, *others]).sum()) if others else int(again.sum())
    number = f"{of(int(again.sum()), rows)} equal an earlier row"
    if exactly < again.sum():
        some = f", {int(again.sum()) - exactly:,} of them" if exactly else ""
        number += f"{some} but for {named([one.name for one in others])}"
    yield Hit(number, share, rows=sample.positions(again), severity="warning" if share > MOST_DUPLICATES else "")


def repeated(columns: Sequence[ColumnSample]) -> np.ndarray:
    """Return which rows equal an earlier one in these columns, (n,) bool."""
    keys = row_keys(columns)
    again = np.ones(len(keys), dtype=bool)
    again[np.unique(keys, return_index=True)[1]] = False
    return again


def row_keys(columns: Sequence[ColumnSample]) -> np.ndarray:
    """Return a number for each row, (n,) uint64, that is the same for equal rows, and for others only by a rare chance.

    With n rows the probability of any such chance is about n²/2⁶⁵.
    """
    keys = np.zeros(len(columns[0].cells.missing), dtype=np.uint64)
    for column in columns:
        keys = mixed(keys ^ mixed(bits_of(column)))
    return keys


def bits_of(column: ColumnSample) -> np.ndarray:
    """Return the cells of a column as whole numbers, (n,) uint64, the same for equal cells."""
    if column.is_words:
        return column.codes.astype(np.int64).view(np.uint64)
    # 0 and -0 are equal, and so are all gaps.
    values = np.where(np.isnan(column.values), np.nan, column.values) + 0.0
    return np.ascontiguousarray(values).view(np.uint64)


def mixed(bits: np.ndarray) -> np.ndarray:
    """Return numbers (n,) uint64 that depend on all bits of others, one to one (Steele, Lea and Flood 2014)."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def coincidences(columns: Sequence[ColumnSample], rows: int) -> float:
    """Return how many rows equal a new row by chance, if columns are independent: n Π Σ p²."""
    logs = 0.0
    for column in columns:
        counts = np.unique(column.codes[:LOOKED_AT], return_counts=True)[1]
        logs += float(np.log(((counts / counts.sum()) ** 2).sum()))
    return rows * float(np.exp(logs))
