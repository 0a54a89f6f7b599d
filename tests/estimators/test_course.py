import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits

from isthmus import AutoEncoder, TrainingWarning

DIGITS = (load_digits().data / 16).astype(np.float32)


def test_a_learning_rate_that_is_too_high_is_told():
    with pytest.warns(
        TrainingWarning, match=r"no epoch was better than the start: .* take a learning_rate below"
    ) as caught:
        model = AutoEncoder(8, learning_rate=5.0, epochs=6, random_state=0).fit(DIGITS[:800])
    assert sum("learning_rate below" in str(warning.message) for warning in caught) == 1
    assert model.history_.best_epoch == 0
    assert model.history_.health["loss_above_start"] > 0.2


def test_overfitting_is_told():
    with pytest.warns(TrainingWarning, match="the validation loss rose from .* in epoch .* to .* at the end"):
        model = AutoEncoder(16, (256,), epochs=300, patience=None, random_state=0).fit(DIGITS[:120])
    assert model.history_.health["loss_rise"] > 0.2


def test_an_ordinary_course_is_not_worth_a_word():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = AutoEncoder(8, epochs=10, random_state=0).fit(DIGITS)
    assert not {"loss_rise", "loss_above_start"} & set(model.history_.health)
