"""`Filling`: for every column the mixture of methods that fills it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from isthmus.core.conditional_gaussian import ConditionalGaussian
from isthmus.estimators.state import State, nest
from isthmus.tasks.imputation.decision_trees import DecisionTrees
from isthmus.tasks.imputation.floor import ColumnFloor, ImputationFloor
from isthmus.tasks.imputation.outcome_scale import OutcomeScale
from isthmus.tasks.imputation.table_cells import CellGroup, TableCells

MEAN, GAUSSIAN, SHRUNK, LOG_GAUSSIAN = "mean", "gaussian", "shrunk gaussian", "log gaussian"
AUTOENCODER, TREES, RESIDUAL_TREES = "autoencoder", "trees", "residual trees"
METHODS = (MEAN, GAUSSIAN, SHRUNK, LOG_GAUSSIAN, AUTOENCODER, TREES, RESIDUAL_TREES)
"""What can fill a column: its mean or most frequent value; the conditional mean of a normal distribution, with weakly
and with strongly shrunk correlations, or with skewed columns on logarithmic scales; the autoencoders; trees that
predict the column from all others, or what the normal distribution leaves of it."""

Network = Callable[[np.ndarray], np.ndarray]
"""From numbers (n, R) to what the autoencoders expect of the cells, (n, F)."""


@dataclass(frozen=True, eq=False)
class Filling:
    """What fills the gaps of a table.

    Parameters
    ----------
    scale : OutcomeScale
        Of the training rows.
    gaussians : mapping
        Normal distributions of the cells, by method.
    features_from : str
        The one that completes rows for the trees.
    unrelated : tuple of int
        Columns (places) that tell nothing about the others; no method sees them.
    trees : mapping
        By column (its place) and method.
    weights : mapping
        By column, the share of each method, (methods,), in the order of `METHODS`.
    spread, bias : ndarray of shape (F,)
        Root mean square and mean of the errors of filled cells, in cells.
    floor : ImputationFloor
        What each method would have cost.
    """

    scale: OutcomeScale
    gaussians: Mapping[str, ConditionalGaussian]
    features_from: str
    unrelated: tuple[int, ...]
    trees: Mapping[tuple[int, str], DecisionTrees]
    weights: Mapping[int, np.ndarray]
    spread: np.ndarray
    bias: np.ndarray
    floor: ImputationFloor

    def uses(self, method: str) -> bool:
        """Whether a method has a share in any column."""
        place = METHODS.index(method)
        return any(shares[place] > 0 for shares in self.weights.values())

    def expected(self, view: TableCells, numbers: np.ndarray, network: Network) -> np.ndarray:
        """Return the expected outcomes, (n, F), of the missing cells of numbers (n, R); the others are as they are."""
        cells = view.cells(numbers)
        found = view.outcomes(cells)
        gaps = np.isnan(cells).any(1)
        if gaps.any():
            near, known = self.scale.within_reach(view, cells[gaps], numbers[gaps])
            found[gaps] = self.filled_rows(view, near, known, network)
        return found

    def filled_rows(self, view: TableCells, cells: np.ndarray, numbers: np.ndarray, network: Network) -> np.ndarray:
        """Return the outcomes (n, F) of rows with gaps, filled."""
        found = view.outcomes(cells)
        numbers, seen = view.hiding(self.unrelated, numbers, cells)
        outcomes = view.outcomes(seen)
        completed = {
            name: gaussian.expected(seen if name in self.scale.residuals else outcomes)
            for name, gaussian in self.gaussians.items()
            if self.uses(name) or name == self.features_from
        }
        by_method = {MEAN: np.broadcast_to(self.scale.mean, cells.shape)}
        for name, rows in completed.items():
            by_method[name] = self.scale.outcomes(view, name, rows)
        if self.uses(AUTOENCODER):
            by_method[AUTOENCODER] = self.scale.outcomes(view, AUTOENCODER, network(numbers))
        for group in view.groups:
            rows = np.flatnonzero(np.isnan(cells[:, group.targets[0]]))
            if len(rows):
                found[np.ix_(rows, group.targets)] = self.filled_group(group, rows, by_method, completed)
        return found

    def filled_group(
        self,
        group: CellGroup,
        rows: np.ndarray,
        by_method: Mapping[str, np.ndarray],
        completed: Mapping[str, np.ndarray],
    ) -> np.ndarray:
        """Return the outcomes (rows, targets) of the rows in which a column is missing."""
        place = np.ix_(rows, group.targets)
        total = np.zeros((len(rows), len(group.targets)))
        for method, share in zip(METHODS, self.weights[group.column], strict=True):
            if share == 0:
                continue
            if method in by_method:
                found = by_method[method][place]
            else:
                features = completed[self.features_from][rows]
                found = shares_of(group, self.trees[group.column, method].predict(features))
                if method == RESIDUAL_TREES:
                    found = found + by_method[self.features_from][place]
            total += share * found
        return total

    def state(self) -> State:
        """Return everything, for a file."""
        parts = {
            f"{method} {column}".replace(" ", "_"): trees.state() for (column, method), trees in self.trees.items()
        }
        facts: dict[str, Any] = {
            "features_from": self.features_from,
            "unrelated": list(self.unrelated),
            "gaussians": list(self.gaussians),
            "residuals": list(self.scale.residuals),
            "trees": [[column, method] for column, method in self.trees],
            "weights": [[column, shares.tolist()] for column, shares in self.weights.items()],
            "floor": [facts_of(column) for column in self.floor],
        }
        tensors = {name: getattr(self.scale, name) for name in ("mean", "smallest", "largest")}
        tensors |= {"spread": self.spread, "bias": self.bias}
        for number, gaussian in enumerate(self.gaussians.values()):
            tensors |= {f"centre{number}": gaussian.centre, f"scale{number}": gaussian.scale}
            tensors[f"covariance{number}"] = gaussian.covariance
        tensors |= {f"residuals{number}": found for number, found in enumerate(self.scale.residuals.values())}
        return nest(parts, facts, {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in tensors.items()})


def facts_of(column: ColumnFloor) -> dict:
    """Return what a file says of a column's floor, None for errors that could not be measured; not its name."""
    return {
        "measure": column.measure,
        "cells": column.cells,
        "error": None if math.isnan(column.error) else column.error,
        "errors": {name: None if math.isnan(error) else error for name, error in column.errors.items()},
        "weights": dict(column.weights),
    }


def shares_of(group: CellGroup, found: np.ndarray) -> np.ndarray:
    """Return what trees predict, (n, C), as outcomes (n, targets): of a boolean the share of its 1."""
    return found[:, 1:] if group.choices and len(group.targets) == 1 else found
