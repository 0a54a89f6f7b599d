import math

from isthmus.paper.claim import Claim, Source
from isthmus.paper.networks import Run
from isthmus.paper.tables import claim_as_json, finite, likelihood_name, title


def test_what_json_cannot_express_becomes_null():
    assert [finite(value) for value in (1.5, math.inf, math.nan)] == [1.5, None, None]


def test_a_run_is_described_by_its_likelihood_and_output():
    runs = [Run("", "paper", 4, 8), Run("", "paper", 4, 8, "bce"), Run("", "pca", 4)]
    assert [likelihood_name(run) for run in runs] == ["gaussian, sigmoid", "bernoulli, sigmoid", "gaussian, linear"]


def test_runs_have_titles():
    runs = [
        Run("paper-relu-mse", "paper", 64, 128, "mse", "relu"),
        Run("paper-8-4", "paper", 4, 8, "bce"),
        Run("isthmus-4", "isthmus", 4, 8),
        Run("bottleneck-pca-1", "pca", 1),
    ]
    titles = ["paper, ReLU + MSE", "paper, 8-4, sigmoid + BCE", "isthmus, 4 numbers", "PCA, 1 number"]
    assert [title(run) for run in runs] == titles


def test_a_claim_without_a_verdict_is_null():
    claim = Claim("a", Source.NOTEBOOK, True, "b.")
    expected = {"claim": "a", "source": "notebook", "holds": True, "verdict": "holds", "evidence": "b."}
    assert claim_as_json(claim) == expected
    withheld = claim_as_json(claim.without_verdict("1 epoch"))
    assert withheld == expected | {"holds": None, "verdict": "not judged: 1 epoch"}
