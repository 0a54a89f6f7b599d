import numpy as np
import pytest
import torch
from torch import nn

from isthmus import AutoEncoder
from isthmus.core import registry
from isthmus.engine import Adam, Compute
from isthmus.engine.optimisers import FlatAdam, optimiser

GRADIENTS = [[1.0, -2.0], [0.5, 0.25], [-3.0, 0.0]]


def weights_after(made_by, gradients=GRADIENTS):
    parameter = nn.Parameter(torch.tensor([1.0, -1.0], dtype=torch.float64))
    made = made_by([parameter])
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient, dtype=torch.float64)
        made.step()
    return parameter.detach()


def by_hand(learning_rate, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0):
    x = torch.tensor([1.0, -1.0], dtype=torch.float64)
    m = v = torch.zeros(2, dtype=torch.float64)
    for step, gradient in enumerate(GRADIENTS, start=1):
        g = torch.tensor(gradient, dtype=torch.float64)
        m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g * g
        x = x - learning_rate * weight_decay * x
        x = x - learning_rate * (m / (1 - betas[0] ** step)) / ((v / (1 - betas[1] ** step)).sqrt() + epsilon)
    return x


@pytest.mark.parametrize(
    "settings", [{}, {"weight_decay": 0.1}, {"betas": (0.5, 0.9)}, {"epsilon": 0.1}, {"betas": (0.0, 0.0)}]
)
def test_is_adam_with_decoupled_weight_decay(settings):
    result = weights_after(lambda parameters: Adam(**settings).build(parameters, 0.01))
    torch.testing.assert_close(result, by_hand(0.01, **settings), rtol=1e-12, atol=0)


def test_is_fused():
    made = Adam().build([nn.Parameter(torch.zeros(3))], 0.1)
    assert [group["fused"] for group in made.param_groups] == [True]


def test_names():
    assert optimiser("adam") == Adam()
    assert optimiser("adamw") == Adam(weight_decay=0.01)
    mine = Adam(epsilon=1e-4)
    assert optimiser(mine) is mine


@pytest.mark.parametrize("given", ["adm", "sgd", None, 3, Adam])
def test_unknown_optimiser(given):
    with pytest.raises(ValueError, match=r"unknown optimizer .*one of: 'adam', 'adamw'"):
        optimiser(given)
    with pytest.raises(ValueError, match="did you mean 'adam'"):
        optimiser("adm")


def test_a_users_own_optimiser():
    class Descent:
        def build(self, parameters, learning_rate):
            return torch.optim.SGD(parameters, lr=learning_rate)

    mine = Descent()
    assert optimiser(mine) is mine
    ae = AutoEncoder(2, epochs=2, optimizer=mine, random_state=0).fit(np.random.default_rng(0).random((50, 4)))
    assert ae.fit_report_.steps == "autograd"
    assert np.isfinite(ae.history_["loss"]).all()


def test_a_registered_optimiser_has_a_name(monkeypatch):
    monkeypatch.setattr(registry, "REGISTERED", dict(registry.REGISTERED))

    @registry.register("optimizer")
    class MyDescent:
        def build(self, parameters, learning_rate):
            return torch.optim.SGD(parameters, lr=learning_rate)

    assert isinstance(optimiser("my_descent"), MyDescent)
    with pytest.raises(ValueError, match="did you mean 'my_descent'"):
        optimiser("my_decent")


def test_parts_are_registered():
    assert registry.parts("optimizer")["adam"] is Adam
    assert registry.parts("compute") == {"compute": Compute}


def test_nested_parameters():
    assert Adam().set_params(weight_decay=0.5).get_params() == {
        "betas": (0.9, 0.999),
        "epsilon": 1e-8,
        "weight_decay": 0.5,
    }


@pytest.mark.parametrize("settings", [Adam(), Adam((0.8, 0.99), 1e-4, 0.1)])
def test_one_vector_goes_where_torchs_optimiser_goes(settings):
    random = torch.Generator().manual_seed(0)
    vector = torch.randn(50, dtype=torch.float64, generator=random)
    parameter = torch.nn.Parameter(vector.clone())
    gradient = torch.zeros_like(vector)
    ours, theirs = FlatAdam(vector, gradient, settings, 0.1), settings.build([parameter], 0.1)
    for learning_rate in (0.1, 0.05, 0.2, 0.1):
        gradient.normal_(generator=random)
        parameter.grad = gradient.clone()
        for one in (ours, theirs):
            one.param_groups[0]["lr"] = learning_rate
            one.step()
        torch.testing.assert_close(vector, parameter.data)
