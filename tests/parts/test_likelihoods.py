import itertools
import math

import numpy as np
import pytest
import torch
from torch import Generator, Tensor
from torch.distributions import Bernoulli as BernoulliDistribution
from torch.distributions import Normal, kl_divergence

from isthmus import AutoEncoder, Compute, load
from isthmus.core.modules import ACTIVATIONS
from isthmus.parts.likelihoods import Bernoulli, Gaussian

M, F = 7, 5
GAUSSIANS = [Gaussian(0.5), Gaussian("optimal"), Gaussian("learned")]


@pytest.fixture
def generator():
    return Generator().manual_seed(0)


@pytest.fixture
def x(generator) -> Tensor:
    return torch.randn(M, F, dtype=torch.float64, generator=generator)


@pytest.fixture
def x_hat(generator) -> Tensor:
    return torch.randn(M, F, dtype=torch.float64, generator=generator)


@pytest.fixture
def p(generator) -> Tensor:
    """Targets strictly inside (0, 1)."""
    return torch.rand(M, F, dtype=torch.float64, generator=generator) * 0.98 + 0.01


@pytest.fixture
def q(generator) -> Tensor:
    """Reconstructions strictly inside (0, 1)."""
    return torch.rand(M, F, dtype=torch.float64, generator=generator) * 0.98 + 0.01


def built(part, features: int = F):
    return part.build(features).double()


def gradient(loss: Tensor, of: Tensor) -> Tensor:
    return torch.autograd.grad(loss, of, create_graph=True)[0]


# -- the paper's equations -------------------------------------------------------------------------------------------


def test_equation_2_mean_squared_error_is_a_gaussian_of_variance_one_half(x, x_hat):
    equation_2 = (x - x_hat).square().sum(1).mean()
    constant = F / 2 * math.log(math.pi)
    torch.testing.assert_close(built(Gaussian(0.5)).nll(x, x_hat).mean() - constant, equation_2, rtol=1e-13, atol=0)


def test_equation_4_gradient_of_the_mean_squared_error(x, x_hat):
    x_hat.requires_grad_()
    found = gradient(built(Gaussian(0.5)).nll(x, x_hat).mean(), x_hat)
    torch.testing.assert_close(found, -2 / M * (x - x_hat), rtol=1e-13, atol=1e-15)


def test_mean_squared_error_is_least_at_the_target(x):
    likelihood = built(Gaussian(0.5))
    at = x.clone().requires_grad_()
    slope = gradient(likelihood.nll(x, at).mean(), at)
    assert (slope == 0).all()
    torch.testing.assert_close(gradient(slope.sum(), at), torch.full_like(x, 2 / M))


@pytest.mark.parametrize("binary", [True, False])
def test_equation_5_cross_entropy_summed_over_features_is_the_bernoulli(p, q, binary):
    x = p.round() if binary else p
    equation_5 = -(x * q.log() + (1 - x) * (1 - q).log()).sum(1).mean()
    likelihood = built(Bernoulli())
    torch.testing.assert_close(likelihood.nll(x, q.logit()).mean(), equation_5, rtol=1e-13, atol=0)
    if binary:
        log_prob = BernoulliDistribution(q).log_prob(x).sum(1)
        torch.testing.assert_close(likelihood.nll(x, q.logit()), -log_prob, rtol=1e-13, atol=0)


@pytest.mark.parametrize("binary", [True, False])
def test_equation_7_gradient_of_the_cross_entropy(p, q, binary):
    x = p.round() if binary else p
    q.requires_grad_()
    found = gradient(built(Bernoulli()).nll(x, q.logit()).mean(), q)
    torch.testing.assert_close(found, -1 / M * (x - q) / (q - q.square()), rtol=1e-12, atol=1e-13)


def test_gradient_on_the_logits_is_the_residual(p, q):
    theta = q.logit().requires_grad_()
    found = gradient(built(Bernoulli()).nll(p, theta).sum(), theta)
    torch.testing.assert_close(found, q - p, rtol=1e-12, atol=1e-14)


