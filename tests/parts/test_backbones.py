import math

import numpy as np
import pytest
import torch
from torch import Generator, nn

from isthmus.core.modules import ACTIVATIONS, Stack, TiedStack
from isthmus.parts.backbones import Dense, Linear, Tied


def widths(stack: Stack | TiedStack) -> list[int]:
    return [stack.weights[0].shape[1], *(weight.shape[0] for weight in stack.weights)]


@pytest.mark.parametrize(
    "hidden", [(), (6,), (6, 5, 4), [6, 5], 6, np.int64(6), np.array([6, 5])], ids=lambda hidden: repr(hidden)
)
def test_dense_mirrors_its_widths(hidden):
    inside = np.atleast_1d(hidden).astype(int).tolist() if np.size(hidden) else []
    dense = Dense(hidden)
    encoder = dense.build_encoder(8, 2)
    assert widths(encoder) == [8, *inside, 2]
    assert widths(dense.build_decoder(2, 16, encoder)) == [2, *inside[::-1], 16]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation(name):
    stack = Dense((4,), name).build_encoder(3, 2)
    assert stack.activation_name == name
    x = torch.linspace(-2, 2, 9)
    torch.testing.assert_close(stack.function(x), ACTIVATIONS[name].function(x))


@pytest.mark.parametrize(("norm", "kind"), [("batch", nn.BatchNorm1d), ("layer", nn.LayerNorm)])
def test_norm(norm, kind):
    for stack in (Dense((4, 5), norm=norm).build_encoder(3, 2), Dense((4, 5), norm=norm).build_decoder(2, 3, None)):
        assert [type(layer) for layer in stack.norms] == [kind, kind]


def test_dropout_is_drawn_from_the_generator_in_training_only():
    encoder = Dense((50,), dropout=0.5).build_encoder(3, 2)
    for parameter in encoder.parameters():
        nn.init.ones_(parameter)
    x = torch.ones(4, 3)
    encoder.dropout.generator = Generator().manual_seed(0)
    assert len(encoder.train()(x).unique()) > 1
    assert len(encoder.eval()(x).unique()) == 1


def test_defaults():
    stack = Dense().build_encoder(784, 64)
    assert widths(stack) == [784, 128, 64]
    assert (stack.activation_name, stack.norms, stack.dropout.rate) == ("silu", None, 0)


def test_linear():
    linear = Linear()
    encoder = linear.build_encoder(5, 2)
    decoder = linear.build_decoder(2, 10, encoder)
    assert widths(encoder) == [5, 2]
    assert widths(decoder) == [2, 10]
    x, y = torch.randn(2, 4, 5, generator=Generator().manual_seed(0))
    for parameter in encoder.parameters():
        nn.init.ones_(parameter)
    torch.testing.assert_close(encoder(x + y) + encoder(0 * x), encoder(x) + encoder(y))


@pytest.mark.parametrize(
    "hidden", [(0,), (-3,), (4, 0), (2.5,), 3.0, None, "12", (None,), (True,), math.inf, {4: "a", 0: "b"}]
)
def test_hidden_that_cannot_be(hidden):
    for build in (lambda: Dense(hidden).build_encoder(5, 2), lambda: Dense(hidden).build_decoder(2, 5, None)):
        with pytest.raises(
            ValueError, match="hidden must be whole numbers of at least 1, one width per layer"
        ) as error:
            build()
        assert str(error.value).endswith(f"got {hidden!r}")


@pytest.mark.parametrize("name", ["rleu", None, "", 1])
def test_activation_that_is_not_known(name):
    with pytest.raises(ValueError, match=f"unknown activation {name!r}"):
        Dense(activation=name).build_encoder(5, 2)


def test_activation_that_was_probably_meant():
    with pytest.raises(ValueError, match="unknown activation 'rleu'; did you mean 'relu'"):
        Dense(activation="rleu").build_encoder(5, 2)


@pytest.mark.parametrize("norm", ["bach", "", False, 1])
def test_norm_that_is_not_known(norm):
    with pytest.raises(ValueError, match=f"unknown norm {norm!r}"):
        Dense(norm=norm).build_encoder(5, 2)


def test_norm_that_was_probably_meant():
    with pytest.raises(ValueError, match="unknown norm 'bach'; did you mean 'batch'"):
        Dense(norm="bach").build_encoder(5, 2)


@pytest.mark.parametrize("dropout", [1, 1.5, -0.1, math.nan, None, True, "0.5"])
def test_dropout_that_cannot_be(dropout):
    with pytest.raises(ValueError, match=r"dropout must be a number in \[0, 1\); got "):
        Dense(dropout=dropout).build_encoder(5, 2)


# -- tied ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoder", [Linear(), Dense((6,)), Dense((6, 4), "tanh", dropout=0.3)], ids=str)
def test_tied_is_the_transpose_of_the_encoder(encoder):
    module = encoder.build_encoder(8, 2)
    tied = Tied().build_decoder(2, 8, module)
    assert isinstance(tied, TiedStack)
    assert widths(tied) == widths(module)[::-1]
    assert all(a is b for a, b in zip(tied.source[0].weights, module.weights, strict=True))
    assert tied.activation_name == module.activation_name
    assert tied.dropout.rate == module.dropout.rate


@pytest.mark.parametrize(("latent", "outputs"), [(2, 16), (3, 8), (8, 2)])
def test_tied_of_other_sizes(latent, outputs):
    with pytest.raises(ValueError, match="a Tied decoder maps 2 to 8 numbers") as error:
        Tied().build_decoder(latent, outputs, Dense((6,)).build_encoder(8, 2))
    assert f"need {latent} to {outputs}: take an untied decoder" in str(error.value)


def test_tied_to_something_else():
    with pytest.raises(ValueError, match="a Tied decoder needs a Dense or Linear encoder"):
        Tied().build_decoder(2, 8, nn.Linear(8, 2))


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_tied_to_an_encoder_with_norm(norm):
    with pytest.raises(ValueError, match="a Tied decoder has no normalisation of its own: take norm=None"):
        Tied().build_decoder(2, 8, Dense((6,), norm=norm).build_encoder(8, 2))
