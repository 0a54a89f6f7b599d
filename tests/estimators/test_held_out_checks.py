import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from isthmus import KL, AutoEncoder, TrainingWarning
from isthmus.data.rows import Rows
from isthmus.estimators.held_out_checks import duplicates

DIGITS = load_digits().data


def test_duplicates_are_counted_exactly():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 7))
    X[400:430] = X[rng.integers(0, 400, 30)]
    # Equal in projection, but not equal.
    X[430, :2], X[431, :2] = [1e300, -1e300], [2e300, -2e300]
    assert duplicates(Rows(X), torch.arange(400), torch.arange(400, 500)) == 30
    assert duplicates(Rows(X), torch.arange(400, 500), torch.arange(400)) == len(
        {row.tobytes() for row in X[:400]} & {row.tobytes() for row in X[400:]}
    )


def test_rows_on_both_sides_are_told():
    with pytest.warns(TrainingWarning, match=r"(\d+) of the 120 validation rows equal rows that were trained on"):
        model = AutoEncoder(4, epochs=2, random_state=0).fit(np.repeat(DIGITS[:400], 3, axis=0))
    assert model.history_.health["duplicates"] > 100


@pytest.mark.filterwarnings("ignore:the posterior collapsed:isthmus.TrainingWarning")
def test_constant_output_is_told():
    with pytest.warns(TrainingWarning, match="the reconstruction says no more than the mean row: held-out error"):
        model = AutoEncoder(4, code="gaussian", penalty=KL(beta=1e3), epochs=10, random_state=0).fit(DIGITS)
    assert model.history_.health["deviance_ratio"] == pytest.approx(1, abs=0.05)


def test_few_validation_rows_are_told():
    with pytest.warns(TrainingWarning, match="only 4 validation rows .* compare the network with PCA with 4"):
        AutoEncoder(4, epochs=2, random_state=0, validation=np.arange(4)).fit(DIGITS)


def test_an_ordinary_training_is_not_worth_a_word():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = AutoEncoder(4, epochs=5, random_state=0).fit(DIGITS)
    health = model.history_.health
    assert health["duplicates"] == 0
    assert health["gain"] == pytest.approx(model.floor_.gain)
    assert health["deviance_ratio"] == pytest.approx(model.floor_.model_error / model.floor_.variance)