def test_cross_entropy_is_least_at_the_target_where_it_is_the_entropy(p, q):
    likelihood = built(Bernoulli())
    at = p.clone().requires_grad_()
    least = likelihood.nll(p, at.logit())
    assert gradient(least.sum(), at).abs().max() < 1e-12
    torch.testing.assert_close(least, BernoulliDistribution(p).entropy().sum(1), rtol=1e-13, atol=0)
    above = kl_divergence(BernoulliDistribution(p), BernoulliDistribution(q)).sum(1)
    torch.testing.assert_close(likelihood.nll(p, q.logit()) - least, above, rtol=1e-12, atol=1e-14)
    assert (above > 0).all()


def test_cross_entropy_is_convex_in_the_reconstruction():
    grid = torch.linspace(0.01, 0.99, 50, dtype=torch.float64)
    x, q = torch.cartesian_prod(grid, grid).split(1, dim=1)
    q.requires_grad_()
    slope = gradient(built(Bernoulli(), 1).nll(x, q.logit()).sum(), q)
    curvature = gradient(slope.sum(), q)
    torch.testing.assert_close(curvature, x / q.square() + (1 - x) / (1 - q).square(), rtol=1e-10, atol=0)
    assert curvature.min() > 0


# -- densities and probabilities -------------------------------------------------------------------------------------


# The variance is kept in float32 until the network is cast, so that 0.3 is only as good as float32 knows it.
@pytest.mark.parametrize(("variance", "precision"), [(0.5, 1e-13), (4, 1e-13), (0.3, 1e-7), (np.float32(0.3), 1e-7)])
def test_gaussian_of_a_fixed_variance(x, x_hat, variance, precision):
    expected = -Normal(x_hat, float(variance) ** 0.5).log_prob(x).sum(1)
    torch.testing.assert_close(built(Gaussian(variance)).nll(x, x_hat), expected, rtol=precision, atol=0)


def test_gaussian_of_a_learned_variance(x, x_hat, generator):
    log_variance = torch.randn(M, F, dtype=torch.float64, generator=generator)
    likelihood = built(Gaussian("learned"))
    assert likelihood.outputs == 2 * F
    theta = torch.cat([x_hat, log_variance], dim=1)
    expected = -Normal(x_hat, (1e-6 + log_variance.exp()).sqrt()).log_prob(x).sum(1)
    torch.testing.assert_close(likelihood.nll(x, theta), expected, rtol=1e-12, atol=0)
    assert torch.equal(likelihood.mean(theta), x_hat)


def test_gaussian_of_an_optimal_variance_in_training_takes_the_batch(x, x_hat):
    variance = (x - x_hat).square().mean()
    expected = -Normal(x_hat, variance.sqrt()).log_prob(x).sum(1)
    torch.testing.assert_close(built(Gaussian("optimal")).train().nll(x, x_hat), expected, rtol=1e-12, atol=0)


def test_gaussian_of_an_optimal_variance_in_evaluation_takes_the_one_that_was_set(x, x_hat):
    likelihood = built(Gaussian("optimal")).eval()
    likelihood.set_variance(2.25)
    expected = -Normal(x_hat, 1.5).log_prob(x).sum(1)
    torch.testing.assert_close(likelihood.nll(x, x_hat), expected, rtol=1e-12, atol=0)
    assert float(likelihood.variance) == 2.25


@pytest.mark.parametrize("part", GAUSSIANS, ids=lambda part: str(part.variance))
def test_gaussian_integrates_to_one(part):
    likelihood = built(part, 1).eval()
    likelihood.set_variance(0.7)
    grid = torch.linspace(-20, 20, 20_001, dtype=torch.float64)[:, None]
    theta = torch.tensor([[0.3, -0.4]], dtype=torch.float64)[:, : likelihood.outputs].expand(len(grid), -1)
    density = torch.exp(-likelihood.nll(grid, theta))
    assert float(torch.trapezoid(density, grid[:, 0])) == pytest.approx(1, abs=1e-10)


