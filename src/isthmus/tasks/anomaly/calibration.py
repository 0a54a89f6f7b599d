"""What turns scores into p-values: rows held out of training or, if there are few rows, each row held out in turn."""

from typing import Protocol

import numpy as np
from torch import Tensor

from isthmus.core.interrupts import uninterrupted
from isthmus.core.json_type import Json
from isthmus.data.table import Numbers, is_sparse
from isthmus.estimators.state import State, nest
from isthmus.tasks.anomaly import conformal
from isthmus.tasks.anomaly.density_ratios import density_ratios
from isthmus.tasks.anomaly.ensemble import Ensemble
from isthmus.tasks.anomaly.recipe import Recipe
from isthmus.tasks.anomaly.row_groups import group_weights
from isthmus.tasks.anomaly.state import as_tensor, numbers_state

LEAST_LEVEL = 0.03
"""Weighted p-values are refused if the effective number of calibration rows is so small that none could be as small."""
MANY, MOST_HELD_OUT = 1000, 2000
"""Number of rows from which some are held out for calibration, and the greatest number that is held out."""
FOLDS = 5
"""Number of folds that fewer rows are cut into; each is held out once."""


class Calibration(Protocol):
    """Scores of rows that the model has not seen, and p-values by comparison with them."""

    @property
    def known_normal(self) -> bool:
        """Whether the rows are known to be normal, whatever the training rows are."""
        ...

    @property
    def ready(self) -> bool:
        """Whether p-values take no more training."""
        ...

    @property
    def numbers(self) -> Numbers | None:
        """(n, R) rows that are held, by whatever name; None if there are none."""
        ...

    @property
    def rows(self) -> int:
        """How many rows there are to compare with; 0 if there are none."""
        ...

    @property
    def scores(self) -> np.ndarray:
        """(n,) the scores of the rows; may train models first."""
        ...

    @property
    def groups(self) -> np.ndarray | None:
        """(n,) the group of each row, where rows belong together; None if each stands for itself."""
        ...

    @property
    def held_out(self) -> Numbers | None:
        """(n, R) rows that were held out of the training of the one model; None if there are none."""
        ...

    def pvalues(self, numbers: Numbers) -> np.ndarray:
        """Return the p-value of each row of numbers (m, R), (m,)."""
        ...

    def weighted_pvalues(self, numbers: Numbers) -> np.ndarray:
        """Return the p-value of each row of numbers (m, R) under covariate shift, (m,)."""
        ...

    def state(self) -> State:
        """Return what it takes to rebuild the calibration."""
        ...

    def without_rows(self) -> "Calibration":
        """Return the calibration without the rows themselves, as far as it goes on without them."""
        ...


class NoCalibration:
    """Stands for a calibration where no rows were held out, and says so when it is asked.

    Parameters
    ----------
    fraction
        The `calibration_fraction` of the detector, for the message.
    """

    known_normal, ready, rows, numbers, held_out, groups = False, False, 0, None, None, None

    def __init__(self, fraction: float | str | None) -> None:
        self.fraction = fraction

    @property
    def scores(self) -> np.ndarray:
        """Raise a `ValueError`."""
        raise ValueError(
            f"no rows were held out to calibrate p-values (calibration_fraction={self.fraction!r}); fit with a share "
            "such as 0.2, or give rows known to be normal to calibrate(X)"
        )

    def pvalues(self, numbers: Numbers) -> np.ndarray:
        """Raise a `ValueError`."""
        return self.scores

    def weighted_pvalues(self, numbers: Numbers) -> np.ndarray:
        """Raise a `ValueError`."""
        return self.scores

    def state(self) -> State:
        """Return the `calibration_fraction`."""
        return State({"kind": "none", "fraction": self.fraction}, {})

    def without_rows(self) -> "NoCalibration":
        """Return itself: it has no rows."""
        return self


