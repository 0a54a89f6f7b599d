"""`TrainedDetector`: everything a detector has learned, apart from the reading of tables and the decision."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from scipy.sparse import csr_array

from isthmus.core.checked_tensors import checked
from isthmus.data.table import Numbers, is_sparse
from isthmus.estimators.state import Facts, State, Tensors, member, nest
from isthmus.tasks.anomaly.calibration import (
    Calibration,
    CrossCalibration,
    NoCalibration,
    SplitCalibration,
    held_out_count,
)
from isthmus.tasks.anomaly.drift import Drift, unchanged
from isthmus.tasks.anomaly.ensemble import Ensemble
from isthmus.tasks.anomaly.explainer import Explainer
from isthmus.tasks.anomaly.floor import DetectorFloor
from isthmus.tasks.anomaly.own_method import OwnScorer
from isthmus.tasks.anomaly.recipe import Recipe
from isthmus.tasks.anomaly.row_groups import held_out_groups
from isthmus.tasks.anomaly.saved_calibration import calibration_from_state
from isthmus.tasks.anomaly.state import Surroundings, as_tensor


@dataclass(frozen=True)
class TrainedDetector:
    """What a detector has learned; it takes rows as numbers (n, R)."""

    recipe: Recipe
    """How it was trained."""
    seed: int
    """The seed of the training."""
    ensemble: Ensemble
    """Scores rows."""
    explainer: Explainer
    """Explains scores."""
    calibration: Calibration
    """Turns scores into p-values."""
    floor: DetectorFloor | None
    """What a single classical method would do; None if no dense rows were held out of training."""

    @classmethod
    def trained(
        cls,
        recipe: Recipe,
        rows: Numbers,
        seed: int,
        fraction: float | str | None,
        *,
        fitted: bool,
        groups: np.ndarray | None = None,
    ) -> Self:
        """Train on rows in random order, the first of which, or whole groups of which, are held out for calibration.

        Parameters
        ----------
        recipe
            How to train.
        rows
            (n, R) in random order.
        seed
            Of everything drawn at random.
        fraction
            The `calibration_fraction` of the detector.
        fitted
            Whether the recipe's estimator is fitted already.
        groups
            (n,) the group of each row, where rows belong together.
        """
        out = np.arange(rows.shape[0]) < held_out_count(fraction, rows.shape[0], fitted=fitted)
        if groups is not None:
            out = held_out_groups(groups, fraction, np.random.default_rng([seed, 2]))
        held = int(out.sum())
        training = recipe.training(rows[~out], seed)
        ensemble = recipe.train(training)
        recipe = replace(recipe, known=None, weights=ensemble.weights)
        explainer = Explainer.of(ensemble, training)
        known = not recipe.contaminated
        calibration: Calibration = NoCalibration(fraction)
        if held:
            own = None if groups is None else groups[out]
            calibration = SplitCalibration(ensemble, rows[out], known_normal=known, groups=own)
        elif fraction == "auto" and rows.shape[0] >= 4:
            calibration = CrossCalibration(recipe, rows, seed, known_normal=known, groups=groups)
        floor = DetectorFloor.of(ensemble, training, rows[out], explainer.columns)
        return cls(recipe, seed, ensemble, explainer, calibration, floor)

    def calibrated(self, normal: Numbers, groups: np.ndarray | None = None) -> Self:
        """Return the same detector, calibrated on rows known to be normal, perhaps in groups (n,)."""
        return replace(self, calibration=SplitCalibration(self.ensemble, normal, known_normal=True, groups=groups))

    def score(self, numbers: Numbers) -> np.ndarray:
        """Return the score of each row of numbers (n, R), (n,) float64; higher is odder."""
        return self.ensemble.score(numbers)

    def values(self, numbers: Numbers) -> np.ndarray:
        """Return one value per column of numbers (n, R), (n, columns) float64."""
        return self.explainer.columns.values(numbers)

    def repeated(self, numbers: Numbers) -> np.ndarray:
        """Return one value per column that is looked at, as later rows repeat them, (n, considered) float64."""
        return self.explainer.columns.repeated(self.values(numbers))

    def unchanged(self, names: list[object], false_alarm: float) -> Drift:
        """Return what is known of a stream before its first batch.

        Raises
        ------
        ValueError
            If no dense rows were held out of training.
        """
        held_out = self.calibration.held_out
        if held_out is None or is_sparse(held_out):
            raise ValueError(
                "drift is measured against rows that were held out of training, and there are none (fewer than 1,000 "
                "rows, calibration_fraction=None, or sparse rows); fit with a calibration_fraction such as 0.3"
            )
        values = self.repeated(held_out)
        looked_at = self.explainer.columns.considered(len(names))
        known = [name for name, used in zip(names, looked_at, strict=True) if used]
        return unchanged(self.calibration.scores, values, known, false_alarm, self.seed)

    def state(self) -> State:
        """Return what it takes to rebuild the detector, apart from the recipe."""
        parts = {
            "ensemble": self.ensemble.state(),
            "explainer": self.explainer.state(),
            "calibration": self.calibration.state(),
        }
        if self.floor is not None:
            parts["floor"] = self.floor.state()
        return nest(parts, None, {"seed": as_tensor(self.seed)})

    @classmethod
    def from_state(cls, facts: Facts, tensors: Tensors, surroundings: Surroundings, recipe: Recipe) -> Self:
        """Rebuild a detector.

        Parameters
        ----------
        facts, tensors
            As `state` returned them.
        surroundings
            Columns, device and the user's own classes.
        recipe
            How it was trained, for models that are trained only when p-values are asked for.
        """
        ensemble = Ensemble.from_state(*member("ensemble", facts, tensors), surroundings)
        explainer = Explainer.from_state(*member("explainer", facts, tensors), surroundings, ensemble)
        recipe = replace(recipe, weights=ensemble.weights)
        saved = member("calibration", facts, tensors)
        calibration = calibration_from_state(*saved, surroundings, ensemble=ensemble, recipe=recipe)
        floor = DetectorFloor.from_state(*member("floor", facts, tensors)) if "floor" in facts else None
        seed = int(checked(tensors, "seed", (), torch.int64, least=0))
        return cls(recipe, seed, ensemble, explainer, calibration, floor)

    def refuse_broken(self, *, sparse: bool) -> None:
        """Raise a `ValueError` if a row of zeros cannot be scored: what was restored from a file does not fit."""
        width = self.recipe.schema.n_numbers
        row: Numbers = csr_array((1, width)) if sparse else np.zeros((1, width))
        # Methods without cells read the numbers themselves, of which a row of zeros need not be one that they take.
        if all(scorer.cells is not None and not isinstance(scorer, OwnScorer) for scorer in self.ensemble.scorers):
            with np.errstate(all="ignore"):
                score = self.ensemble.score(row)
            if score.shape != (1,) or not np.isfinite(score).all():
                raise ValueError(f"it does not score rows of {width} numbers")
        self.explainer.refuse_broken(width, sparse=sparse)
