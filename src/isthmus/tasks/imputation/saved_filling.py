"""A `Filling` from the state of a model file; everything that comes back is checked."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from isthmus.core.checked_tensors import checked
from isthmus.core.choices import refuse_unknown
from isthmus.core.conditional_gaussian import JITTER, ConditionalGaussian
from isthmus.core.typed_json import value_of
from isthmus.data.fields import Name
from isthmus.estimators.state import State, member
from isthmus.tasks.imputation.decision_trees import DecisionTrees
from isthmus.tasks.imputation.filling import GAUSSIAN, LOG_GAUSSIAN, METHODS, RESIDUAL_TREES, SHRUNK, TREES, Filling
from isthmus.tasks.imputation.floor import ColumnFloor, ImputationFloor
from isthmus.tasks.imputation.outcome_scale import OutcomeScale
from isthmus.tasks.imputation.table_cells import CellGroup, TableCells

GAUSSIANS = (GAUSSIAN, SHRUNK, LOG_GAUSSIAN)
MEASURES = ("sd", "wrong")


def filling_of(state: State, view: TableCells) -> Filling:
    """Undo `Filling.state`, for a table with these cells.

    Raises
    ------
    LookupError, ValueError
        If facts and tensors cannot be those of a filling of such a table.
    """
    facts: dict[str, Any] = dict(state.facts)
    tensors, cells = state.tensors, (view.width,)
    gaussians = {
        name: gaussian(tensors, number, cells) for number, name in enumerate(names(facts, "gaussians", GAUSSIANS))
    }
    residuals = {
        name: checked(tensors, f"residuals{number}", (None, len(view.log_cells))).numpy()
        for number, name in enumerate(names(facts, "residuals", METHODS))
    }
    if any(not len(found) for found in residuals.values()) and len(view.log_cells):
        raise ValueError("residuals on logarithmic scales are missing")
    mean, smallest, largest = (checked(tensors, name, cells).numpy() for name in ("mean", "smallest", "largest"))
    if (smallest > largest).any():
        raise ValueError("ranges of outcomes must not end before they begin")
    features_from = value_of(str, facts["features_from"], "features_from")
    weights = weights_of(facts["weights"], view)
    trees = trees_of(state, view)
    if trees or features_from:  # few rows, whose errors cannot be measured, have neither
        refuse_unknown("method", features_from, gaussians)
    refuse_gaps(weights, gaussians, trees)
    unrelated = value_of(tuple[int, ...], facts["unrelated"], "unrelated")
    if any(not 0 <= column < len(view.columns) for column in unrelated):
        raise ValueError(f"there are no columns {unrelated}")
    return Filling(
        OutcomeScale(mean, smallest, largest, residuals),
        gaussians,
        features_from,
        unrelated,
        trees,
        weights,
        checked(tensors, "spread", cells, least=0).numpy(),
        checked(tensors, "bias", cells).numpy(),
        ImputationFloor(column_floor(group.name, own) for group, own in zip(view.groups, facts["floor"], strict=True)),
    )


def names(facts: Mapping[str, Any], key: str, known: Sequence[str]) -> tuple[str, ...]:
    """Return the names of methods under a key, all different and among those that are known."""
    found: tuple[str, ...] = value_of(tuple[str, ...], facts[key], key)
    for name in found:
        refuse_unknown("method", name, known)
    if len(set(found)) < len(found):
        raise ValueError(f"a name is there twice in {key}")
    return found


def gaussian(tensors: Mapping[str, Tensor], number: int, cells: tuple[int]) -> ConditionalGaussian:
    """Return a normal distribution of the cells."""
    centre, scale = (checked(tensors, f"{name}{number}", cells).numpy() for name in ("centre", "scale"))
    covariance = checked(tensors, f"covariance{number}", (*cells, *cells)).numpy()
    if not (scale > 0).all():
        raise ValueError("the scale of a normal distribution must be positive")
    if not np.allclose(covariance, covariance.T):
        raise ValueError("a covariance must be symmetric")
    np.linalg.cholesky(covariance + JITTER * np.eye(*cells))  # raises an error if it is not positive
    return ConditionalGaussian(centre, scale, covariance)


def weights_of(facts: Any, view: TableCells) -> dict[int, np.ndarray]:
    """Return the share of each method in each column that is filled, (methods,)."""
    pairs = [(value_of(int, column, "column"), value_of(list[float], own, "weights")) for column, own in facts]
    weights = {column: np.array(own, dtype=np.float64) for column, own in pairs}
    shapes = {own.shape for own in weights.values()} <= {(len(METHODS),)}
    if not shapes or weights.keys() != {group.column for group in view.groups}:
        raise ValueError("the weights of the methods are not those of the columns that are filled")
    return weights


def trees_of(state: State, view: TableCells) -> dict[tuple[int, str], DecisionTrees]:
    """Return the trees by column and method; they ask for cells that there are, and predict what is filled."""
    groups, found = {group.column: group for group in view.groups}, {}
    for pair in state.facts["trees"]:  # type: ignore[union-attr]  # checked by `value_of`
        column, method = value_of(tuple[int, str], pair, "trees")
        refuse_unknown("method", method, (TREES, RESIDUAL_TREES))
        trees = DecisionTrees.of_state(member(f"{method} {column}".replace(" ", "_"), *state))
        if column not in groups or int(trees.feature.max(initial=-1)) >= view.width:
            raise ValueError(f"trees of the column {column} ask for cells that there are not")
        if len(trees.baseline) != predicted(groups[column]):
            raise ValueError(f"trees of the column {column} predict another number of values")
        found[column, method] = trees
    return found


def predicted(group: CellGroup) -> int:
    """Return how many numbers trees predict for a column: for a boolean the shares of both of its values."""
    return 2 if group.choices and len(group.targets) == 1 else len(group.targets)


def refuse_gaps(
    weights: Mapping[int, np.ndarray],
    gaussians: Mapping[str, ConditionalGaussian],
    trees: Mapping[tuple[int, str], DecisionTrees],
) -> None:
    """Raise a `ValueError` if a column is filled by a method that is not there."""
    for column, shares in weights.items():
        for method, share in zip(METHODS, shares, strict=True):
            missing = (method in GAUSSIANS and method not in gaussians) or (
                method in (TREES, RESIDUAL_TREES) and (column, method) not in trees
            )
            if share != 0 and missing:
                raise ValueError(f"the column {column} is filled by {method}, which the file has not")


def column_floor(name: Name, facts: Any) -> ColumnFloor:
    """Undo `facts_of` for the column of that name."""
    measure, cells = value_of(str, facts["measure"], "measure"), value_of(int, facts["cells"], "cells")
    refuse_unknown("measure", measure, MEASURES)
    found = value_of(dict[str, float | None], facts["errors"], "errors")
    error = value_of(float | None, facts["error"], "error")
    return ColumnFloor(
        name,
        measure,
        cells,
        math.nan if error is None else error,
        {method: math.nan if one is None else one for method, one in found.items()},
        value_of(dict[str, float], facts["weights"], "weights"),
    )