class SplitCalibration:
    """Rows that were held out of training.

    Parameters
    ----------
    ensemble
        Trained.
    numbers
        (n, R) rows that it has not seen; None if their scores alone are known.
    known_normal
        Whether they are known to be normal.
    scores
        (n,) of the rows, if they are known already.
    groups
        (n,) the group of each row, where rows belong together. Each group then counts as one row.
    """

    ready = True

    def __init__(
        self,
        ensemble: Ensemble,
        numbers: Numbers | None,
        *,
        known_normal: bool,
        scores: np.ndarray | None = None,
        groups: np.ndarray | None = None,
    ) -> None:
        self.ensemble, self.numbers, self.known_normal, self.groups = ensemble, numbers, known_normal, groups
        if scores is None:
            assert numbers is not None, "either rows or their scores are known"
            scores = ensemble.score(numbers)
        self.scores = scores

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.scores)

    @property
    def held_out(self) -> Numbers | None:
        """(n, R) the rows; None if they were not saved."""
        return self.numbers

    def without_rows(self) -> "SplitCalibration":
        """Return the calibration with the scores of its rows alone."""
        return SplitCalibration(
            self.ensemble, None, known_normal=self.known_normal, scores=self.scores, groups=self.groups
        )

    def pvalues(self, numbers: Numbers) -> np.ndarray:
        """Return the p-value of each row of numbers (m, R), (m,)."""
        scores = self.ensemble.score(numbers)
        if self.groups is None:
            return conformal.split(self.scores, scores)
        return conformal.weighted(self.scores, scores, group_weights(self.groups), np.ones(len(scores)))

    def weighted_pvalues(self, numbers: Numbers) -> np.ndarray:
        """Return p-values (m,) for which calibration rows are weighted by how much they are like the rows of numbers.

        Raises
        ------
        ValueError
            If hardly any calibration row is like these, for sparse rows, and for rows in groups.
        """
        if self.groups is not None:
            raise ValueError("weighted p-values compare rows one by one, and these are in groups; take weighted=False")
        if is_sparse(numbers):
            raise ValueError("weighted p-values compare rows column by column, and X is sparse; take weighted=False")
        if self.numbers is None:
            raise ValueError(
                "weighted p-values compare rows with those held out of training, which were not saved with the "
                "detector (rows=False); take weighted=False, or calibrate(X)"
            )
        ratios = density_ratios(self.ensemble.cells(self.numbers), self.ensemble.cells(numbers))
        ratios.refuse_too_few(LEAST_LEVEL)
        return conformal.weighted(self.scores, self.ensemble.score(numbers), ratios.calibration, ratios.new)

    def state(self) -> State:
        """Return rows and scores."""
        facts: dict[str, Json] = {"kind": "split", "known_normal": self.known_normal}
        tensors = {"scores": as_tensor(self.scores)} | groups_state(self.groups)
        return nest(saved_rows(self.numbers), facts, tensors)


