import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from torch import Generator, Tensor, nn

from isthmus import Bernoulli, Dense, Deterministic, Gaussian, GaussianNoise, Linear, Masking
from isthmus.core.initialisation import INITIALISATIONS, initialise
from isthmus.core.modules import TiedStack
from isthmus.core.network import Network
from isthmus.core.principal import principal_components
from isthmus.parts.composition import compose

N, F, K = 200, 12, 4
HIDDEN = [(), (8,), (20,), (20, 9), (9, 20), (20, 16, 10)]
TOLERANCE = {torch.float64: 1e-8, torch.float32: 1e-5}


@pytest.fixture(scope="module")
def x() -> np.ndarray:
    """Correlated columns of standard deviation 1, skewed, and not centred."""
    rng = np.random.default_rng(0)
    table = rng.gamma(1, size=(N, F)) @ (rng.normal(size=(F, F)) * np.geomspace(1, 0.2, F)[:, None])
    return (table - table.mean(0)) / table.std(0) + rng.normal(size=F)


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """Grey levels in [0, 1]; three pixels are the same in every image."""
    return load_digits().data[:300] / 16


def started(
    x: np.ndarray,
    latent: int = K,
    method: str = "pca",
    weight: np.ndarray | None = None,
    dtype: torch.dtype = torch.float64,
    seed: int = 0,
    **parts,
) -> tuple[Network, str]:
    rows = torch.from_numpy(x).to(dtype)
    weights = None if weight is None else torch.from_numpy(weight).to(dtype)
    network = compose(x.shape[1], latent, **parts).to(dtype)
    generator = Generator().manual_seed(seed)
    principal = principal_components(lambda: [(rows, weights)], x.shape[1], generator=generator).first(latent)
    return network.eval(), initialise(network, method, generator, principal, rows, weights)


@torch.no_grad()
def reconstruction(network: Network, x: np.ndarray) -> np.ndarray:
    rows = torch.from_numpy(x).to(next(network.parameters()))
    return network.decode(network.encode(rows).z).double().numpy()


def pca(x: np.ndarray, rank: int = K, new: np.ndarray | None = None) -> np.ndarray:
    fitted = PCA(rank, svd_solver="full").fit(x)
    return fitted.inverse_transform(fitted.transform(x if new is None else new))


def error(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.square(a - b).mean())


