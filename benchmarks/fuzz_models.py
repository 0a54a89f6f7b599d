"""Small models of every kind whose files are mutated, and the uses that each is put to after loading."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse
from sklearn.datasets import load_digits, load_iris

from isthmus import AnomalyDetector, AutoEncoder, Imputer, load, zoo

IRIS = load_iris().data
DIGITS = load_digits().images[:60]


class Example(NamedTuple):
    """A kind of model."""

    fit: Callable[[], Any]
    """Fits one."""
    rows: Callable[[], Any]
    """Some rows to use it on."""
    more: bool = False
    """Whether training goes on chunk by chunk."""


def rows_with_a_pattern(count: int) -> np.ndarray:
    """Return rows (count, 4) that lie near a line."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, 1)) * np.ones(4) + 0.3 * rng.normal(size=(count, 4))


def mixed_table(count: int = 80) -> pd.DataFrame:
    """Return a table with columns of every kind, and gaps."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"size": rng.lognormal(size=count), "colour": rng.choice(["red", "green", "blue"], count)})
    frame["price"] = [f"€{value:,.2f}" for value in 1000 * frame["size"]]
    frame["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 10**7, count), unit="s")
    frame["sold"], frame["rooms"] = rng.random(count) < 0.5, rng.poisson(3, count)
    frame.loc[::9, "size"] = np.nan
    return frame


def gappy(count: int = 80) -> pd.DataFrame:
    """Return a table with gaps in numbers and categories."""
    rng = np.random.default_rng(2)
    X = rows_with_a_pattern(count)
    frame = pd.DataFrame(X, columns=list("abcd"))
    frame["kind"] = np.where(X[:, 0] > 0, "high", "low")
    frame = frame.mask(rng.random(frame.shape) < 0.1)
    frame.iloc[0] = [0.1, 0.2, 0.3, 0.4, "high"]
    return frame


def counts(rows: int = 60) -> scipy.sparse.csr_array:
    """Return sparse counts."""
    return scipy.sparse.csr_array(np.random.default_rng(3).poisson(0.3, (rows, 12)).astype(np.float64))


def small(**settings: Any) -> AutoEncoder:
    """Return an autoencoder that is trained for two epochs."""
    return AutoEncoder(**{"latent": 2, "epochs": 2, "random_state": 0} | settings)


def streamed() -> AutoEncoder:
    """Return an autoencoder that was trained on two chunks."""
    model = small(hidden=(8,))
    for chunk in np.array_split(IRIS, 2):
        model.partial_fit(chunk)
    return model


def detector(setting: str, rows: int, **settings: Any) -> AnomalyDetector:
    """Return a fitted detector."""
    return AnomalyDetector(setting=setting, random_state=0, **settings).fit(rows_with_a_pattern(rows))


EXAMPLES = {
    "dense": Example(lambda: small(hidden=(8,)).fit(IRIS), lambda: IRIS[:7]),
    "variational": Example(
        lambda: zoo.variational(latent=2, hidden=(8,), epochs=2, random_state=0).fit(IRIS), lambda: IRIS[:7]
    ),
    "convolutional": Example(lambda: small(encoder="convolutional").fit(DIGITS), lambda: DIGITS[:3]),
    "mixed": Example(lambda: small(hidden=(8,)).fit(mixed_table()), lambda: mixed_table()[:9]),
    "sparse counts": Example(
        lambda: small(hidden=(8,), likelihood="poisson", scale="none").fit(counts()), lambda: counts()[:5]
    ),
    "streamed": Example(streamed, lambda: IRIS[:40], more=True),
    "clean detector": Example(
        lambda: detector("clean", 60, method=("neighbours", "ranks", "rarity")), lambda: rows_with_a_pattern(5)
    ),
    "contaminated detector": Example(
        lambda: detector("contaminated", 60, method=("mahalanobis", "histogram", "residual"), calibration_fraction=0.3),
        lambda: rows_with_a_pattern(5),
    ),
    "imputer": Example(lambda: Imputer(random_state=0).fit(gappy()), lambda: gappy()[:6]),
}
"""By name."""


def written(folder: Path) -> dict[str, Path]:
    """Return the files of all examples, which are written where they are not there yet."""
    found = {name: folder / f"{name.replace(' ', '_')}.isthmus" for name in EXAMPLES}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, path in found.items():
            if not path.exists():
                EXAMPLES[name].fit().save(path)
    return found


def used(path: Path, example: Example) -> list[np.ndarray]:
    """Load a model and put it to every use; return the numbers that it gives."""
    return uses(load(path), example)


def uses(model: Any, example: Example) -> list[np.ndarray]:
    """Put a loaded model to every use; return the numbers that it gives."""
    X = example.rows()
    repr(model), model._repr_html_()
    if isinstance(model, AnomalyDetector):
        str(model.decision_), str(getattr(model, "floor_", None))
        model.predict(X)
        explained = model.explain(X[:2])
        repr(explained)
        return [model.score_samples(X), model.pvalues(X)]
    if isinstance(model, Imputer):
        repr(model.columns_), repr(getattr(model, "floor_", None))
        return [numbers_in(model.transform(X))]
    (
        repr(model.history_),
        str(model.fit_report_),
        str(getattr(model, "floor_", None)),
        repr(model.columns_),
        model.n_iter_,
    )
    found = [model.transform(X), model.score_samples(X), numbers_in(model.reconstruct(X))]
    if model.latent_ and example.more:
        found.append(model.partial_fit(X).transform(X))
    return found


def numbers_in(table: Any) -> np.ndarray:
    """Return the numbers of a result, texts and times as hashes."""
    if isinstance(table, pd.DataFrame):
        return pd.util.hash_pandas_object(table, index=False).to_numpy()
    return np.asarray(table.toarray() if scipy.sparse.issparse(table) else table)