class CrossCalibration:
    """Few rows, each held out of one of several trainings, which take place when scores are first asked for.

    Parameters
    ----------
    recipe
        How to train.
    numbers
        (n, R) all rows; None if models are trained and the rows were not saved.
    seed
        Of folds and trainings.
    known_normal
        Whether the rows are known to be normal.
    groups
        (n,) the group of each row, where rows belong together: whole groups are held out, and each counts as one row.
    """

    held_out = None

    def __init__(
        self,
        recipe: Recipe,
        numbers: Numbers | None,
        seed: int,
        *,
        known_normal: bool,
        groups: np.ndarray | None = None,
        count: int = 0,
    ) -> None:
        self.recipe, self.numbers, self.seed, self.known_normal = recipe, numbers, seed, known_normal
        self.groups, rng = groups, np.random.default_rng([seed, 1])
        self.rows = count if numbers is None else int(numbers.shape[0])
        if groups is None:
            self.folds = draw_folds(self.rows, rng)
        else:
            known, codes = np.unique(groups, return_inverse=True)
            self.folds = draw_folds(len(known), rng)[codes]
        self.ensembles: list[Ensemble] = []
        self.held_out_scores = np.empty(0)

    @property
    def ready(self) -> bool:
        """Whether the models are trained."""
        return bool(self.ensembles)

    @property
    def scores(self) -> np.ndarray:
        """(n,) the score of each row by the model that has not seen it; trains the models first."""
        if not self.ready:
            self.train()
        return self.held_out_scores

    def train(self) -> None:
        """Train one model per fold, without the rows of that fold."""
        numbers = self.numbers
        assert numbers is not None, "rows are left out only once the models are trained"
        ensembles, scores = [], np.empty(self.rows)
        for fold in range(self.folds.max() + 1):
            out = np.flatnonzero(self.folds == fold)
            rows = numbers[np.flatnonzero(self.folds != fold)]
            ensemble = self.recipe.train(self.recipe.training(rows, self.seed + fold + 1))
            scores[out] = ensemble.score(numbers[out])
            ensembles.append(ensemble)
        with uninterrupted():
            self.ensembles, self.held_out_scores = ensembles, scores

    def pvalues(self, numbers: Numbers) -> np.ndarray:
        """Return the p-value of each row of numbers (m, R), (m,)."""
        held_out_scores = self.scores
        scores = np.stack([ensemble.score(numbers) for ensemble in self.ensembles], axis=1)
        weights = None if self.groups is None else group_weights(self.groups)
        return conformal.cross(held_out_scores, self.folds, scores, weights)

    def weighted_pvalues(self, numbers: Numbers) -> np.ndarray:
        """Refuse: there is no single model that all held-out rows were scored by."""
        raise ValueError(
            f"weighted p-values need rows held out of training, and with {self.rows} rows all are held out "
            "in turn; fit with a calibration_fraction such as 0.3, or take weighted=False"
        )

    def state(self) -> State:
        """Return rows, scores and, if they are trained, models."""
        facts: dict[str, Json] = {"kind": "cross", "known_normal": self.known_normal}
        tensors = {"scores": as_tensor(self.held_out_scores), "seed": as_tensor(self.seed)} | groups_state(self.groups)
        models = {f"fold{place}": ensemble.state() for place, ensemble in enumerate(self.ensembles)}
        return nest(saved_rows(self.numbers) | models, facts, tensors)

    def without_rows(self) -> "CrossCalibration":
        """Return the calibration with its models and the scores of the rows alone; trains the models first."""
        scores = self.scores
        kept = CrossCalibration(
            self.recipe, None, self.seed, known_normal=self.known_normal, groups=self.groups, count=self.rows
        )
        kept.ensembles, kept.held_out_scores = self.ensembles, scores
        return kept


def saved_rows(numbers: Numbers | None) -> dict[str, State]:
    """Return the rows of a calibration as a member of its state, if they are there."""
    return {} if numbers is None else {"numbers": numbers_state(numbers)}


def groups_state(groups: np.ndarray | None) -> dict[str, Tensor]:
    """Return the groups of rows (n,), if they are in groups, as tensors by name."""
    return {} if groups is None else {"groups": as_tensor(groups)}


def units(calibration: Calibration) -> int:
    """Return how many independent observations a calibration has: its rows, or its groups of rows."""
    scores, groups = calibration.scores, calibration.groups
    return len(scores) if groups is None else len(np.unique(groups))


def held_out_count(fraction: float | str | None, rows: int, *, fitted: bool) -> int:
    """Return how many of the rows to hold out for calibration.

    Parameters
    ----------
    fraction
        The `calibration_fraction` of the detector.
    rows
        Number of training rows.
    fitted
        Whether the estimator is fitted already, so that a few rows can be spared.
    """
    if fraction is None:
        return 0
    if isinstance(fraction, str):
        enough = rows >= MANY or (fitted and rows > 1)
        return min(rows // 5, MOST_HELD_OUT) if enough else 0
    return min(max(1, round(fraction * rows)), rows - 2)


def draw_folds(rows: int, rng: np.random.Generator) -> np.ndarray:
    """Return the fold of each row, (rows,), drawn at random; all folds have the same size, give or take one row."""
    return rng.permutation(rows) % min(FOLDS, rows // 2)