# -- exactly PCA -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("hidden", HIDDEN, ids=str)
@pytest.mark.parametrize("activation", ["relu", "silu", "gelu", "softplus", "identity"])
def test_dense_starts_at_pca(x, activation, hidden, dtype):
    network, words = started(x, dtype=dtype, encoder=Dense(hidden, activation))
    assert words == "pca (exact)"
    np.testing.assert_allclose(reconstruction(network, x), pca(x), rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("hidden", HIDDEN, ids=str)
@pytest.mark.parametrize("activation", ["relu", "silu", "gelu", "softplus"])
def test_tied_weights_start_at_pca(x, activation, hidden, dtype):
    network, words = started(x, dtype=dtype, encoder=Dense(hidden, activation), decoder="tied")
    assert words == "pca (exact)"
    np.testing.assert_allclose(reconstruction(network, x), pca(x), rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("decoder", [None, "linear", "tied", Dense((8,)), Dense((30, 9), "relu")], ids=str)
def test_linear_starts_at_pca(x, decoder):
    network, words = started(x, encoder=Linear(), decoder=decoder)
    assert words == "pca (exact)"
    np.testing.assert_allclose(reconstruction(network, x), pca(x), rtol=0, atol=1e-8)


@pytest.mark.parametrize("activation", ["relu", "silu", "gelu", "softplus", "identity"])
def test_pca_holds_for_rows_that_were_not_seen(x, activation):
    network, _ = started(x, encoder=Dense((20, 9), activation))
    new = 5 * np.random.default_rng(1).normal(size=(50, F))
    np.testing.assert_allclose(reconstruction(network, new), pca(x, new=new), rtol=0, atol=1e-7)


@pytest.mark.parametrize("decoder", [None, "tied"])
def test_code_is_the_principal_coordinates(x, decoder):
    network, _ = started(x, encoder=Dense((20, 9)), decoder=decoder)
    code = network.encode(torch.from_numpy(x)).mean.detach().numpy()
    np.testing.assert_allclose(np.abs(code), np.abs(PCA(K).fit_transform(x)), rtol=0, atol=1e-8)


@pytest.mark.parametrize("latent", [1, F - 1, F])
def test_any_size_of_the_code(x, latent):
    network, words = started(x, latent, encoder=Dense((2 * F,)))
    assert words == "pca (exact)"
    np.testing.assert_allclose(reconstruction(network, x), pca(x, latent), rtol=0, atol=1e-8)


@pytest.mark.parametrize("hidden", [(), (40,), (40, 50)], ids=str)
def test_code_larger_than_the_rows(x, hidden):
    network, words = started(x, F + 3, encoder=Dense(hidden))
    assert words == "pca (exact)"
    np.testing.assert_allclose(reconstruction(network, x), x, rtol=0, atol=1e-8)


def test_learned_variance_starts_at_the_residual_variances(x):
    network, words = started(x, encoder=Dense((20,)), likelihood=Gaussian("learned"))
    assert words == "pca (exact)"
    reconstructed = reconstruction(network, x)
    np.testing.assert_allclose(reconstructed, pca(x), rtol=0, atol=1e-8)
    variances = 1e-6 + network(torch.from_numpy(x)).theta[:, F:].exp().detach().numpy()
    expected = np.square(x - reconstructed).mean(0)
    np.testing.assert_allclose(variances, np.tile(expected, (N, 1)), rtol=1e-8)


@pytest.mark.parametrize("activation", ["relu", "silu", "softplus"])
def test_constant_columns(x, activation):
    x = np.hstack([x, np.full((N, 1), 0.7), np.zeros((N, 1))])
    network, words = started(x, encoder=Dense((20,), activation))
    assert words == "pca (exact)"
    np.testing.assert_allclose(reconstruction(network, x), pca(x), rtol=0, atol=1e-8)
    np.testing.assert_allclose(reconstruction(network, x)[:, F:], x[:, F:], rtol=0, atol=1e-8)


# -- weights of rows -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decoder", [None, "tied"])
def test_weights_of_rows_are_repetitions(x, decoder):
    times = np.arange(N) % 4
    repeated = np.repeat(x, times, axis=0)
    network, words = started(x, weight=0.1 * times, encoder=Dense((20,)), decoder=decoder)
    assert words == "pca (exact)"
    np.testing.assert_allclose(reconstruction(network, x), pca(repeated, new=x), rtol=0, atol=1e-8)


@pytest.mark.parametrize("decoder", [None, "tied"])
def test_weights_of_rows_are_repetitions_under_a_sigmoid(digits, decoder):
    times = np.where(digits.mean(1) > np.median(digits.mean(1)), 3, 0)
    parts = {"encoder": Dense((20,)), "decoder": decoder, "likelihood": Bernoulli()}
    weighted, _ = started(digits, weight=0.1 * times, **parts)
    repeated, _ = started(np.repeat(digits, times, axis=0), **parts)
    equal, _ = started(digits, **parts)
    expected = reconstruction(repeated, digits)
    np.testing.assert_allclose(reconstruction(weighted, digits), expected, rtol=0, atol=1e-5)
    assert np.abs(reconstruction(equal, digits) - expected).max() > 0.01


# -- nearly PCA ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hidden", [(6,), (20,), (20, 9), (20, 16, 10)], ids=str)
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "elu"])
def test_other_activations_start_nearly_at_pca(x, activation, hidden):
    network, words = started(x, encoder=Dense(hidden, activation))
    assert words == f"pca (nearly: {activation} in the hidden layers)"
    reconstructed, expected = reconstruction(network, x), pca(x)
    assert error(reconstructed, expected) < 0.02 * error(x.mean(0), expected)
    assert error(reconstructed, x) < 1.02 * error(expected, x) < 0.6 * error(x.mean(0), x)


@pytest.mark.parametrize("activation", ["relu", "silu", "gelu", "softplus"])
def test_narrow_hidden_layer_starts_nearly_at_pca(x, activation):
    network, words = started(x, encoder=Dense((20, 7), activation))
    assert words == "pca (nearly: hidden layer of 7, exact from 8 on)"
    reconstructed, expected = reconstruction(network, x), pca(x)
    assert error(reconstructed, expected) < 1e-3 * error(x.mean(0), expected)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "elu", "relu", "silu", "gelu", "softplus"])
def test_activation_on_the_code_starts_nearly_at_pca(x, activation):
    network, words = started(x, encoder=Dense((20,)), code=Deterministic(activation))
    assert words == f"pca (nearly: {activation} on the code)"
    reconstructed, expected = reconstruction(network, x), pca(x)
    assert error(reconstructed, expected) < 0.01 * error(x.mean(0), expected)


