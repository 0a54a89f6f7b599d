"""Where training starts on real tables: no column worse than its mean, and hidden cells better than it."""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine

from isthmus import AutoEncoder, Compute, Masking
from isthmus.core.mean_start import TOLERANCE, Comparison
from isthmus.data.reading import learn_table
from isthmus.estimators import rules
from isthmus.estimators.building import build
from isthmus.estimators.validation import HeldOut

pandas = pytest.importorskip("pandas")
FOLDER = Path(os.environ.get("ISTHMUS_DATA", ""), "tables")
OF_FOLDER = ["penguins", "titanic", "credit", "diamonds", "loans", "msleep", "starwars"]
NOT_VALIDATED = ["msleep", "starwars", "loans"]
"""Fewer than a hundred rows, and a table whose squared errors are those of a single payment."""


def scikit_learns(bunch):
    """Return a table of numbers with its classes as text, a constant and a copy."""
    frame = pandas.DataFrame(bunch.data, columns=bunch.feature_names)
    return frame.assign(kind=bunch.target_names[bunch.target], constant=1.5, again=frame.iloc[:, 0])


def table(name):
    if name in ("wine", "cancer"):
        return scikit_learns(load_wine() if name == "wine" else load_breast_cancer())
    if not FOLDER.joinpath(f"{name}.csv").exists():
        pytest.skip("the table is not in the folder of ISTHMUS_DATA")
    return pandas.read_csv(FOLDER / f"{name}.csv").head(400)


def with_gaps(frame, share):
    return frame.mask(np.random.default_rng(0).random(frame.shape) < share)


def compared(frame, **settings):
    """Return the losses at the start over those of the mean, on rows of training and of validation."""
    estimator = AutoEncoder(random_state=0, compute=Compute(threads=1), **settings)
    cells, schema = learn_table(frame, caller="Test", columns={"constant": "real"} if "constant" in frame else None)
    n_validation = len(cells) // 5
    plan = rules.plan(estimator, len(cells) - n_validation, n_validation)
    built = build(estimator, cells, schema, None, HeldOut(n_validation), plan)
    assert built.start.startswith("pca (and the best linear map from it")
    parts = built.training[:2048], built.validation
    return [Comparison(built.network, *built.rows.batch(part)) for part in parts]


IMPUTING = {"latent": 64, "hidden": (256,), "corruption": Masking(0.3, value=None, score="hidden")}


@pytest.mark.filterwarnings("ignore:column .*:UserWarning")
@pytest.mark.parametrize("share", [0.0, 0.3])
@pytest.mark.parametrize("settings", [{}, IMPUTING], ids=["default", "imputing"])
@pytest.mark.parametrize("name", ["wine", "cancer", *OF_FOLDER])
def test_no_table_starts_worse_than_its_means(name, settings, share):
    training, validation = compared(with_gaps(table(name), share), **settings)
    start, mean = training.at_start, training.at_mean
    assert bool((start <= mean + 10 * TOLERANCE * mean.abs() + 1e-6 * len(mean)).all())
    if name not in NOT_VALIDATED:
        assert float(validation.at_start.sum()) < 0.95 * float(validation.at_mean.sum())
