import math

from isthmus.paper.networks import Run
from isthmus.paper.tables import finite, likelihood_name, mean_and_spread


def test_several_values_are_shown_with_their_spread():
    assert mean_and_spread([0.1234], 3) == "0.123"
    assert mean_and_spread([1.0, 3.0], 1) == "2.0 ± 1.4"


def test_what_json_cannot_express_becomes_null():
    assert [finite(value) for value in (1.5, math.inf, math.nan)] == [1.5, None, None]


def test_a_run_is_described_by_its_likelihood_and_output():
    runs = [Run("", "paper", 4, 8), Run("", "paper", 4, 8, "bce"), Run("", "pca", 4)]
    assert [likelihood_name(run) for run in runs] == ["gaussian, sigmoid", "bernoulli, sigmoid", "gaussian, linear"]
