import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Generator

from isthmus import AutoEncoder, Contractive, Dense, Deterministic, Masking
from isthmus.core import jacobian
from isthmus.core.initialisation import initialise
from isthmus.parts.composition import compose

F, K, B = 7, 3, 5


def x():
    return torch.randn(B, F, dtype=torch.float64, generator=Generator().manual_seed(0))


def network_of(encoder="linear", code=None, penalty=None, **parts):
    code = code or Deterministic("sigmoid")
    network = compose(F, K, encoder=encoder, code=code, penalty=penalty or Contractive(1.0), **parts).double()
    initialise(network, "torch", Generator().manual_seed(1))
    network.seed(Generator().manual_seed(2))
    return network.eval()


def by_autograd(network, rows):
    rows = rows.clone().requires_grad_()
    z = network.encode(rows).mean
    found = [torch.autograd.grad(z[:, j].sum(), rows, retain_graph=True)[0].square().sum(1) for j in range(z.shape[1])]
    return torch.stack(found).sum(0)


@pytest.mark.parametrize("activation", ["identity", "sigmoid", "tanh", "softplus"])
def test_closed_form_one_layer(activation):
    network = network_of(code=Deterministic(activation))
    torch.testing.assert_close(network.terms(x())["contractive"], by_autograd(network, x()))


@pytest.mark.parametrize("code", [Deterministic(), Deterministic("sigmoid"), "gaussian"])
@pytest.mark.parametrize("encoder", ["linear", Dense((6,)), Dense((6, 5), "tanh")])
def test_exact_is_autograds_jacobian(encoder, code):
    network = network_of(encoder, code, Contractive(2.0, "exact"))
    torch.testing.assert_close(network.terms(x())["contractive"], 2 * by_autograd(network, x()))


def test_estimate_is_unbiased():
    network = network_of(Dense((6,), "tanh"))
    exact = by_autograd(network, x())
    repeated = x().repeat(4000, 1)
    found = jacobian.hutchinson(lambda rows: network.encode(rows).mean, repeated, 1, Generator().manual_seed(0))
    found = found.detach().view(4000, B)
    assert bool(((found.mean(0) - exact).abs() < 5 * found.std(0) / 4000**0.5).all())


def test_more_samples_are_nearer():
    network = network_of(Dense((6,), "tanh"))
    exact = by_autograd(network, x())
    errors = []
    for samples in (1, 400):
        part = Contractive(1.0, "hutchinson", samples).build(F, K)
        part.generator = Generator().manual_seed(0)
        errors.append((part(network(x()), network) - exact).abs().mean().item())
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.parametrize("encoder", ["linear", Dense((4,), "tanh")])
@pytest.mark.parametrize("method", ["auto", "hutchinson"])
def test_gradient_reaches_the_weights(encoder, method):
    network = network_of(encoder, penalty=Contractive(1.0, method))
    weight = network.encoder.linears[0].weight

    def penalty():
        network.seed(Generator().manual_seed(3))
        return network.penalties["contractive"](network(x()), network).sum()

    (slope,) = torch.autograd.grad(penalty(), weight)
    for place in [(0, 0), (2, 3), (1, 6)]:
        values = []
        for step in (1e-6, -2e-6):
            weight.data[place] += step
            values.append(penalty().item())
        weight.data[place] += 1e-6
        assert slope[place].item() == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-4, abs=1e-6)


def test_hidden_entries_do_not_count_as_directions():
    network = network_of(corruption=Masking(0.5, mark=True)).train()
    step = network(x())
    z = step.code.mean
    weight = network.encoder.weights[0][:, :F]
    expected = (z * (1 - z)).square() @ weight.square().sum(1)
    torch.testing.assert_close(network.penalties["contractive"](step, network), expected)


@pytest.mark.parametrize("likelihood", ["poisson", "multinomial"])
@pytest.mark.parametrize("method", ["auto", "exact"])
def test_counts_are_differentiated_and_not_their_logarithms(likelihood, method):
    network = network_of(likelihood=likelihood, penalty=Contractive(1.0, method))
    counts = torch.randint(0, 9, (B, F), generator=Generator().manual_seed(0)).double()
    torch.testing.assert_close(network.terms(counts)["contractive"], by_autograd(network, counts))


@pytest.mark.parametrize("method", ["exact", "hutchinson"])
def test_a_row_has_its_own_norm_whatever_rows_are_beside_it(method):
    network = network_of(Dense((6,), "tanh", norm="batch", dropout=0.5), penalty=Contractive(1.0, method, 3))
    norm = network.train().encoder.norms[0]
    network(x())
    norm.momentum = 0.0

    def norms(rows):
        network.seed(Generator().manual_seed(3))
        return network.penalties["contractive"](network(rows), network)

    alone, beside = norms(x()), norms(torch.cat([x(), 5 + x()]))[:B]
    assert norm.training
    if method == "exact":
        torch.testing.assert_close(alone, beside)
        torch.testing.assert_close(alone, by_autograd(network.eval(), x()))
    else:
        assert ((alone > 0) & (beside > 0)).all()


def test_no_graph_where_none_is_wanted():
    network = network_of(Dense((6,)))
    with torch.no_grad():
        assert not network.terms(x())["contractive"].requires_grad


def test_codes_change_less_with_it():
    X = (load_digits().data / 16).astype(np.float32)
    norms = []
    for penalty in (None, Contractive(10.0)):
        settings = {"code": Deterministic("sigmoid"), "decoder": "tied", "penalty": penalty, "random_state": 0}
        model = AutoEncoder(32, (), epochs=5, **settings).fit(X)
        rows = torch.from_numpy(X[:200]).to(model.network_.encoder.weights[0])
        norms.append(jacobian.exact(lambda r, m=model: m.network_.encode(r).mean, rows).mean().item())
    assert norms[1] < 0.5 * norms[0]


@pytest.mark.parametrize("code", ["top_k", "vector_quantizer", "fsq"])
def test_codes_that_jump_are_refused(code):
    with pytest.raises(ValueError, match=r"Contractive needs a code that is smooth in the row, and .* is not: take"):
        compose(64, 32, code=code, penalty="contractive")


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (Contractive(-1), "weight of Contractive must be a number of at least 0"),
        (Contractive(method="x"), "unknown method of Contractive"),
        (Contractive(samples=0), "samples of Contractive must be a whole number"),
    ],
)
def test_parameters_that_cannot_be(part, message):
    with pytest.raises(ValueError, match=message):
        part.build(F, K)
