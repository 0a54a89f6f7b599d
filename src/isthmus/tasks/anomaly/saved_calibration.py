"""Calibrations from model files; everything that comes back is checked."""

import numpy as np
import torch

from isthmus.core.checked_tensors import checked
from isthmus.core.typed_json import value_of
from isthmus.data.table import Numbers
from isthmus.estimators.state import Facts, Tensors, member, members
from isthmus.tasks.anomaly.calibration import Calibration, CrossCalibration, NoCalibration, SplitCalibration
from isthmus.tasks.anomaly.ensemble import Ensemble
from isthmus.tasks.anomaly.recipe import Recipe
from isthmus.tasks.anomaly.state import Surroundings, numbers_from_state


def calibration_from_state(
    facts: Facts, tensors: Tensors, surroundings: Surroundings, *, ensemble: Ensemble, recipe: Recipe
) -> Calibration:
    """Rebuild a calibration of whichever kind.

    Parameters
    ----------
    facts, tensors, surroundings
        What was saved.
    ensemble
        What scores rows.
    recipe
        How to train, where models for p-values were not trained yet.

    Raises
    ------
    LookupError, ValueError
        If facts and tensors cannot be those of a calibration.
    """
    kind = facts["kind"]
    if kind == "split":
        return split(facts, tensors, ensemble, recipe)
    if kind == "cross":
        return cross(facts, tensors, surroundings, recipe)
    if kind != "none":
        raise ValueError(f"there is no kind of calibration {kind!r}")
    fraction: float | str | None = value_of(float | str | None, facts["fraction"], "fraction")
    return NoCalibration(fraction)


def split(facts: Facts, tensors: Tensors, ensemble: Ensemble, recipe: Recipe) -> SplitCalibration:
    """Rebuild the calibration by rows that were held out of training."""
    scores = checked(tensors, "scores", (None,))
    if not len(scores):
        raise ValueError("no row was held out for the calibration")
    numbers = saved_numbers(facts, tensors, len(scores), recipe)
    known = value_of(bool, facts["known_normal"], "known_normal")
    groups = saved_groups(tensors, len(scores))
    return SplitCalibration(ensemble, numbers, known_normal=known, scores=scores.numpy(), groups=groups)


def cross(facts: Facts, tensors: Tensors, surroundings: Surroundings, recipe: Recipe) -> CrossCalibration:
    """Rebuild the calibration by models that have not seen some of the rows."""
    scores = checked(tensors, "scores", (None,))
    ensembles = [Ensemble.from_state(*fold, surroundings) for fold in members("fold", facts, tensors)]
    numbers = saved_numbers(facts, tensors, len(scores) if ensembles else None, recipe)
    rows = len(scores) if numbers is None else int(numbers.shape[0])
    if rows < 2 or (numbers is None and not ensembles):
        raise ValueError("there are no rows for the calibration")
    known, seed = (
        value_of(bool, facts["known_normal"], "known_normal"),
        checked(tensors, "seed", (), torch.int64, least=0),
    )
    calibration = CrossCalibration(
        recipe, numbers, int(seed), known_normal=known, groups=saved_groups(tensors, rows), count=rows
    )
    if ensembles and len(ensembles) != int(calibration.folds.max()) + 1:
        raise ValueError(f"the calibration has {len(ensembles)} models, which its rows do not make")
    calibration.ensembles, calibration.held_out_scores = ensembles, scores.numpy()
    return calibration


def saved_numbers(facts: Facts, tensors: Tensors, rows: int | None, recipe: Recipe) -> Numbers | None:
    """Return the rows of a calibration, (n, R); None if the file was saved without them."""
    if "numbers" not in facts:
        return None
    numbers, width = numbers_from_state(*member("numbers", facts, tensors)), recipe.schema.n_numbers
    if numbers.shape != (numbers.shape[0] if rows is None else rows, width):
        raise ValueError(f"the rows of the calibration have not {width} numbers, or not a score each")
    return numbers


def saved_groups(tensors: Tensors, rows: int) -> np.ndarray | None:
    """Return the group of each row, (rows,); None if they are in none."""
    if "groups" not in tensors:
        return None
    groups = checked(tensors, "groups", (rows,), (torch.int64, torch.int32), least=0, most=rows - 1)
    return groups.numpy()
