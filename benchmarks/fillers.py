"""What fills the gaps of a frame in the imputation benchmarks: ours, and four of or with scikit-learn's."""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer
from sklearn.preprocessing import StandardScaler

from benchmarks.mixed_tables import is_category, is_number

OURS, PLAIN = "isthmus", "mean/mode"


@dataclass(frozen=True)
class Forests:
    """The size of forests: trees in each, and rounds over the columns."""

    trees: int = 200
    rounds: int = 10


def contenders(forests: Forests) -> dict[str, Callable[[int], Any]]:
    """Return functions of the seed by name, which return a new imputer: `fill` takes a frame and returns it filled."""

    def forest(seed: int) -> IterativeImputer:
        trees = RandomForestRegressor(forests.trees, max_features="sqrt", n_jobs=1, random_state=seed)
        return IterativeImputer(trees, max_iter=forests.rounds, random_state=seed)

    return {
        PLAIN: lambda seed: MeanOrMode(),
        "KNN": lambda seed: OneHot(KNNImputer()),
        "ridge": lambda seed: OneHot(IterativeImputer(random_state=seed), first=False),
        "forests": lambda seed: OneHot(forest(seed), first=False),
        "MissForest-style": lambda seed: MissForest(forests, seed),
        OURS: Ours,
    }


def timed(imputer: Any, table: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """Return the table as an imputer fills it, and the seconds of the processor that it took."""
    start = time.process_time()
    with warnings.catch_warnings():
        # Contenders stop after the rounds they were given; what ours tells of a table would be told in every job.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", UserWarning)
        filled: pd.DataFrame = imputer.fill(table)
    return filled, time.process_time() - start


@dataclass(frozen=True)
class Ours:
    """Our imputer with its defaults; it gives expectations of numbers."""

    seed: int

    def fill(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table with its gaps filled."""
        from isthmus import Imputer

        filled: pd.DataFrame = Imputer(fill="mean", random_state=self.seed).fit_transform(table)
        return filled


@dataclass(frozen=True)
class MeanOrMode:
    """The mean of a column, or the most frequent of its categories."""

    def fill(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table with its gaps filled."""
        return pd.DataFrame({c: table[c].fillna(middle(table[c])) for c in table})


def middle(column: pd.Series) -> Any:
    """Return the mean of numbers, or the most frequent of categories."""
    return column.mode().iloc[0] if is_category(column) else column.mean()


@dataclass(frozen=True)
class OneHot:
    """An imputer of scikit-learn on standardised columns, texts as one column per level; the largest is taken back.

    Without the `first` level a text has one column less. Regressions need that: with all of them each is the sum of the
    others, which are missing in the same rows, and what is filled in stays at the means from which it started.
    """

    imputer: Any
    first: bool = True

    def fill(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table with its gaps filled."""
        blocks = {c: one_hot(table[c]) for c in table}
        kept = {c: block if self.first or levels is None else block[:, 1:] for c, (block, levels) in blocks.items()}
        matrix = np.hstack(list(kept.values()))
        scaler = StandardScaler().fit(matrix)
        filled = scaler.inverse_transform(self.imputer.fit_transform(scaler.transform(matrix)))
        if filled.shape != matrix.shape or not np.isfinite(filled).all():
            raise ValueError(f"expected finite values of shape {matrix.shape}, got shape {filled.shape} or gaps")
        found, start = {}, 0
        for name, (_, levels) in blocks.items():
            part = filled[:, start : start + kept[name].shape[1]]
            start += part.shape[1]
            if levels is not None and not self.first:
                part = np.hstack([1 - part.sum(1, keepdims=True), part])
            found[name] = part[:, 0] if levels is None else levels[part.argmax(1)]
        guesses = pd.DataFrame(found)
        return pd.DataFrame({c: table[c].where(table[c].notna(), guesses[c]) for c in table})


def one_hot(column: pd.Series) -> tuple[np.ndarray, np.ndarray | None]:
    """Return numbers (n, 1) and None, or texts as zeros and ones (n, K) and the K levels; gaps are NaN."""
    if is_number(column):
        return column.to_numpy(np.float64)[:, None], None
    codes, levels = pd.factorize(column, sort=True)
    block = np.eye(len(levels))[codes]
    block[codes < 0] = np.nan
    return block, np.asarray(levels, dtype=object)


@dataclass(frozen=True)
class MissForest:
    """MissForest (Stekhoven and Buehlmann 2012): one forest per column, which votes where the column has categories.

    Columns are imputed in turn from all others, starting with the one that has the fewest gaps; gaps start as means and
    modes. It ends before the first round in which both numbers and categories change more than in the one before.
    Trees see texts as one column per level, and grow until leaves are pure (scikit-learn's default).
    """

    forests: Forests
    seed: int

    def fill(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table with its gaps filled."""
        current = MeanOrMode().fill(table)
        order = [c for c in table.isna().sum().sort_values(kind="stable").index if table[c].isna().any()]
        before = np.array([np.inf, np.inf])
        for _ in range(self.forests.rounds):
            changed = current.copy()
            for column in order:
                changed[column] = self.predicted(table[column], changed.drop(columns=column))
            change = changes(current, changed, table)
            if (change >= before)[~np.isnan(change)].all():
                break
            current, before = changed, np.where(np.isnan(change), np.inf, change)
        return current

    def predicted(self, column: pd.Series, others: pd.DataFrame) -> pd.Series:
        """Return the column with gaps predicted from the other columns, which have none."""
        matrix = np.hstack([one_hot(others[c])[0] for c in others])
        kind = RandomForestClassifier if is_category(column) else RandomForestRegressor
        forest = kind(self.forests.trees, max_features="sqrt", n_jobs=1, random_state=self.seed)
        gone = column.isna().to_numpy()
        forest.fit(matrix[~gone], column[~gone].to_numpy())
        filled = column.copy()
        filled[gone] = forest.predict(matrix[gone])
        return filled


def changes(old: pd.DataFrame, new: pd.DataFrame, table: pd.DataFrame) -> np.ndarray:
    """Return the relative squared change of numbers and the share of changed categories, (2,); NaN without any."""
    categories = [c for c in table if is_category(table[c])]
    numbers = [c for c in table if c not in categories]
    square = float(sum(((new[c] - old[c]) ** 2).sum() for c in numbers))
    size = float(sum((new[c] ** 2).sum() for c in numbers))
    gaps = sum(int(table[c].isna().sum()) for c in categories)
    differing = sum(int((new[c] != old[c]).sum()) for c in categories)
    return np.array([square / size if size > 0 else np.nan, differing / gaps if gaps else np.nan])