@pytest.mark.parametrize(
    ("encoder", "decoder", "why"),
    [
        (Dense((20,), "silu"), Dense((30,), "tanh"), "tanh in the hidden layers"),
        (Dense((20,), "tanh"), Dense((30,), "silu"), "tanh in the hidden layers"),
        (Dense((20,), "identity"), Dense((30,), "tanh"), "tanh in the hidden layers"),
        (Linear(), Dense((6,), "relu"), "hidden layer of 6, exact from 8 on"),
    ],
    ids=str,
)
def test_words_are_those_of_the_worse_half(x, encoder, decoder, why):
    network, words = started(x, encoder=encoder, decoder=decoder)
    assert words == f"pca (nearly: {why})"
    assert error(reconstruction(network, x), pca(x)) < 0.02 * error(x.mean(0), pca(x))


@pytest.mark.parametrize("activation", ["relu", "elu", "identity"])
def test_hidden_layer_narrower_than_the_code_holds_as_many_components(x, activation):
    network, words = started(x, encoder=Dense((20, 3), activation))
    assert words == "pca (3 of 4 components: a layer or the data have no room for more)"
    np.testing.assert_allclose(reconstruction(network, x), pca(x, 3), rtol=0, atol=1e-8)


def test_fewer_components_than_the_code_has_numbers(x):
    rows = torch.from_numpy(x)
    principal = principal_components(lambda: [(rows, None)], F, rank=3)
    network = compose(F, K, encoder=Dense((20,))).double()
    words = initialise(network, "pca", Generator().manual_seed(0), principal, rows)
    assert words == "pca (3 of 4 components: a layer or the data have no room for more)"
    np.testing.assert_allclose(reconstruction(network, x), pca(x, 3), rtol=0, atol=1e-8)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize(
    "parts",
    [
        {"code": Deterministic("sigmoid")},
        {"code": Deterministic("relu")},
        {"encoder": Dense((20,), "tanh")},
        {"encoder": Dense((6,), "relu")},
    ],
    ids=str,
)
def test_data_of_lower_rank_than_the_code(parts, dtype):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 3)) @ rng.normal(size=(3, F)) + 5
    network, _ = started(x, 5, dtype=dtype, **parts)
    # Rounding noise along components without variance is not made large.
    assert max(float(parameter.detach().abs().max()) for parameter in network.parameters()) < 1e3
    near = x + 1e-3 * rng.normal(size=x.shape)
    for rows in (x, near):
        assert error(reconstruction(network, rows), x) < 0.01 * x.var(0).mean()


def test_constant_data():
    x = np.full((20, F), 0.3)
    for parts in ({}, {"code": Deterministic("sigmoid")}, {"likelihood": Bernoulli()}):
        network, _ = started(x, **parts)
        assert network.finite()
        np.testing.assert_allclose(reconstruction(network, x), x, rtol=0, atol=1e-4)


# -- through the output's activation ---------------------------------------------------------------------------------


SIGMOID_OUTPUTS = [Bernoulli(), Gaussian(activation="sigmoid")]


@pytest.mark.parametrize("likelihood", SIGMOID_OUTPUTS, ids=["bernoulli", "gaussian"])
@pytest.mark.parametrize("latent", [8, 16, 32])
@pytest.mark.parametrize("decoder", [None, "tied"])
def test_sigmoid_output_is_better_than_clipped_pca_on_black_and_white(digits, likelihood, latent, decoder):
    x = (digits > 0.5).astype(float)
    network, words = started(x, latent, encoder=Dense((64,)), decoder=decoder, likelihood=likelihood)
    assert words == "pca (exact up to the output's sigmoid)"
    assert error(reconstruction(network, x), x) < 0.95 * error(pca(x, latent).clip(0, 1), x)


@pytest.mark.parametrize("likelihood", SIGMOID_OUTPUTS, ids=["bernoulli", "gaussian"])
@pytest.mark.parametrize("latent", [2, 8, 16])
@pytest.mark.parametrize("decoder", [None, "tied"])
def test_sigmoid_output_is_near_clipped_pca_on_grey_levels(digits, likelihood, latent, decoder):
    network, words = started(digits, latent, encoder=Dense((64,)), decoder=decoder, likelihood=likelihood)
    assert words == "pca (exact up to the output's sigmoid)"
    # Not below it: no line under a sigmoid reaches 0 and 1, which most of these grey levels are.
    assert error(reconstruction(network, digits), digits) < 1.1 * error(pca(digits, latent).clip(0, 1), digits)


