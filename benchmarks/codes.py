"""Codes of mixed tables by scikit-learn's ColumnTransformer with PCA and by ours, and their reconstruction errors."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

OURS, PEER = "isthmus", "PCA"


def numeric(frame: pd.DataFrame) -> list[str]:
    """Return the names of the columns of numbers; booleans count as categories."""
    return [c for c in frame if pd.api.types.is_numeric_dtype(frame[c]) and not pd.api.types.is_bool_dtype(frame[c])]


class LinearCodes:
    """Principal components of standardised numbers and one-hot categories.

    A missing number becomes the mean of its column, a missing category a block of zeros. A category is reconstructed
    as the largest entry of its block.

    Parameters
    ----------
    latent : int
        Number of components.
    """

    def __init__(self, latent: int) -> None:
        self.latent = latent

    def __repr__(self) -> str:
        return f"LinearCodes({self.latent})"

    def fit(self, frame: pd.DataFrame) -> Self:
        """Learn the columns and the components."""
        self.pca = PCA(self.latent, svd_solver="full").fit(self.encode(frame))
        return self

    def encode(self, frame: pd.DataFrame) -> np.ndarray:
        """Learn the columns and return their matrix, (n, numbers and levels)."""
        self.columns = list(frame)
        self.numbers = numeric(frame)
        self.categories = [c for c in frame if c not in self.numbers]
        texts = self.plain(frame)
        self.levels = [np.array(sorted(set(texts[c]) - {""}), dtype=object) for c in self.categories]
        one_hot = OneHotEncoder(categories=self.levels, handle_unknown="ignore", sparse_output=False)
        numbers = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
        parts = [("numbers", numbers, self.numbers), ("categories", one_hot, self.categories)]
        self.transformer = ColumnTransformer([part for part in parts if part[2]])
        return np.asarray(self.transformer.fit_transform(texts))

    def plain(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return numbers as floats with NaN, categories as text with "" for missing ones."""
        texts = {c: as_text(frame[c]) for c in self.categories}
        return pd.DataFrame({c: frame[c].astype(float) if c in self.numbers else texts[c] for c in self.columns})

    def matrix(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the matrix of other rows, (n, numbers and levels)."""
        return np.asarray(self.transformer.transform(self.plain(frame)))

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Return codes (n, latent)."""
        return np.asarray(self.pca.transform(self.matrix(frame)))

    def reconstruct(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Reconstruct all columns from the codes."""
        matrix = self.pca.inverse_transform(self.transform(frame))
        rebuilt: dict[str, Any] = {}
        start = len(self.numbers)
        if self.numbers:
            scaler = self.transformer.named_transformers_["numbers"][-1]
            values = scaler.inverse_transform(matrix[:, :start])
            rebuilt = dict(zip(self.numbers, values.T, strict=True))
        for name, levels in zip(self.categories, self.levels, strict=True):
            rebuilt[name] = levels[matrix[:, start : start + len(levels)].argmax(1)]
            start += len(levels)
        return pd.DataFrame(rebuilt)[self.columns]


def as_text(column: pd.Series) -> np.ndarray:
    """Return levels as text, "" for missing ones."""
    return np.where(column.isna(), "", column.astype(object).astype(str)).astype(object)


def ours(latent: int, seed: int) -> Any:
    """Return our autoencoder with its defaults."""
    from isthmus import AutoEncoder

    return AutoEncoder(latent=latent, random_state=seed)


CONTENDERS: dict[str, Callable[[int, int], Any]] = {PEER: lambda latent, seed: LinearCodes(latent), OURS: ours}
"""Functions of the code size and the seed that return a new model."""


def size(frame: pd.DataFrame, share: float = 0.9, most: int = 16) -> int:
    """Return how many principal components explain that share of the variance, at most `most` and below the columns."""
    ratios = PCA(svd_solver="full").fit(LinearCodes(0).encode(frame)).explained_variance_ratio_
    return int(min(most, frame.shape[1] - 1, 1 + np.searchsorted(np.cumsum(ratios), share)))


def errors(model: Any, train: pd.DataFrame, test: pd.DataFrame) -> dict[str, dict[str, tuple[float, float]]]:
    """Return the reconstruction errors of the observed cells of test rows, by column.

    Returns
    -------
    dict
        "numbers": {column: (mean squared error, variance)}, "categories": {column: (share of wrong levels, share of
        wrong levels if the most frequent one is always given)}. The second value, the error of the per-column model,
        is computed from all rows; otherwise a column that hardly varies among the test rows would dominate.
    """
    rebuilt = model.reconstruct(test)
    if list(rebuilt.columns) != list(test.columns) or len(rebuilt) != len(test):
        raise ValueError(f"expected {len(test)} rows of {list(test)}, got {len(rebuilt)} of {list(rebuilt.columns)}")
    found: dict[str, dict[str, tuple[float, float]]] = {"numbers": {}, "categories": {}}
    numbers = numeric(test)
    for name in test:
        there = test[name].notna().to_numpy()
        if name in numbers:
            truth, told = test[name].astype(float).to_numpy()[there], rebuilt[name].astype(float).to_numpy()[there]
            both = pd.concat([train[name], test[name]]).astype(float)
            found["numbers"][name] = float(np.mean((told - truth) ** 2)), float(both.var(ddof=0))
        else:
            shares = pd.concat([train[name], test[name]]).value_counts(normalize=True)
            found["categories"][name] = wrong(test[name][there], rebuilt[name][there]), 1 - float(shares.max())
    return found


def wrong(truth: pd.Series, told: pd.Series) -> float:
    """Return the share of levels that differ from the true ones."""
    return float(np.mean(as_text(told) != as_text(truth)))


def relative(pairs: dict[str, tuple[float, float]]) -> float:
    """Return the mean over columns of the error relative to the per-column model; constant columns do not count."""
    ratios = [error / plain for error, plain in pairs.values() if plain > 0]
    return float(np.mean(ratios)) if ratios else float("nan")
