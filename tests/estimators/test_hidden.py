import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from isthmus import AutoEncoder, Callback, Dense, TrainingWarning
from isthmus.core.modules import Stack
from isthmus.estimators.hidden import derivative, hidden_values, idle_units

DIGITS = (load_digits().data / 16).astype(np.float32)


class Shifted(Callback):
    """Shifts the inputs of the encoder's hidden units."""

    def __init__(self, by):
        self.by = by

    def on_fit_end(self, run):
        run.network.encoder.biases[0].data.add_(self.by)


def fitted(by, activation):
    settings = {"epochs": 1, "floor": "tell", "random_state": 0, "callbacks": [Shifted(by)]}
    return AutoEncoder(4, (128,), activation=activation, **settings).fit(DIGITS)


def test_hidden_values_are_those_of_the_forward_pass():
    stack = Stack((5, 7, 6, 3), "tanh")
    stack.initialise("orthogonal", torch.Generator().manual_seed(0))
    x = torch.randn(4, 5)
    values = hidden_values(stack, x)
    assert [value.shape[1] for value in values] == [7, 6]
    torch.testing.assert_close(torch.nn.functional.linear(values[-1], stack.weights[-1], stack.biases[-1]), stack(x))


def test_normalised_and_other_layers_are_left_out():
    assert hidden_values(Dense((4,), norm="batch").build_encoder(5, 2), torch.zeros(3, 5)) == []
    assert "hidden_units" not in AutoEncoder(2, (), epochs=1, random_state=0).fit(DIGITS).history_.health


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_derivatives_are_those_of_autograd(name):
    x = torch.linspace(-3, 3, 7, dtype=torch.float64, requires_grad=True)
    value = getattr(torch, name)(x)
    (expected,) = torch.autograd.grad(value.sum(), x)
    torch.testing.assert_close(derivative(name, value.detach()), expected)


def test_units_with_one_value_are_idle():
    values = torch.rand(50, 4, generator=torch.Generator().manual_seed(0))
    values[:, 2] = 0.7
    assert idle_units(values) == 1
    assert idle_units(torch.ones(50, 4)) == 4


@pytest.mark.filterwarnings("ignore:the code is the same for every row:isthmus.TrainingWarning")
def test_dead_units_are_told():
    with pytest.warns(TrainingWarning, match=r"\d+ of the 256 hidden units are dead: .* take activation='silu'"):
        model = fitted(-1e4, "relu")
    assert model.history_.health["idle_units"] >= 128


def test_saturated_units_are_told():
    with pytest.warns(TrainingWarning, match=r"\d+ % of the values of a hidden layer are where its activation is flat"):
        model = fitted(4.0, "sigmoid")
    assert model.history_.health["saturated_share"] > 0.5


@pytest.mark.parametrize("activation", ["silu", "relu", "tanh"])
def test_healthy_networks_are_not_worth_a_word(activation):
    health = AutoEncoder(8, activation=activation, epochs=5, random_state=0).fit(DIGITS).history_.health
    assert health["idle_units"] < 128
    assert health.get("saturated_share", 0) < 0.5