@pytest.mark.parametrize("features", [1, 2, 5])
def test_bernoulli_sums_to_one(features, generator):
    every = torch.tensor(list(itertools.product([0.0, 1.0], repeat=features)), dtype=torch.float64)
    theta = torch.randn(1, features, dtype=torch.float64, generator=generator).expand(len(every), -1)
    assert float(torch.exp(-built(Bernoulli(), features).nll(every, theta)).sum()) == pytest.approx(1, abs=1e-13)


@pytest.mark.parametrize("part", [*GAUSSIANS, Bernoulli()], ids=str)
def test_each_row_has_its_own_value(part, p, generator):
    likelihood = built(part).eval()
    theta = torch.randn(M, likelihood.outputs, dtype=torch.float64, generator=generator)
    nll = likelihood.nll(p, theta)
    assert nll.shape == (M,)
    assert likelihood.mean(theta).shape == (M, F)
    alone = torch.cat([likelihood.nll(p[i : i + 1], theta[i : i + 1]) for i in range(M)])
    torch.testing.assert_close(nll, alone, rtol=1e-13, atol=0)


# -- the optimal variance --------------------------------------------------------------------------------------------


def test_optimal_variance_has_the_gradient_of_half_log_mean_squared_error(x, x_hat):
    x_hat.requires_grad_()
    found = gradient(built(Gaussian("optimal")).train().nll(x, x_hat).mean(), x_hat)
    expected = gradient(F / 2 * (x - x_hat).square().mean().log(), x_hat)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-15)


def test_optimal_variance_of_a_weighted_batch_has_the_gradient_of_half_log_its_error(x, x_hat, generator):
    weight = torch.rand(M, dtype=torch.float64, generator=generator)
    x_hat.requires_grad_()
    nll = built(Gaussian("optimal")).train().nll(x, x_hat, weight)
    error = weight @ (x - x_hat).square().mean(1) / weight.sum()
    found, expected = gradient(weight @ nll / weight.sum(), x_hat), gradient(F / 2 * error.log(), x_hat)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-15)


def test_optimal_variance_is_better_than_any_other(x, x_hat):
    optimal = built(Gaussian("optimal")).train().nll(x, x_hat).mean()
    error = float((x - x_hat).square().mean())
    for factor in (0.5, 0.9, 1.1, 2.0):
        assert built(Gaussian(error * factor)).nll(x, x_hat).mean() > optimal


def test_optimal_variance_follows_the_batches_in_training_only(x, x_hat):
    likelihood = built(Gaussian("optimal"))
    error = float((x - x_hat).square().mean())
    for _ in range(2000):
        likelihood.train().nll(x, x_hat)
    assert float(likelihood.variance) == pytest.approx(error, rel=1e-6)
    likelihood.eval().nll(x, 100 + x_hat)
    assert float(likelihood.variance) == pytest.approx(error, rel=1e-6)


def test_variance_that_follows_the_batches_keeps_no_graph(x, x_hat):
    likelihood = built(Gaussian("optimal")).train()
    for _ in range(2):
        likelihood.nll(x, x_hat.requires_grad_()).mean().backward()
    assert not likelihood.variance.requires_grad


@pytest.mark.parametrize("part", [Gaussian(0.5), Gaussian("learned"), Bernoulli()], ids=str)
def test_set_variance_is_nothing_to_the_others(part, p, generator):
    likelihood = built(part).eval()
    theta = torch.randn(M, likelihood.outputs, dtype=torch.float64, generator=generator)
    before = likelihood.nll(p, theta)
    likelihood.set_variance(123.0)
    assert torch.equal(likelihood.nll(p, theta), before)


def test_floor_of_an_optimal_variance(x):
    likelihood = built(Gaussian("optimal", floor=0.01))
    at_floor = -Normal(x, 0.1).log_prob(x).sum(1)
    torch.testing.assert_close(likelihood.train().nll(x, x), at_floor, rtol=1e-12, atol=0)
    likelihood.set_variance(0.0)
    torch.testing.assert_close(likelihood.eval().nll(x, x), at_floor, rtol=1e-12, atol=0)


