"""What a fitted imputer says of itself: columns that nothing fills better than the mean."""

from collections.abc import Iterator

from isthmus.tasks.checking.rule import Hit, rule
from isthmus.tasks.imputation.filling import MEAN
from isthmus.tasks.imputation.imputer import Imputer

NO_BETTER = 0.98
"""Part of the mean's error from which a column is filled no better than by the mean."""


@rule(
    "no-better-than-mean",
    "note",
    Imputer,
    about="columns whose gaps nothing fills better than the mean or the most frequent value",
    consequence="the other columns say nothing of {column}: its filled cells carry no information",
    mend="draws(X) shows how unsure they are; leave {column} out where filled cells must mean something",
)
def no_better_than_mean(imputer: Imputer) -> Iterator[Hit]:
    """Yield the columns, and the error of what fills them beside that of the mean."""
    for column in imputer.floor_:
        mean = column.errors.get(MEAN, float("nan"))
        if mean > 0 and column.error >= NO_BETTER * mean:
            found = f"error {column.error:.3g} ({column.measure}) on hidden cells, {mean:.3g} with the mean"
            yield Hit(found, column.error / mean, (column.name,))
