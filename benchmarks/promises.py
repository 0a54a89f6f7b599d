"""What presets promise by their names, at their defaults, on six data sets, beside PCA and dictionary learning.

python -m benchmarks.promises [--quick] [--only PART ...] [--data NAME ...] [--seeds N] [--json FILE]

Data. scikit-learn's digits (0 to 16), MNIST (grey levels from 0 to 1; the first 10,000 images, and 2,000 test images),
spoken digits (log power in 16 x 16 cells; the data set's own split), and three tables, divided by the standard
deviations of the training rows: breast cancer, landsat and musk (ADBench, at most 5,000 rows). 30 % of the rows are
held out where there is no split. `error` is the mean squared error per cell of the held-out rows, in these units.

k_sparse. 1,000 units, of which k = 25 are on, or with `BatchTopK` in place of `TopK` about as many on average. `dead`
is the share of units, in %, that are on for no training row, and for no held-out row. Beside it PCA with k components,
and scikit-learn's MiniBatchDictionaryLearning with 1,000 atoms (20 batches of 256 rows), whose codes are found by
orthogonal matching pursuit of k atoms per row.

winner_take_all. 8, 16 and 1,000 units, beside PCA with 2 components and with as many as units are on per row.

beta_tcvae. 4, 8 and 16 numbers, beside the variational autoencoder (β = 1) and PCA of the same size. `dependence` is
the mutual information of each pair of coordinates of the codes of all rows, by counts in 8 x 8 equal shares, less that
of shuffled coordinates, summed over the pairs.
"""

import argparse
import json
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA, MiniBatchDictionaryLearning
from sklearn.model_selection import train_test_split

from benchmarks import anomaly_classes
from benchmarks.gaps import whole
from isthmus import AutoEncoder, BatchTopK, Compute, zoo
from isthmus.data import load_dataset

Rows = tuple[np.ndarray, np.ndarray]
"""Training rows and held-out rows."""
K, ON = 1000, 25
SHARES = 8
"""Equal shares into which coordinates are cut to count how they go together."""


def split(X: np.ndarray) -> Rows:
    """Return training rows and held-out rows."""
    train, test = train_test_split(X, test_size=0.3, random_state=0)
    return train, test


def table(name: str) -> Rows:
    """Return at most 5,000 distinct rows of a table, in standard deviations."""
    X, _ = whole(name)
    train, test = split(np.random.default_rng(0).permutation(X)[:5000])
    varied = train.std(0) > 0
    spread = train.std(0)[varied]
    return train[:, varied] / spread, test[:, varied] / spread


def mnist(quick: bool) -> Rows:
    """Return images with grey levels from 0 to 1."""
    data = load_dataset("mnist-5k" if quick else "mnist")
    return data.X[:10_000].astype(np.float32) / 255, data.X_test[:2000].astype(np.float32) / 255


def spoken() -> Rows:
    """Return log powers of spoken digits."""
    train, _, test, _ = anomaly_classes.digits("spoken")
    return train, test


DATA: dict[str, Callable[[bool], Rows]] = {
    "digits": lambda quick: split(load_digits().data),
    "mnist": mnist,
    "spoken": lambda quick: spoken(),
    **{name: partial(lambda name, quick: table(name), name) for name in ("breast_cancer", "19_landsat", "25_musk")},
}
"""Functions that return the rows, in short or in full."""


def error(given: np.ndarray, rows: np.ndarray) -> float:
    """Return the mean squared error per cell."""
    return float(np.mean((given - rows) ** 2))


def pca(rows: Rows, size: int) -> float:
    """Return the held-out error of PCA."""
    train, test = rows
    found = PCA(min(size, *train.shape)).fit(train)
    return error(found.inverse_transform(found.transform(test)), test)


def dictionary(rows: Rows) -> float:
    """Return the held-out error of dictionary learning."""
    train, test = (part - rows[0].mean(0) for part in rows)
    learner = MiniBatchDictionaryLearning(
        K,
        alpha=float(train.std()),
        batch_size=256,
        max_iter=max(1, round(20 * 256 / len(train))),
        fit_algorithm="cd",
        transform_algorithm="omp",
        transform_n_nonzero_coefs=min(ON, train.shape[1]),
        random_state=0,
    ).fit(train)
    return error(learner.transform(test) @ learner.components_, test)