def test_floor_of_a_learned_variance(x):
    likelihood = built(Gaussian("learned", floor=0.01))
    theta = torch.cat([x, torch.full_like(x, -50)], dim=1)
    torch.testing.assert_close(likelihood.nll(x, theta), -Normal(x, 0.1).log_prob(x).sum(1), rtol=1e-12, atol=0)


@pytest.mark.parametrize("part", [*GAUSSIANS, Bernoulli()], ids=str)
def test_weighted_batch_is_a_batch_of_repeated_rows(part, p, generator):
    likelihood = built(part).train()
    theta = torch.randn(M, likelihood.outputs, dtype=torch.float64, generator=generator)
    times = torch.arange(M)
    weighted = likelihood.nll(p, theta, times.double())
    repeated = likelihood.nll(p.repeat_interleave(times, 0), theta.repeat_interleave(times, 0))
    torch.testing.assert_close(weighted.repeat_interleave(times), repeated, rtol=1e-12, atol=0)
    scaled = likelihood.nll(p, theta, 17.0 * times)
    torch.testing.assert_close(scaled, weighted, rtol=1e-12, atol=0)


@pytest.mark.parametrize("part", [Gaussian("optimal"), Gaussian(0.5), Bernoulli()], ids=str)
def test_variances_of_columns_have_no_place_in_the_others(part):
    assert part.build(3).spread_bias(torch.ones(3)).shape == (0,)


def test_spread_bias_gives_each_column_its_variance(x, x_hat):
    variances = torch.tensor([0.0, 1e-9, 0.5, 1.0, 30.0], dtype=torch.float64)
    likelihood = built(Gaussian("learned", floor=1e-4))
    bias = likelihood.spread_bias(variances)
    torch.testing.assert_close(1e-4 + bias.exp(), variances.clamp_min(2e-4))
    theta = torch.cat([x_hat, bias.expand(M, -1)], dim=1)
    expected = -Normal(x_hat, variances.clamp_min(2e-4).sqrt()).log_prob(x).sum(1)
    torch.testing.assert_close(likelihood.nll(x, theta), expected, rtol=1e-12, atol=0)


# -- numbers that computers have -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bernoulli_of_extreme_logits(dtype):
    theta = torch.tensor([[1e4], [-1e4], [1e4], [-1e4], [1e4]], dtype=dtype, requires_grad=True)
    x = torch.tensor([[1.0], [0.0], [0.0], [1.0], [0.25]], dtype=dtype)
    nll = Bernoulli().build(1).to(dtype).nll(x, theta)
    torch.testing.assert_close(nll, torch.tensor([0, 0, 1e4, 1e4, 7500], dtype=dtype))
    slope = torch.tensor([0, 0, 1, -1, 0.75], dtype=dtype)[:, None]
    torch.testing.assert_close(gradient(nll.sum(), theta), slope)


@pytest.mark.parametrize("part", GAUSSIANS, ids=lambda part: str(part.variance))
@pytest.mark.parametrize("extreme", [1e4, -1e4])
def test_gaussian_of_extreme_outputs(part, extreme):
    likelihood = part.build(2).train()
    theta = torch.full((3, likelihood.outputs), extreme, requires_grad=True)
    nll = likelihood.nll(torch.zeros(3, 2), theta)
    assert nll.dtype == torch.float32
    assert torch.isfinite(nll).all()
    assert torch.isfinite(gradient(nll.sum(), theta)).all()


@pytest.mark.parametrize("part", [*GAUSSIANS, Bernoulli()], ids=str)
def test_single_precision_agrees_with_double(part, p, generator):
    theta = torch.randn(M, part.build(F).outputs, dtype=torch.float64, generator=generator)
    single = part.build(F).nll(p.float(), theta.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), built(part).nll(p, theta), rtol=1e-5, atol=1e-6)


