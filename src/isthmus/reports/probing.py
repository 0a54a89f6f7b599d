"""A probe: how well a simple model predicts a target from codes, beside the same from principal components."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

SCORERS = {"R²": "r2", "AUROC": "roc_auc", "accuracy": "accuracy"}
"""What scikit-learn calls the measures."""
PARTS = 5
"""Parts of the cross-validation."""
MOST_CLASSES, LEAST_OF_CLASS = 20, 5
"""Classes at most that are predicted, the most frequent ones, and rows at least of each."""
MOST_CELLS = 300
"""Rows of more numbers are not given to the probe themselves."""


class Probe(NamedTuple):
    """What a target can be predicted from, and how well."""

    inputs: str
    """What the predictor is given."""
    score: float
    """Mean over the parts of a cross-validation: AUROC of two classes, accuracy of more, R² of numbers."""
    error: float
    """Its standard error over the parts."""


class Probed(NamedTuple):
    """The probes of one target."""

    probes: list[Probe]
    """Nothing, the codes, as many principal components, and the columns themselves if they are few."""
    measure: str
    """"AUROC", "accuracy" or "R²"."""
    rows: int
    classes: int
    """Classes that were told apart; 0 for numbers."""


def probed(
    codes: np.ndarray, cells: np.ndarray, classes: np.ndarray | None, numbers: np.ndarray | None
) -> Probed | None:
    """Probe a target.

    Parameters
    ----------
    codes
        (n, K) codes.
    cells
        (n, C) rows as the network sees them.
    classes
        (n,) places of classes, -1 where missing; None for numbers.
    numbers
        (n,) the target's numbers, NaN where missing; None for classes.

    Returns
    -------
    Probed or None
        None if too few rows have a target, or all the same.
    """
    if numbers is not None:
        used = ~np.isnan(numbers)
        wanted, split = numbers, KFold(PARTS, shuffle=True, random_state=0)
    else:
        assert classes is not None, "a target has classes or numbers"
        used = np.isin(classes, frequent(classes))
        wanted, split = classes, StratifiedKFold(PARTS, shuffle=True, random_state=0)
    y = wanted[used]
    if len(y) < PARTS * LEAST_OF_CLASS or len(np.unique(y)) < 2:
        return None
    predictor = RidgeCV(np.logspace(-3, 3, 7)) if numbers is not None else LogisticRegression(max_iter=300)
    nothing = DummyRegressor() if numbers is not None else DummyClassifier()
    rows = np.nan_to_num(cells[used].astype(np.float64))
    size = min(codes.shape[1], rows.shape[1], len(y) - -(-len(y) // PARTS))
    whole = make_pipeline(StandardScaler(), predictor)
    inputs: list[tuple[str, Pipeline, np.ndarray]] = [
        ("nothing but how frequent values are", make_pipeline(StandardScaler(), nothing), codes[used]),
        (f"the codes, {codes.shape[1]} numbers", whole, codes[used].astype(np.float64)),
        (f"PCA, {size} numbers", make_pipeline(PCA(size, random_state=0), StandardScaler(), predictor), rows),
    ]
    if rows.shape[1] <= MOST_CELLS:
        inputs.append((f"all columns, {rows.shape[1]} numbers", whole, rows))
    measure = "R²" if numbers is not None else "AUROC" if len(np.unique(y)) == 2 else "accuracy"
    found = []
    for name, pipeline, X in inputs:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            scores = cross_val_score(pipeline, X, y, cv=split, scoring=SCORERS[measure])
        found.append(Probe(name, float(scores.mean()), float(scores.std(ddof=1) / PARTS**0.5)))
    return Probed(found, measure, len(y), 0 if numbers is not None else len(np.unique(y)))


def frequent(classes: np.ndarray) -> np.ndarray:
    """Return the classes that are predicted: the most frequent ones, of enough rows each."""
    codes, counts = np.unique(classes[classes >= 0], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_CLASSES]
    return np.asarray(codes[order][counts[order] >= LEAST_OF_CLASS])
