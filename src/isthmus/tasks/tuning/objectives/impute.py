"""The objective "impute": how well cells that are there, but were hidden, are filled."""

from functools import cached_property

import numpy as np
from sklearn.base import BaseEstimator, clone

from isthmus.data.column_survey import MEASURED
from isthmus.data.reading import learn_table, read_table
from isthmus.data.restoring import restore
from isthmus.data.schema import TableSchema
from isthmus.tasks.imputation.imputer import CHOICES, Imputer
from isthmus.tasks.imputation.members import clone_of
from isthmus.tasks.imputation.table_cells import TableCells
from isthmus.tasks.tuning.objective import Data, Objective, Space, objective

CALLER = "tune"
HIDDEN = 0.2
"""Share of the cells that are hidden."""


@objective("impute")
class Imputation(Objective):
    """The error of hidden cells of held-out rows: the mean over a row's hidden cells.

    Of a number it is the squared error over the variance of its column (of its logarithm, where the column is skewed),
    of a choice 1 if it is wrong. The same cells are hidden from all trials.
    """

    measure = "error of hidden cells"

    def __init__(self, model: BaseEstimator, data: Data) -> None:
        self.refuse(model)
        imputer: Imputer = clone(model)
        if imputer.estimator is None:
            imputer.set_params(estimator=clone_of(None, len(data.split.parts[0].training)))
        super().__init__(imputer, data)
        self.imputer, self.original = imputer, model

    @classmethod
    def suits(cls, model: BaseEstimator, labels: bool) -> bool:
        """Suit imputers."""
        return isinstance(model, Imputer)

    @classmethod
    def refuse(cls, model: BaseEstimator) -> None:
        """Refuse anything but an imputer."""
        if not isinstance(model, Imputer):
            raise ValueError(f"objective='impute' compares imputers, and model is {type(model).__name__}")

    def prepare(self, searched: set[str]) -> None:
        """Learn the columns, so that data which cannot be learned from are told of at once."""
        _ = self.schema

    @cached_property
    def schema(self) -> TableSchema:
        """What is learned of the columns of all rows."""
        _, schema = learn_table(
            self.data.X, caller=CALLER, columns=self.imputer.columns, least_rows=2, numbers=MEASURED
        )
        return schema

    def space(self) -> Space:
        """Return the methods, the number of autoencoders, and their sizes and training."""
        autoencoder = self.imputer.estimator
        assert autoencoder is not None, "it was set"
        found = Space(members=distinct(self.imputer.members, 2, 8), methods=distinct(self.imputer.methods, CHOICES[:4]))
        if autoencoder.encoder is None:
            found["estimator__hidden"] = distinct(autoencoder.hidden, (128,), (512,))
        if not isinstance(autoencoder.epochs, str):
            found["estimator__epochs"] = [autoencoder.epochs, 2 * autoencoder.epochs, 4 * autoencoder.epochs]
        return found | {"estimator__learning_rate": (1e-3, 1e-2, "log")}

    def longer(self, model: BaseEstimator) -> BaseEstimator | None:
        """Return the imputer with four times the epochs."""
        epochs = model.get_params(deep=True)["estimator__epochs"]
        return None if isinstance(epochs, str) else clone(model).set_params(estimator__epochs=4 * epochs)

    def groups_of(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return nothing: an imputer holds out cells, not rows."""
        return {}

    def losses(self, fitted: BaseEstimator, rows: np.ndarray, training: np.ndarray) -> np.ndarray:
        """Return the mean error of the hidden cells of each row; 0 for a row without any."""
        assert isinstance(fitted, Imputer), "others are refused"
        view, given = TableCells(self.schema), self.data.rows(rows)
        numbers = self.numbers(given)
        hidden = self.hidden(view, numbers, rows)
        holed = numbers.copy()
        for place, group in enumerate(view.groups):
            holed[np.ix_(np.flatnonzero(hidden[:, place]), view.numbers_of_cells(group.cells))] = np.nan
        filled = self.numbers(fitted.transform(restore(holed, self.schema, like=given)))
        truth, found = view.cells(numbers), view.cells(filled)
        total = np.zeros(len(rows))
        for place, group in enumerate(view.groups):
            own = np.flatnonzero(hidden[:, place])
            errors = (truth[np.ix_(own, group.targets)] - found[np.ix_(own, group.targets)]) ** 2
            errors = np.nan_to_num(errors, nan=1.0)
            total[own] += (errors.max(1) > 0.25).astype(float) if group.choices else errors.mean(1)
        return total / np.maximum(hidden.sum(1), 1)

    def numbers(self, table: object) -> np.ndarray:
        """Return rows as numbers (m, R)."""
        return np.asarray(read_table(table, self.schema, caller=CALLER).drawn(slice(None)))

    def hidden(self, view: TableCells, numbers: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return which columns of each row to hide, (m, groups); the same whenever the row is asked about."""
        drawn = np.random.default_rng(self.data.seed).random((self.data.split.rows, len(view.groups)))[rows]
        cells = view.cells(numbers)
        there = np.stack([~np.isnan(cells[:, group.targets]).any(1) for group in view.groups], axis=1)
        return there & (drawn < HIDDEN)


def distinct(*choices: object) -> list[object]:
    """Return different choices in their order."""
    return [choice for place, choice in enumerate(choices) if choice not in choices[:place]]
