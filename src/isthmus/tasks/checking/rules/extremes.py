"""Infinite, wild and heavy-tailed values, and columns whose scales differ where one scale is asked for."""

from collections.abc import Iterator

import numpy as np

from isthmus.tasks.checking.rule import Hit, rule
from isthmus.tasks.checking.samples import ColumnSample, TableSample
from isthmus.tasks.checking.wording import number, of, percent

JUMP, MOST_WILD, BEYOND = 30.0, 0.01, 100.0
"""Wild cells are that many times as far from the median as all others, few, and that many standard deviations away."""
LEAST_VALUES, LEAST_ROWS = 10, 200
TOP, HOLDING = 0.01, 0.9
"""A tail is heavy if this share of the cells holds that share of the squared deviations."""
ONE_HOLDS = 0.9
"""Share of the variance that one of three or more columns may have under one scale."""


@rule(
    "infinite-cells",
    "error",
    TableSample,
    about="infinite numbers",
    consequence="`fit` refuses the table",
    mend="numpy.where(numpy.isinf({cells}), numpy.nan, {cells}) makes gaps of them",
)
def infinite_cells(sample: TableSample) -> Iterator[Hit]:
    """Yield columns with infinite cells."""
    for column in sample.columns:
        infinite = np.isinf(column.values)
        if infinite.any():
            found = of(int(infinite.sum()), len(infinite), "cells") + " are infinite"
            yield Hit(found, float(infinite.sum()), (column.name,), sample.positions(infinite))


@rule(
    "wild-cells",
    "warning",
    TableSample,
    about="a few cells that are many times as far from the median as all others, such as 1e9 among hundreds",
    consequence="they set the scale of the column, and their squared errors outweigh all others",
    mend="mend the cells if they are mistakes; columns={{{column}: 'student_t'}} bears them",
)
def wild_cells(sample: TableSample) -> Iterator[Hit]:
    """Yield columns with wild cells."""
    for column in sample.numbers:
        wild = wild_in(column)
        if not wild.any():
            yield from wild_elsewhere(column, sample)
            continue
        rest = np.sort(column.values[~wild & np.isfinite(column.values)])
        odd = column.values[wild]
        most = float(odd[np.argmax(np.abs(odd - np.median(rest)))])
        cells = f"{int(wild.sum())} cell{'s' * int(wild.sum() > 1)}"
        found = f"{cells}, up to {number(most)}; all others from {number(rest[0])} to {number(rest[-1])}"
        yield Hit(found, abs(most), (column.name,), sample.positions(wild))


def wild_elsewhere(column: ColumnSample, sample: TableSample) -> Iterator[Hit]:
    """Yield a wild cell in rows that are not looked at, which the ends of the column tell of."""
    values = column.ordered
    if not sample.sampled or column.distinct < LEAST_VALUES:
        return
    median = float(np.median(values))
    away = max(abs(median - float(values[0])), abs(float(values[-1]) - median))
    for end in sample.ends.get(column.name, ()):
        if abs(end - median) > max(JUMP * away, BEYOND * float(values.std())):
            found = (
                f"a cell of {number(end)}; those that are looked at from {number(values[0])} to {number(values[-1])}"
            )
            yield Hit(found, abs(end), (column.name,))


def wild_in(column: ColumnSample) -> np.ndarray:
    """Return which cells of a column are wild, (n,) bool."""
    none = np.zeros(len(column.values), dtype=bool)
    values = column.ordered
    if len(values) < 2 * LEAST_VALUES or column.distinct < LEAST_VALUES:
        return none
    median = float(np.median(values))
    away = np.sort(np.abs(values - median))
    few = max(1, int(MOST_WILD * len(away)))
    ends = away[-few - 1 :]
    jumps = np.flatnonzero(ends[1:] > JUMP * np.maximum(ends[:-1], 1e-300))
    if not len(jumps) or ends[jumps[0]] <= 0:
        return none
    least = float(ends[jumps[0] + 1])
    rest = values[np.abs(values - median) < least]
    if len(np.unique(rest)) < LEAST_VALUES or least < BEYOND * float(rest.std()):
        return none
    with np.errstate(invalid="ignore"):
        return np.isfinite(column.values) & (np.abs(column.values - median) >= least)


@rule(
    "heavy-tail",
    "note",
    TableSample,
    about="a column of which one cell in a hundred holds nearly all of the variance",
    consequence="components and squared errors follow these rows, and say little of the others",
    mend="columns={{{column}: 'positive'}} takes logarithms of values of at least 0; 'student_t' bears tails",
    fitting=True,
)
def heavy_tails(sample: TableSample) -> Iterator[Hit]:
    """Yield columns of numbers with heavy tails on the scale on which they are learned."""
    if sample.one_unit:
        return
    for column in sample.numbers:
        kind = "real" if column.column is None else column.column.kind
        values = column.present
        if kind != "real" or len(values) < LEAST_ROWS or column.distinct < LEAST_VALUES or wild_in(column).any():
            continue
        squares = np.sort((values - np.median(values)) ** 2)
        total = float(squares.sum())
        share = float(squares[-max(1, int(TOP * len(squares))) :].sum()) / total if 0 < total < np.inf else 0.0
        if share >= HOLDING:
            yield Hit(f"1 % of the cells hold {percent(share)} of the variance", share, (column.name,))


@rule(
    "mixed-scales",
    "warning",
    TableSample,
    about="columns of different units under one scale for all",
    consequence="the column with the widest range is nearly all that is learned",
    mend="scale='standard' gives every column the same weight; so does scale='auto' where units differ",
    fitting=True,
)
def mixed_scales(sample: TableSample) -> Iterator[Hit]:
    """Yield the column that holds nearly all of the variance, where one scale is taken for all columns."""
    chosen = sample.chosen
    columns = sample.numbers
    if chosen is None or chosen.name in ("standard", "minmax") or len(columns) < 3:
        return
    variances = np.array([float(np.var(column.present)) for column in columns])
    most = int(variances.argmax())
    share = float(variances[most] / variances.sum()) if variances.sum() > 0 else 0.0
    if share >= ONE_HOLDS:
        name = columns[most].name
        yield Hit(f"{percent(share)} of the variance under scale={chosen.name!r} is of one column", share, (name,))