def test_line_under_the_sigmoid_is_the_best_one(digits):
    network, _ = started(digits, 8, likelihood=Bernoulli())
    logits = network(torch.from_numpy(digits)).theta.detach().numpy()
    linear = pca(digits, 8)
    slope, level = np.polyfit(linear.ravel(), logits.ravel(), 1)
    np.testing.assert_allclose(logits, slope * linear + level, rtol=0, atol=1e-8)

    def at(gain: float, offset: float) -> float:
        return error(1 / (1 + np.exp(-(gain * linear + offset))), digits)

    least = at(slope, level)
    for d_slope, d_level in [(0.05, 0), (-0.05, 0), (0, 0.05), (0, -0.05), (0.05, -0.025), (-0.05, 0.025)]:
        assert at(slope + d_slope, level + d_level) > least


def test_relu_output_is_clipped_pca(digits):
    network, words = started(digits, 8, likelihood=Gaussian(activation="relu"))
    assert words == "pca (exact up to the output's relu)"
    np.testing.assert_allclose(reconstruction(network, digits), pca(digits, 8).clip(0), rtol=0, atol=1e-8)


def test_data_that_the_output_cannot_reach(x):
    network, _ = started(x, likelihood=Gaussian(activation="sigmoid"))
    assert network.finite()
    assert np.isfinite(reconstruction(network, x)).all()


# -- what stands in the way ------------------------------------------------------------------------------------------


def layers(network: Network) -> list[tuple[Tensor, Tensor]]:
    return [
        pair for stack in (network.encoder, network.decoder) for pair in zip(stack.weights, stack.biases, strict=True)
    ]


def assert_orthogonal(network: Network) -> None:
    for weight, _ in layers(network):
        rows, columns = weight.shape
        product = weight @ weight.T if rows <= columns else weight.T @ weight
        torch.testing.assert_close(product, torch.eye(min(rows, columns), dtype=product.dtype))
    for _, bias in layers(network)[1:-1]:
        assert (bias == 0).all()


@pytest.mark.parametrize(
    ("parts", "obstacle"),
    [
        ({"encoder": Dense((20,), norm="batch")}, "a normalisation layer rescales what passes"),
        ({"encoder": Dense((20,), norm="layer")}, "a normalisation layer rescales what passes"),
        ({"decoder": Dense((20,), norm="layer")}, "a normalisation layer rescales what passes"),
        ({"encoder": Dense((7,)), "decoder": "tied"}, "tied weights need hidden layers of twice the code's size, "),
        ({"encoder": Dense((20,), "tanh"), "decoder": "tied"}, "tied weights need hidden layers of twice "),
        ({"encoder": Dense((20,), "identity"), "decoder": "tied"}, "tied weights need hidden layers of twice "),
        ({"decoder": "tied", "code": Deterministic("sigmoid")}, "tied weights need hidden layers of twice "),
    ],
    ids=str,
)
def test_obstacles(x, parts, obstacle):
    network, words = started(x, **parts)
    assert words.startswith(f"orthogonal (pca is not possible: {obstacle}")
    assert_orthogonal(network)
    assert_starts_at_the_mean(network, x)


def assert_starts_at_the_mean(network: Network, x: Tensor) -> None:
    x = torch.as_tensor(x, dtype=torch.float64)
    weight, bias = layers(network)[0]
    if network.encoder.norms is None:
        torch.testing.assert_close((weight @ x.mean(0) + bias).detach(), torch.zeros_like(bias), rtol=0, atol=1e-8)
    torch.testing.assert_close(layers(network)[-1][1].detach(), x.mean(0))


@pytest.mark.parametrize("encoder", [Linear(), Dense((40,))], ids=str)
def test_tied_code_larger_than_the_rows(x, encoder):
    network, words = started(x, F + 3, encoder=encoder, decoder="tied")
    assert words == "orthogonal (pca is not possible: tied weights need 15 components for the code, and there are 12)"
    assert_orthogonal(network)
    assert_starts_at_the_mean(network, x)


@pytest.mark.parametrize("method", INITIALISATIONS)
def test_modules_of_the_users_keep_their_weights(x, method):
    own = nn.Linear(F, K, dtype=torch.float64)
    before = own.weight.clone()
    parts = compose(F, K, encoder=Linear()).double()
    network = Network(own, parts.code, parts.decoder, parts.likelihood)
    rows = torch.from_numpy(x)
    principal = principal_components(lambda: [(rows, None)], F)
    words = initialise(network, method, Generator().manual_seed(0), principal, rows)
    assert torch.equal(own.weight, before)
    why = "orthogonal (pca is not possible: the encoder and the decoder are not both dense)"
    assert words == (why if method == "pca" else method)


