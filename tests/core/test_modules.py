import copy
import itertools
import math

import pytest
import torch
from torch import Generator, Tensor, nn

from isthmus.core.modules import ACTIVATIONS, Dropout, Stack, TiedStack, activation


@pytest.fixture
def generator():
    return Generator().manual_seed(0)


def written(module: nn.Module, generator: Generator) -> nn.Module:
    """Give a module float64 weights."""
    module = module.double()
    for parameter in module.parameters():
        nn.init.normal_(parameter, generator=generator)
    return module


def draw(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


# -- activations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_split_is_claimed_exactly_where_it_holds(name):
    function = activation(name).function
    x = torch.linspace(-19, 19, 1001, dtype=torch.float64)
    error = (function(x) - function(-x) - x).abs()
    # Where it does not hold, it fails for every x that is not 0 (elu, nearest of all to holding, is off by exp(x) - 1).
    assert (error.max() < 1e-13) if activation(name).splits else (error[x.abs() > 0.1].min() > 1e-3)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_function_is_nearly_a_straight_line_within_reach_of_its_centre(name):
    function, _, centre, reach = activation(name)
    half = min(reach, 1e3)
    offset = torch.linspace(-half, half, 1001, dtype=torch.float64)
    at = torch.tensor(centre, dtype=torch.float64, requires_grad=True)
    level = function(at)
    (slope,) = torch.autograd.grad(level, at)
    tangent = level.detach() + slope * offset
    assert slope > 0.2
    assert (function(centre + offset) - tangent).abs().max() <= 0.025 * slope * half


def test_known_values():
    x = torch.tensor([-1.0, 0.0, 2.0], dtype=torch.float64)
    expected = {
        "identity": x,
        "relu": x.clamp_min(0),
        "silu": x / (1 + torch.exp(-x)),
        "gelu": x * torch.special.ndtr(x),
        "softplus": torch.log1p(torch.exp(x)),
        "elu": torch.tensor([math.exp(-1) - 1, 0.0, 2.0], dtype=torch.float64),
        "tanh": torch.tanh(x),
        "sigmoid": 1 / (1 + torch.exp(-x)),
    }
    assert expected.keys() == ACTIVATIONS.keys()
    for name, values in expected.items():
        torch.testing.assert_close(activation(name).function(x), values)


def test_unknown_activation():
    with pytest.raises(ValueError, match="unknown activation 'slu'; did you mean 'silu'") as error:
        activation("slu")
    assert all(repr(name) in str(error.value) for name in ACTIVATIONS)


# -- dropout ---------------------------------------------------------------------------------------------------------


def test_dropout_keeps_the_expectation(generator):
    dropout = Dropout(0.3)
    dropout.generator = generator
    n = 200_000
    dropped = dropout(torch.full((n, 2), 5.0, dtype=torch.float64))
    deviation = 5 * math.sqrt(0.3 / 0.7 / (2 * n))
    assert abs(float(dropped.mean()) - 5) < 5 * deviation
    zero = dropped == 0
    assert abs(float(zero.double().mean()) - 0.3) < 5 * math.sqrt(0.21 / (2 * n))
    torch.testing.assert_close(dropped[~zero], torch.full_like(dropped[~zero], 5 / 0.7))
    both = float(zero.all(1).double().mean())
    assert abs(both - 0.09) < 5 * math.sqrt(0.09 * 0.91 / n)


def test_dropout_draws_from_its_generator_only():
    dropout, x = Dropout(0.5), torch.ones(50, 3)
    before = torch.get_rng_state()
    draws = []
    for seed in (1, 1, 2):
        dropout.generator = Generator().manual_seed(seed)
        draws.append(dropout(x))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("rate", "training"), [(0.0, True), (0.9, False)])
def test_dropout_that_does_nothing(rate, training, generator):
    dropout = Dropout(rate).train(training)
    dropout.generator = generator
    before = generator.get_state()
    x = torch.ones(3, 2)
    assert dropout(x) is x
    assert torch.equal(generator.get_state(), before)


def test_gradient_passes_where_dropout_kept(generator):
    dropout = Dropout(0.5)
    dropout.generator = generator
    x = torch.ones(20, 2, requires_grad=True)
    dropped = dropout(x)
    dropped.sum().backward()
    assert torch.equal(x.grad, dropped.detach())


# -- stacks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("widths", [(4, 2), (4, 5, 2), (4, 6, 5, 2)])
@pytest.mark.parametrize("name", ["relu", "tanh"])
def test_stack_is_its_formula(widths, name, generator):
    stack, x = written(Stack(widths, name), generator), draw(generator, 7, 4)
    assert [weight.shape for weight in stack.weights] == [(b, a) for a, b in itertools.pairwise(widths)]
    assert [bias.shape for bias in stack.biases] == [(width,) for width in widths[1:]]
    h = x
    for depth, (weight, bias) in enumerate(zip(stack.weights, stack.biases, strict=True)):
        h = h if depth == 0 else activation(name).function(h)
        h = h @ weight.T + bias
    torch.testing.assert_close(stack(x), h)


