"""How many numbers: `latent="auto"` beside other rules, on tables whose number of factors is known.

python -m benchmarks.latent [--seeds N]

x = W z + noise with W, z standard normal, 24 columns, 50, 200 and 1,000 rows, 2, 5 and 10 factors, noise of standard
deviation 0.3 and 0.8, equal in all columns or unequal (times exp(0.7 ε)); columns are standardised. Shown is the share
of the tables for which a rule finds the number of factors, and the number ± 1, and its mean absolute error. The rules:
`AutoEncoder(latent="auto")`; Minka's (2000) evidence, as `PCA(n_components="mle")`; 90 % of the variance, as
`PCA(n_components=0.9)`; the optimal threshold of singular values for unknown noise (Gavish and Donoho 2014); parallel
analysis (Horn 1965: eigenvalues above the 95th percentile of those of 20 tables with permuted columns).
"""

import argparse
from collections import defaultdict
from collections.abc import Callable
from itertools import product

import numpy as np
from sklearn.decomposition import PCA

from isthmus import AutoEncoder
from isthmus.core.text_tables import text_table

COLUMNS = 24
MEDIAN_MARCHENKO_PASTUR = (0.56, -0.95, 1.82, 1.43)
"""Gavish and Donoho's polynomial in the ratio of rows and columns for the threshold over the median singular value."""


def known_factors(rows: int, rank: int, noise: float, unequal: bool, seed: int) -> np.ndarray:
    """Return a standardised table with a known number of factors."""
    generator = np.random.default_rng(seed)
    loadings, spread = generator.normal(size=(rank, COLUMNS)), np.full(COLUMNS, noise)
    if unequal:
        spread *= np.exp(0.7 * generator.normal(size=COLUMNS))
    X = generator.normal(size=(rows, rank)) @ loadings + spread * generator.normal(size=(rows, COLUMNS))
    return (X - X.mean(0)) / X.std(0)


def automatic(X: np.ndarray) -> int:
    """Return what isthmus chooses."""
    return int(AutoEncoder("auto", epochs=1, random_state=0).fit(X).latent_)


def minka(X: np.ndarray) -> int:
    """Return the size by Minka's evidence."""
    return int(PCA(n_components="mle", svd_solver="full").fit(X).n_components_)


def share(X: np.ndarray) -> int:
    """Return how many components explain 90 % of the variance."""
    return int(PCA(n_components=0.9).fit(X).n_components_)


def threshold(X: np.ndarray) -> int:
    """Return how many singular values are above the optimal threshold for unknown noise."""
    values = np.linalg.svd(X, compute_uv=False)
    ratio = min(X.shape) / max(X.shape)
    return int((values > np.polyval(MEDIAN_MARCHENKO_PASTUR, ratio) * np.median(values)).sum())


def parallel(X: np.ndarray) -> int:
    """Return how many leading eigenvalues are above those of permuted columns."""
    generator = np.random.default_rng(0)
    chance = [np.linalg.svd(generator.permuted(X, axis=0), compute_uv=False) for _ in range(20)]
    above = np.linalg.svd(X, compute_uv=False) > np.quantile(chance, 0.95, axis=0)
    return len(above) if above.all() else int(np.argmin(above))


RULES: dict[str, Callable[[np.ndarray], int]] = {
    "latent='auto'": automatic,
    "Minka": minka,
    "90 % of the variance": share,
    "Gavish-Donoho": threshold,
    "parallel analysis": parallel,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    errors: dict[tuple[str, bool], list[int]] = defaultdict(list)
    tables = product((2, 5, 10), (50, 200, 1000), (0.3, 0.8), (False, True), range(seeds))
    for rank, rows, noise, unequal, seed in tables:
        X = known_factors(rows, rank, noise, unequal, seed)
        for name, rule in RULES.items():
            errors[name, unequal].append(rule(X) - rank)
    lines = []
    for name in RULES:
        line = [name]
        for unequal in (False, True):
            found = np.abs(errors[name, unequal])
            line += [f"{(found == 0).mean():.0%}", f"{(found <= 1).mean():.0%}", f"{found.mean():.1f}"]
        lines.append(line)
    print(text_table([["", "found", "± 1", "error", "unequal: found", "± 1", "error"], *lines]))


if __name__ == "__main__":
    main()
