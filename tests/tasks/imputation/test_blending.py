import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from isthmus.tasks.imputation.blending import mixture, simplex_weights, without_small

NUMBERS = st.floats(-10, 10, allow_nan=False)


@given(arrays(np.float64, (12, 1), elements=NUMBERS), arrays(np.float64, (3, 12, 1), elements=NUMBERS))
def test_no_prediction_alone_is_better_than_the_mixture(truth, predictions):
    weights = simplex_weights(truth, list(predictions))
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(), 1)
    losses = ((truth - predictions) ** 2).sum((1, 2))
    own = float(((truth - mixture(weights, list(predictions))) ** 2).sum())
    assert own <= losses.min() * (1 + 1e-3) + 1e-6


def test_few_cells_keep_to_the_prior_and_many_leave_it():
    rng = np.random.default_rng(0)
    prior = np.array([1.0, 0.0])
    for n, low, high in ((3, 0.5, 1.0), (3000, 0.0, 0.1)):
        truth = rng.normal(size=(n, 1))
        found = simplex_weights(truth, [truth + rng.normal(size=(n, 1)), truth.copy()], prior)
        assert low <= found[0] <= high


def test_small_weights_go():
    np.testing.assert_allclose(without_small(np.array([0.04, 0.32, 0.64])), [0, 1 / 3, 2 / 3])