# -- the output's activation -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("variance", [0.5, "optimal", "learned"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_of_the_mean_and_of_nothing_else(name, variance, x, x_hat):
    plain, shaped = built(Gaussian(variance)).eval(), built(Gaussian(variance, activation=name)).eval()
    spread = x_hat.flip(0)[:, : plain.outputs - F] if variance == "learned" else x_hat[:, :0]
    mean = ACTIVATIONS[name].function(x_hat)
    theta = torch.cat([x_hat, spread], dim=1)
    torch.testing.assert_close(shaped.mean(theta), mean)
    torch.testing.assert_close(shaped.nll(x, theta), plain.nll(x, torch.cat([mean, spread], dim=1)))
    assert shaped.activation == name


def test_mean_of_the_bernoulli_is_a_probability(q):
    likelihood = Bernoulli().build(F)
    torch.testing.assert_close(likelihood.mean(q.logit()), q, rtol=1e-13, atol=0)
    assert likelihood.activation == "sigmoid"
    assert likelihood.support == (0, 1)
    assert not likelihood.density
    assert likelihood.outputs == F


@pytest.mark.parametrize("part", GAUSSIANS, ids=lambda part: str(part.variance))
def test_gaussian_is_a_density_on_the_real_line(part):
    likelihood = part.build(F)
    assert likelihood.support == (-math.inf, math.inf)
    assert likelihood.density


# -- what cannot be --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, -1.0, math.nan, math.inf, True, None, "optimum", "0.5", [0.5]])
def test_variance_that_cannot_be(value):
    with pytest.raises(ValueError, match="variance of Gaussian must be a positive number") as error:
        Gaussian(variance=value).build(3)
    assert repr(value) in str(error.value)


@pytest.mark.parametrize("value", [0, -1e-6, math.nan, math.inf, True, None, "small"])
def test_floor_that_cannot_be(value):
    with pytest.raises(ValueError, match="floor of Gaussian must be a positive number; got "):
        Gaussian(floor=value).build(3)


def test_activation_that_is_not_known():
    with pytest.raises(ValueError, match="unknown activation 'sigmoyd'; did you mean 'sigmoid'"):
        Gaussian(activation="sigmoyd").build(3)


def test_nothing_is_refused_before_it_is_built():
    assert Gaussian(variance=-1, activation="none", floor=0).get_params() == {
        "variance": -1,
        "activation": "none",
        "floor": 0,
    }


# -- a variance a column -----------------------------------------------------------------------------------------------


def column_errors(x, x_hat, weight=None):
    weight = torch.ones(len(x), dtype=x.dtype) if weight is None else weight
    return weight @ (x - x_hat).square() / weight.sum()


@pytest.mark.parametrize("weighted", [False, True])
def test_variances_of_columns_are_their_squared_errors_in_training(x, x_hat, weighted, generator):
    weight = torch.rand(M, dtype=torch.float64, generator=generator) if weighted else None
    likelihood = built(Gaussian("columns")).train()
    expected = -Normal(x_hat, column_errors(x, x_hat, weight).sqrt()).log_prob(x)
    torch.testing.assert_close(likelihood.columns(x, x_hat, weight), expected)
    torch.testing.assert_close(likelihood.nll(x, x_hat, weight), expected.sum(1))
    for _ in range(2000):
        likelihood.nll(x, x_hat, weight)
    torch.testing.assert_close(likelihood.variance, column_errors(x, x_hat, weight), rtol=1e-6, atol=0)


def test_variances_of_columns_have_the_gradient_of_half_the_log_of_their_errors(x, x_hat):
    x_hat.requires_grad_()
    found = gradient(built(Gaussian("columns")).train().nll(x, x_hat).mean(), x_hat)
    expected = gradient(0.5 * column_errors(x, x_hat).log().sum(), x_hat)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-15)


def test_variances_of_columns_in_evaluation_are_those_that_were_set(x, x_hat):
    likelihood = built(Gaussian("columns")).eval()
    spread = torch.arange(1, F + 1, dtype=torch.float64) / 2
    likelihood.set_spread(spread)
    expected = -Normal(x_hat, spread.sqrt()).log_prob(x)
    torch.testing.assert_close(likelihood.columns(x, x_hat), expected, rtol=1e-12, atol=0)
    torch.testing.assert_close(likelihood.nll(x, x_hat), expected.sum(1), rtol=1e-12, atol=0)
    cells = (x > 0).double()
    torch.testing.assert_close(likelihood.nll(x, x_hat, cells=cells), (expected * cells).sum(1), rtol=1e-12, atol=0)
    likelihood.set_variance(123.0)
    assert torch.equal(likelihood.variance, spread)
    drawn = likelihood.sample(torch.zeros(40_000, F, dtype=torch.float64), Generator().manual_seed(1))
    torch.testing.assert_close(drawn.var(0), spread, rtol=0.05, atol=0)