def sparse_row(model: AutoEncoder, rows: Rows) -> dict[str, float]:
    """Train a sparse model; return its error, the dead units in %, and how many are on per row."""
    train, test = rows
    seen, unseen = (model.transform(part) != 0 for part in (model.fit(train) and train, test))
    return {
        "error": error(model.reconstruct(test), test),
        "dead, training": 100 * float((~seen.any(0)).mean()),
        "dead, held out": 100 * float((~unseen.any(0)).mean()),
        "on": float(unseen.sum(1).mean()),
    }


def k_sparse(rows: Rows, settings: dict[str, Any]) -> Iterator[tuple[str, dict[str, float]]]:
    """Measure k-sparse codes, chosen by row and by batch."""
    yield f"PCA with {ON}", {"error": pca(rows, ON)}
    yield "dictionary learning, OMP", {"error": dictionary(rows)}
    yield "k_sparse", sparse_row(zoo.k_sparse(**settings), rows)
    yield "BatchTopK", sparse_row(AutoEncoder(K, (), code=BatchTopK(ON, anneal=0.5), decoder="tied", **settings), rows)


def winner_take_all(rows: Rows, settings: dict[str, Any]) -> Iterator[tuple[str, dict[str, float]]]:
    """Measure winner-take-all codes of three sizes."""
    yield "PCA with 2", {"error": pca(rows, 2)}
    for units in (8, 16, K):
        row = sparse_row(zoo.winner_take_all(units, **settings), rows)
        yield f"winner_take_all, {units}", row | {"PCA with as many as are on": pca(rows, max(1, round(row["on"])))}


def dependence(codes: np.ndarray) -> float:
    """Return the mutual information of pairs of coordinates of codes (n, K), less that of shuffled ones, in nats."""
    rng = np.random.default_rng(0)
    ranks = np.apply_along_axis(rankdata, 0, codes) - 0.5
    cells = np.eye(SHARES)[(SHARES * ranks / len(codes)).astype(int)]

    def information(a: np.ndarray, b: np.ndarray) -> float:
        together = a.T @ b / len(a)
        ratio = together / np.outer(a.mean(0), b.mean(0))
        return float((together * np.log(np.where(together > 0, ratio, 1))).sum())

    pairs = [(cells[:, j], cells[:, k]) for k in range(codes.shape[1]) for j in range(k)]
    return sum(information(a, b) - information(a, rng.permutation(b)) for a, b in pairs)


def beta_tcvae(rows: Rows, settings: dict[str, Any]) -> Iterator[tuple[str, dict[str, float]]]:
    """Measure β-TCVAE and the variational autoencoder for three sizes of the code."""
    train, test = rows
    for size in (4, 8, 16):
        yield f"PCA with {size}", {"error": pca(rows, size)}
        for make in (zoo.variational, zoo.beta_tcvae):
            model = make(size, **settings).fit(train)
            codes = np.concatenate([model.transform(part) for part in rows])
            row = {"error": error(model.reconstruct(test), test), "dependence": dependence(codes)}
            yield f"{make.__name__}, {size}", row


PARTS = {"k_sparse": k_sparse, "winner_take_all": winner_take_all, "beta_tcvae": beta_tcvae}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the 5,000 embedded images of MNIST")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="presets to measure")
    parser.add_argument("--data", nargs="+", choices=DATA, default=list(DATA), help="data sets")
    parser.add_argument("--seeds", type=int, default=1, help="seeds of the models (default 1)")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    measured(given.quick, given.only, given.data, given.seeds, given.json)


def measured(quick: bool, parts: list[str], names: list[str], seeds: int, file: Path | None) -> None:
    """Measure parts on data sets; print every row, and write the rows to a file if there is one."""
    found: list[dict[str, Any]] = []
    for name in names:
        rows = DATA[name](quick)
        print(f"{name}: {len(rows[0])} rows to fit, {len(rows[1])} held out, {rows[0].shape[1]} columns", flush=True)
        for seed, part in product(range(seeds), parts):
            for label, row in PARTS[part](rows, {"random_state": seed, "compute": Compute(threads=1)}):
                found.append({"data": name, "seed": seed, "part": part, "model": label, **row})
                print(f"  {label:<26}{'  '.join(f'{key} {value:.4g}' for key, value in row.items())}", flush=True)
                if file:
                    file.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
