from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris

from isthmus import AutoEncoder, Compute, Imputer, Masking
from isthmus.tasks.hidden_cells import drawing, filled_in, hidden_cell_errors, scaling_of

IRIS = load_iris().data
GAPS = np.where(np.random.default_rng(0).random(IRIS.shape) < 0.2, np.nan, IRIS)


@pytest.fixture(scope="module")
def imputer():
    settings = {"epochs": 2, "corruption": Masking(0.3, value=None), "compute": Compute(threads=1)}
    return Imputer(AutoEncoder(4, (8,), **settings), members=2, random_state=0).fit(GAPS)


@pytest.fixture(scope="module")
def network(imputer):
    return imputer.models_[0].network.eval()


@pytest.fixture(scope="module")
def x(imputer):
    model = imputer.models_[0]
    return scaling_of(model)(torch.from_numpy(GAPS), model.dtype)


@torch.no_grad()
def found(imputer, network, x, rounds):
    return filled_in(network, x, scaling_of(imputer.models_[0]).feature_group, rounds, network.likelihood.mean)


def test_without_rounds_it_is_the_reconstruction(imputer, network, x):
    with torch.no_grad():
        expected = network.likelihood.mean(network.decoder(network.encode(x).mean))
    assert torch.equal(found(imputer, network, x, 0), expected)


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_a_round_fills_the_missing_half_again(imputer, network, x, rounds):
    group = scaling_of(imputer.models_[0]).feature_group
    before, after = (found(imputer, network, x, n) for n in (rounds - 1, rounds))
    turn = group % 2 == (rounds - 1) % 2
    assert torch.equal(before[:, ~turn], after[:, ~turn])
    again = torch.isnan(x) & turn
    assert torch.equal(before[~again], after[~again])
    assert not torch.equal(before[again], after[again])


def test_draws_have_the_spread_that_is_given(network):
    likelihood = network.likelihood
    before = {name: tensor.clone() for name, tensor in likelihood.state_dict().items()}
    spread = torch.tensor([0.1, 1.0, 2.0, 5.0], dtype=torch.float64)
    theta = torch.zeros(20_000, likelihood.outputs, dtype=torch.float64)
    draw = drawing(likelihood, spread, torch.Generator().manual_seed(0))(theta)
    torch.testing.assert_close(draw.std(0), spread, rtol=0.05, atol=0)
    torch.testing.assert_close(draw.mean(0), likelihood.mean(theta[:1])[0], rtol=0, atol=0.2)
    assert all(torch.equal(tensor, before[name]) for name, tensor in likelihood.state_dict().items())


def test_errors_are_those_of_cells_that_were_hidden(imputer):
    errors = hidden_cell_errors(imputer.models_, GAPS, 0)
    np.testing.assert_array_equal(errors, hidden_cell_errors(imputer.models_, GAPS, 0))
    np.testing.assert_array_equal(errors, imputer.spread_)
    assert errors.shape == (4,)
    assert ((errors > 0.1) & (errors < 2)).all(), "in the network's units, in which columns have variance 1"
    assert not np.array_equal(errors, hidden_cell_errors(imputer.models_[:1], GAPS, 0))


def test_only_tables_of_several_kinds_have_such_a_scaling():
    model = AutoEncoder(2, (4,), epochs=1, random_state=0).fit(IRIS).model_
    with pytest.raises(AssertionError, match="an imputer learns columns of several kinds"):
        scaling_of(SimpleNamespace(scaling=model.scaling))
