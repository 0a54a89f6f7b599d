"""`StoredRows`: what a detector, and so its file, holds of the training rows themselves."""

from collections.abc import Mapping
from typing import NamedTuple

from isthmus.tasks.anomaly.calibration import Calibration, CrossCalibration
from isthmus.tasks.anomaly.ensemble import Ensemble
from isthmus.tasks.anomaly.methods import name_of

CALIBRATION = "calibration"
"""What rows that were held out of training are held by."""


class StoredRows(NamedTuple):
    """How many training rows a detector holds as they are, by what holds them.

    Scores of training rows, the least and greatest values of columns, and some of their quantiles are held besides.

    Examples
    --------
    >>> print(StoredRows({"neighbours": 150, "calibration": 40}))
    150 training rows by neighbours, 40 by calibration
    >>> print(StoredRows({}))
    no training rows
    """

    by: Mapping[str, int]
    """Rows by the name of a method, or "calibration"."""

    @property
    def most(self) -> int:
        """Rows that are held by at least one of them, as far as is known: the most that one of them holds."""
        return max(self.by.values(), default=0)

    def __str__(self) -> str:
        if not self.by:
            return "no training rows"
        (first, rows), *others = self.by.items()
        return ", ".join([f"{rows:,} training rows by {first}", *(f"{rows:,} by {name}" for name, rows in others)])


def stored_rows(ensemble: Ensemble, calibration: Calibration) -> StoredRows:
    """Return the rows that the methods of a detector hold, and its calibration."""
    by: dict[str, int] = {}
    models = calibration.ensembles if isinstance(calibration, CrossCalibration) else []
    for one in [ensemble, *models]:
        for scorer in one.scorers:
            name, rows = name_of(scorer), scorer.stored_rows
            if name is not None and rows:
                by[name] = max(rows, by.get(name, 0))
    if calibration.numbers is not None:
        by[CALIBRATION] = calibration.rows
    return StoredRows(by)


def refuse_needed(ensemble: Ensemble) -> None:
    """Raise a `ValueError` if a method scores by the training rows themselves, so that a file must hold them."""
    needed = [name_of(scorer) for scorer in ensemble.scorers if scorer.stored_rows]
    if needed:
        raise ValueError(
            f"rows=False leaves the training rows out of the file, and {' and '.join(map(repr, needed))} "
            f"{'scores' if len(needed) == 1 else 'score'} by them: fit with other methods, such as "
            "method=('mahalanobis', 'denoiser'), or save with rows=True"
        )