def test_spread_of_the_other_variances(x):
    errors = torch.arange(1, F + 1, dtype=torch.float64)
    for variance, expected in (("optimal", 3.0), (0.5, 0.5)):
        likelihood = built(Gaussian(variance))
        likelihood.set_spread(errors)
        assert float(likelihood.variance) == expected


def test_floor_of_variances_of_columns(x):
    likelihood = built(Gaussian("columns", floor=0.01))
    at_floor = -Normal(x, 0.1).log_prob(x).sum(1)
    torch.testing.assert_close(likelihood.train().nll(x, x), at_floor, rtol=1e-12, atol=0)
    likelihood.set_spread(torch.zeros(F, dtype=torch.float64))
    torch.testing.assert_close(likelihood.eval().nll(x, x), at_floor, rtol=1e-12, atol=0)


@pytest.mark.parametrize("activation", ["identity", "sigmoid"])
def test_variances_of_columns_go_through_a_model_file(tmp_path, activation):
    spread = np.array([0.01, 0.1, 0.3, 0.05])
    random = np.random.default_rng(0)
    X = (random.uniform(size=(300, 1)) + spread * random.normal(size=(300, 4))).clip(0, 1)
    likelihood = Gaussian("columns", activation=activation)
    settings = {"scale": "none"} if activation == "sigmoid" else {}
    model = AutoEncoder(
        latent=1, hidden=(8,), likelihood=likelihood, epochs=5, random_state=0, compute=Compute(threads=1), **settings
    )
    model.fit(X)
    variance = model.network_.likelihood.variance
    assert variance.shape == (4,)
    assert len(set(variance.tolist())) == 4
    model.save(tmp_path / "model.isthmus")
    same = load(tmp_path / "model.isthmus")
    assert torch.equal(same.network_.likelihood.variance, variance)
    assert same.likelihood == likelihood
    np.testing.assert_array_equal(same.score_samples(X), model.score_samples(X))
    scale = model.scaling_.scale.numpy()
    expected = Normal(torch.from_numpy(model.reconstruct(X)), variance.sqrt() * torch.from_numpy(np.ravel(scale)))
    np.testing.assert_allclose(model.score_samples(X), expected.log_prob(torch.from_numpy(X)).sum(1), rtol=1e-4)
    np.testing.assert_allclose(model.score_columns(X).sum(1), model.score_samples(X), rtol=1e-4)
    assert model.partial_fit(X).n_iter_ > 1


@pytest.mark.parametrize("mode", ["optimal", "columns"])
def test_an_optimal_variance_is_that_of_the_cells_that_count(x, x_hat, mode):
    cells = (torch.arange(F) < 3).double().expand(M, F)
    whole, few = Gaussian(mode).build(F).train(), Gaussian(mode).build(3).train()
    assert whole.mode == mode
    # Errors elsewhere are without influence.
    off = x_hat + 100 * (1 - cells)
    weight = torch.arange(M, dtype=torch.float64) + 1
    torch.testing.assert_close(
        whole.nll(x, off, weight, cells=cells), few.nll(x[:, :3], x_hat[:, :3], weight), rtol=1e-10, atol=0
    )


@pytest.mark.parametrize("mode", ["optimal", "columns"])
def test_equal_weights_of_cells_are_none(x, x_hat, mode):
    plain, weighed = Gaussian(mode).build(F).train(), Gaussian(mode).build(F).train()
    torch.testing.assert_close(weighed.nll(x, x_hat, cells=torch.ones(M, F).double()), plain.nll(x, x_hat))
    torch.testing.assert_close(weighed.variance, plain.variance)