# -- orthogonal and torch --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decoder", [None, "tied"])
@pytest.mark.parametrize("hidden", [(), (20,), (20, 9)], ids=str)
def test_orthogonal(x, hidden, decoder):
    network, words = started(x, method="orthogonal", encoder=Dense(hidden), decoder=decoder)
    assert words == "orthogonal"
    assert_orthogonal(network)


@pytest.mark.parametrize("decoder", [None, "tied"])
def test_as_torch_does(x, decoder):
    network, words = started(x, method="torch", encoder=Dense((300, 200)), decoder=decoder)
    assert words == "torch"
    for weight, bias in layers(network):
        tied = isinstance(network.decoder, TiedStack) and not weight.is_leaf
        for values, inputs in [(weight, weight.shape[0 if tied else 1]), (bias, weight.shape[1])]:
            bound = 1 / math.sqrt(inputs)
            assert values.abs().max() <= bound
            assert len(values.unique()) == values.numel()
            if values.numel() > 100:
                assert values.abs().max() > 0.9 * bound
                # A uniform distribution on ±bound; five deviations of its sample variance.
                variance = float(values.detach().square().mean()) / bound**2
                assert abs(variance - 1 / 3) < 5 * math.sqrt(4 / 45 / values.numel())


def test_unknown_initialisation(x):
    with pytest.raises(ValueError, match="unknown init 'ortogonal'; did you mean 'orthogonal'"):
        started(x, method="ortogonal")


# -- chance ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", INITIALISATIONS)
@pytest.mark.parametrize("decoder", [None, "tied"])
def test_same_seed_same_weights(x, method, decoder):
    encoder = Dense((20, 9), dropout=0.1)
    states = [started(x, method=method, seed=seed, encoder=encoder, decoder=decoder)[0] for seed in (0, 0, 1)]
    first, again, other = (network.state_dict() for network in states)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("method", INITIALISATIONS)
def test_global_generators_are_left_alone(x, method):
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    parts = {"likelihood": Gaussian("learned"), "corruption": GaussianNoise(), "penalty": "l1"}
    network, _ = started(x, method=method, encoder=Dense((20,), dropout=0.1), **parts)
    network.seed(Generator().manual_seed(0))
    sum(network.train().terms(torch.from_numpy(x)).values()).mean().backward()
    started(x, method=method, encoder=Dense((20,), norm="batch"))
    started(x, method=method, decoder="tied")
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(np.random.get_state()[1], numpy_before)  # noqa: NPY002


# -- what comes next -------------------------------------------------------------------------------------------------


def gradients_of_first_steps(network: Network, x: np.ndarray, steps: int) -> dict[str, Tensor]:
    """Take steps of Adam; return by parameter the largest absolute gradient of each entry."""
    rows = torch.from_numpy(x)
    largest = {name: torch.zeros_like(parameter) for name, parameter in network.named_parameters()}
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(steps):
        optimiser.zero_grad()
        sum(network.train().terms(rows).values()).mean().backward()
        for name, parameter in network.named_parameters():
            largest[name] = torch.maximum(largest[name], parameter.grad.abs())
        optimiser.step()
    return largest


@pytest.mark.parametrize(
    ("decoder", "variance"), [(None, "optimal"), (None, "learned"), (None, 0.5), ("tied", "optimal"), ("tied", 0.5)]
)
@pytest.mark.parametrize("hidden", [(8,), (40,), (40, 30)], ids=str)
@pytest.mark.parametrize("activation", ["relu", "silu", "gelu", "softplus"])
def test_every_parameter_learns_from_the_second_step(x, activation, hidden, decoder, variance):
    network, _ = started(x, encoder=Dense(hidden, activation), decoder=decoder, likelihood=Gaussian(variance))
    largest = gradients_of_first_steps(network, x, steps=2)
    assert {name for name, gradient in largest.items() if gradient.max() < 1e-6} == set()


@pytest.mark.parametrize("decoder", [None, "tied"])
@pytest.mark.parametrize("hidden", [(40,), (40, 30)], ids=str)
@pytest.mark.parametrize("activation", ["silu", "gelu", "softplus"])
def test_no_spare_unit_is_dead(x, activation, hidden, decoder):
    # A spare unit first learns to write, then the layer behind it to read, then it learns what to hold itself.
    network, _ = started(x, encoder=Dense(hidden, activation), decoder=decoder)
    for name, gradient in gradients_of_first_steps(network, x, steps=3).items():
        for dim in range(gradient.dim()):
            others = [other for other in range(gradient.dim()) if other != dim]
            assert (gradient.amax(others) if others else gradient).min() > 1e-9, (name, dim)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "elu"])