@pytest.mark.parametrize(("norm", "kind"), [("batch", nn.BatchNorm1d), ("layer", nn.LayerNorm)])
def test_norm_before_every_activation(norm, kind, generator):
    stack, x = Stack((4, 6, 5, 2), "silu", norm).double(), draw(generator, 9, 4)
    for weight, bias in zip(stack.weights, stack.biases, strict=True):
        nn.init.normal_(weight, generator=generator)
        nn.init.normal_(bias, generator=generator)
    assert [type(layer) for layer in stack.norms] == [kind, kind]
    dim = 0 if norm == "batch" else 1
    h = x @ stack.weights[0].T + stack.biases[0]
    for weight, bias in zip(stack.weights[1:], stack.biases[1:], strict=True):
        deviation = (h.var(dim, correction=0, keepdim=True) + 1e-5).sqrt()
        h = activation("silu").function((h - h.mean(dim, keepdim=True)) / deviation) @ weight.T + bias
    torch.testing.assert_close(stack.train()(x), h)
    assert torch.equal(stack.eval()(x), stack(x))


def test_dropout_after_every_activation_and_not_after_the_last_layer(generator):
    stack = written(Stack((3, 400, 300, 2), "identity", dropout=0.5), generator)
    for bias in stack.biases:
        nn.init.ones_(bias)
    for weight in stack.weights:
        nn.init.zeros_(weight)
    seen = []
    stack.dropout.register_forward_hook(lambda _, inputs, output: seen.append(output))
    stack.dropout.generator = generator
    x = draw(generator, 5, 3)
    out = stack.train()(x)
    assert [h.shape for h in seen] == [(5, 400), (5, 300)]
    assert all(set(h.unique().tolist()) == {0.0, 2.0} for h in seen)
    assert (out == 1).all()
    seen.clear()
    stack.eval()(x)
    assert all((h == 1).all() for h in seen)


def test_building_draws_nothing():
    before = torch.get_rng_state()
    TiedStack(Stack((4, 6, 2), "relu", dropout=0.5))
    Stack((4, 6, 2), "relu", "batch")
    assert torch.equal(torch.get_rng_state(), before)


def test_stack_of_an_unknown_activation():
    with pytest.raises(ValueError, match="unknown activation 'swish'"):
        Stack((4, 2), "swish")


# -- tied stacks -----------------------------------------------------------------------------------------------------


@pytest.fixture
def pair(generator) -> nn.ModuleList:
    encoder = Stack((4, 6, 5, 2), "tanh")
    return written(nn.ModuleList([encoder, TiedStack(encoder)]), generator)


def test_tied_stack_transposes(pair, generator):
    encoder, decoder = pair
    z = draw(generator, 7, 2)
    first, second, third = encoder.weights
    a, b, c = decoder.biases
    h = torch.tanh(torch.tanh(z @ third + a) @ second + b) @ first + c
    torch.testing.assert_close(decoder(z), h)
    assert [weight.shape for weight in decoder.weights] == [(5, 2), (6, 5), (4, 6)]
    assert [bias.shape for bias in decoder.biases] == [(5,), (6,), (4,)]


def test_tied_stack_follows_the_encoder(pair):
    encoder, decoder = pair
    with torch.no_grad():
        encoder.weights[0].fill_(3)
    assert (decoder.weights[-1] == 3).all()


def test_gradient_of_tied_weights_is_the_sum_of_both_uses(pair, generator):
    encoder, decoder = pair
    x = draw(generator, 7, 4)
    decoder(encoder(x)).square().sum().backward()
    together = [layer.weight.grad.clone() for layer in encoder.linears]
    apart = copy.deepcopy(encoder)
    pair.zero_grad()
    decoder(apart(x)).square().sum().backward()
    from_decoder = [layer.weight.grad for layer in encoder.linears]
    from_encoder = [layer.weight.grad for layer in apart.linears]
    for total, one, other in zip(together, from_decoder, from_encoder, strict=True):
        torch.testing.assert_close(total, one + other)
        assert one.abs().max() > 0
        assert other.abs().max() > 0


def test_tied_weights_are_saved_once(pair):
    weights = [name for name, tensor in pair.state_dict().items() if tensor.dim() == 2]
    assert weights == ["0.linears.0.weight", "0.linears.1.weight", "0.linears.2.weight"]
    assert sum(parameter.numel() for parameter in pair.parameters()) == 24 + 30 + 10 + (6 + 5 + 2) + (5 + 6 + 4)


def test_tied_weights_come_back(pair, generator):
    encoder = Stack((4, 6, 5, 2), "tanh")
    other = nn.ModuleList([encoder, TiedStack(encoder)]).double()
    other.load_state_dict(pair.state_dict())
    z = draw(generator, 3, 2)
    assert torch.equal(other[1](z), pair[1](z))


def test_copy_is_tied_to_its_own_encoder(pair):
    encoder, decoder = copy.deepcopy(pair)
    assert decoder.source[0] is encoder
    assert encoder is not pair[0]
    assert pair.float()[1].weights[0].dtype == torch.float32


def test_dropout_of_a_tied_stack(generator):
    encoder = Stack((3, 400, 2), "identity", dropout=0.5)
    decoder = TiedStack(encoder)
    for parameter in [*encoder.parameters(), *decoder.parameters()]:
        nn.init.ones_(parameter)
    decoder.dropout.generator = generator
    z = torch.zeros(5, 2)
    kept = decoder.train()(z)[:, 0] - 1
    assert ((kept > 200) & (kept < 600)).all()
    assert len(kept.unique()) > 1
    assert (decoder.eval()(z) == 401).all()