def test_every_parameter_learns_where_pca_is_near(x, activation):
    network, _ = started(x, encoder=Dense((6,), activation))
    largest = gradients_of_first_steps(network, x, steps=2)
    assert {name for name, gradient in largest.items() if gradient.max() < 1e-6} == set()


def test_training_goes_below_pca(x):
    network, _ = started(x, encoder=Dense((40,)), likelihood=Gaussian(0.5))
    gradients_of_first_steps(network, x, steps=100)
    assert error(reconstruction(network.eval(), x), x) < 0.95 * error(pca(x), x)


@pytest.mark.parametrize("method", INITIALISATIONS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_weights_keep_their_type(x, method, dtype):
    network, _ = started(x, method=method, dtype=dtype, encoder=Dense((20,)))
    assert {parameter.dtype for parameter in network.parameters()} == {dtype}
    assert all(parameter.requires_grad and parameter.is_leaf for parameter in network.parameters())


# -- under noise, and beside marks of what is hidden -----------------------------------------------------------------


def wiener(x: np.ndarray, noise: float, rank: int) -> np.ndarray:
    """Return the matrix C_k (C + σ²I)⁻¹, with which the best linear estimate of that rank multiplies centred rows."""
    variances, directions = np.linalg.eigh(np.cov(x.T, bias=True))
    kept, most = directions[:, -rank:], variances[-rank:]
    return kept @ np.diag(most / (most + noise)) @ kept.T


@pytest.mark.parametrize("decoder", [None, "tied"])
@pytest.mark.parametrize("latent", [K, F])
def test_under_noise_training_starts_at_the_wiener_filter(x, latent, decoder):
    network, how = started(
        x, latent, encoder=Dense((2 * F,)), decoder=decoder, likelihood=Gaussian(), corruption=GaussianNoise(0.7)
    )
    noisy = x + 0.7 * np.random.default_rng(1).normal(size=x.shape)
    expected = (noisy - x.mean(0)) @ wiener(x, 0.49, latent).T + x.mean(0)
    np.testing.assert_allclose(network.reconstruct(torch.from_numpy(noisy)).detach(), expected, atol=1e-7)
    assert how.startswith("pca (exact; shrunk by the noise, as the Wiener filter does")


def test_the_wiener_filter_is_the_regression_on_noisy_rows(x):
    covariance = np.cov(x.T, bias=True)
    expected = np.linalg.solve(covariance + 0.49 * np.eye(F), covariance)
    np.testing.assert_allclose(wiener(x, 0.49, F), expected, atol=1e-10)


def test_a_sigmoid_output_under_noise_starts_better_than_without_shrinkage(digits):
    errors = []
    for corruption in (GaussianNoise(0.5), None):
        network, _ = started(
            digits, 32, encoder=Dense((64,)), likelihood=Gaussian(activation="sigmoid"), corruption=corruption
        )
        noisy = digits + 0.5 * np.random.default_rng(1).normal(size=digits.shape)
        back = network.reconstruct(torch.from_numpy(noisy)).detach().numpy()
        errors.append(((back - digits) ** 2).mean())
    assert errors[0] < 0.8 * errors[1]


def test_noise_that_is_clipped_is_not_shrunk(x):
    plain, _ = started(x, likelihood=Gaussian())
    clipped, how = started(x, likelihood=Gaussian(), corruption=GaussianNoise(0.7, clip=(-9, 9)))
    rows = torch.from_numpy(x)
    torch.testing.assert_close(clipped.reconstruct(rows), plain.reconstruct(rows))
    assert "Wiener" not in how


@pytest.mark.parametrize("value", [0.0, -3.0])
def test_what_is_marked_as_hidden_counts_as_the_mean_at_the_start(x, value):
    network, how = started(x, likelihood=Gaussian(), corruption=Masking(0.3, value=value, mark=True))
    assert how == "pca (exact)"
    mask = np.random.default_rng(1).random(x.shape) < 0.3
    back = network.reconstruct(torch.from_numpy(np.where(mask, np.nan, x)))
    expected = network.reconstruct(torch.from_numpy(np.where(mask, x.mean(0), x)))
    torch.testing.assert_close(back, expected)
