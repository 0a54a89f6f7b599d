"""What holds for every likelihood; one that is registered and has no case of its own is tried with its defaults."""

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from sklearn._loss import HalfBinomialLoss, HalfPoissonLoss, HalfSquaredError
from torch import Generator

from isthmus import (
    Bernoulli,
    Categorical,
    ContinuousBernoulli,
    Gaussian,
    Laplace,
    Mixed,
    Multinomial,
    NegativeBinomial,
    Poisson,
    StudentT,
)
from isthmus.core import registry
from isthmus.core.likelihood import LikelihoodModule
from isthmus.parts.counts import log_factorial

F = 3
CASES = {
    "gaussian": Gaussian(0.7),
    "gaussian-learned": Gaussian("learned"),
    "gaussian-columns": Gaussian("columns"),
    "bernoulli": Bernoulli(),
    "continuous_bernoulli": ContinuousBernoulli(),
    "laplace": Laplace(0.6),
    "laplace-learned": Laplace("learned"),
    "student_t": StudentT(5.0, 0.6),
    "student_t-learned": StudentT(5.0, "learned"),
    "poisson": Poisson(),
    "negative_binomial": NegativeBinomial(),
    "multinomial": Multinomial(),
    "categorical": Categorical((1, 2)),
    "mixed": Mixed((Bernoulli(), StudentT(5.0, 0.6), Poisson()), (1, 1, 1)),
    "mixed-real": Mixed((Laplace(0.6), Gaussian("columns")), (1, 2)),
}
TRIED = {type(part) for part in CASES.values()}
CASES |= {name: kind.for_columns((1,) * F) for name, kind in registry.parts("likelihood").items() if kind not in TRIED}
every = pytest.mark.parametrize("name", CASES)
DENSITIES = [name for name, part in CASES.items() if part.build(F).density]


def built(name):
    return CASES[name].build(F).double().eval()


def theta_of(name, rows=4, seed=0):
    generator = Generator().manual_seed(seed)
    return torch.randn(rows, built(name).outputs, dtype=torch.float64, generator=generator)


def drawn(name, theta, seed=1):
    return built(name).sample(theta, Generator().manual_seed(seed))


@every
def test_gradients_are_right(name):
    theta = theta_of(name)
    x = drawn(name, theta)
    # Off the corner of the absolute value.
    x = x + 0.1 if name.startswith("laplace") or name == "mixed-real" else x
    assert torch.autograd.gradcheck(lambda at: built(name).nll(x, at), theta.requires_grad_())


@every
@pytest.mark.parametrize("stretch", [1.0, 30.0])
def test_the_derivative_of_the_deviance_loss_is_right(name, stretch):
    """`stretch` reaches outputs that are held at their bounds."""
    likelihood, theta = built(name), stretch * theta_of(name, rows=7)
    x = drawn(name, theta_of(name, rows=7))
    if isinstance(CASES[name], Mixed):
        x[::3, 1] = torch.nan
    weight = torch.rand(x.shape, dtype=x.dtype, generator=Generator().manual_seed(2))
    arrays = [of.t().contiguous().numpy() for of in (x, theta, weight)]
    found = [np.empty_like(arrays[0]), np.empty_like(arrays[1])]
    likelihood.deviance_loss_and_gradient(*arrays, *found)
    at = theta.clone().requires_grad_()
    losses = likelihood.deviance_loss(x, at)
    expected = [losses.detach(), torch.autograd.grad((losses * weight).sum(), at)[0]]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.T, other, rtol=1e-6, atol=1e-6)


@every
def test_nll_is_the_sum_of_its_cells_and_cells_can_be_weighed(name):
    theta = theta_of(name)
    x = drawn(name, theta)
    likelihood = built(name)
    columns = likelihood.columns(x, theta)
    assert columns.shape == x.shape
    torch.testing.assert_close(likelihood.nll(x, theta), columns.sum(1))
    cells = torch.rand(x.shape, dtype=x.dtype, generator=Generator().manual_seed(2))
    torch.testing.assert_close(likelihood.nll(x, theta, cells=cells), (cells * columns).sum(1))


@pytest.mark.parametrize("name", DENSITIES)
def test_density_integrates_to_one_and_has_that_mean(name):
    likelihood, theta = built(name), theta_of(name, rows=1)
    low, high = likelihood.support
    low, high = (low, high) if np.isfinite(high) else (-80, 80)

    def density(value):
        x = torch.full((1, F), float(value), dtype=torch.float64)
        return float(torch.exp(-likelihood.columns(x, theta)[0, 1]))

    centre = float(likelihood.mean(theta)[0, 1])
    points = [centre] if low < centre < high else None
    total, _ = integrate.quad(density, low, high, points=points, limit=400)
    mean, _ = integrate.quad(lambda v: v * density(v), low, high, points=points, limit=400)
    assert total == pytest.approx(1, abs=1e-6)
    assert mean == pytest.approx(centre, abs=2e-4)


@pytest.mark.parametrize("name", ["poisson", "negative_binomial"])
def test_counts_sum_to_one_and_have_that_mean(name):
    likelihood, theta = built(name), theta_of(name, rows=1)
    counts = torch.arange(4000, dtype=torch.float64)[:, None].expand(-1, F)
    probability = torch.exp(-likelihood.columns(counts, theta.expand(4000, -1)))
    torch.testing.assert_close(probability.sum(0), torch.ones(F, dtype=torch.float64))
    torch.testing.assert_close((counts * probability).sum(0), likelihood.mean(theta)[0])


@pytest.mark.parametrize("total", [1, 2, 5])
def test_outcomes_of_a_multinomial_sum_to_one(total):
    likelihood, theta = built("multinomial"), theta_of("multinomial", rows=1)
    pairs = [(a, b, total - a - b) for a in range(total + 1) for b in range(total + 1 - a)]
    outcomes = torch.tensor(pairs, dtype=torch.float64)
    nll = likelihood.nll(outcomes, theta.expand(len(pairs), -1))
    assert float(torch.exp(-nll).sum()) == pytest.approx(1)
    expected = [stats.multinomial.logpmf(row, total, theta.softmax(1)[0].numpy()) for row in pairs]
    np.testing.assert_allclose(-nll.numpy(), expected)


@pytest.mark.parametrize("name", ["bernoulli", "categorical"])
def test_outcomes_of_categories_sum_to_one(name):
    likelihood, theta = built(name), theta_of(name, rows=1)
    outcomes = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * F)
    if name == "categorical":
        outcomes = outcomes[(outcomes[:, 0] == 1) & (outcomes[:, 1:].sum(1) == 1)]
    assert float(torch.exp(-likelihood.nll(outcomes, theta.expand(len(outcomes), -1))).sum()) == pytest.approx(1)


@every
def test_draws_have_the_mean_and_are_legal(name):
    rows = 40_000
    likelihood, theta = built(name), theta_of(name, rows=1).expand(rows, -1) * 0.7
    x = drawn(name, theta)
    low, high = likelihood.support
    assert bool(((x >= low) & (x <= high)).all())
    assert not likelihood.whole or bool((x == x.round()).all())
    error = (x.mean(0) - likelihood.mean(theta)[0]).abs()
    assert bool((error < 5 * x.std(0) / rows**0.5 + 1e-12).all())
    np.testing.assert_array_equal(drawn(name, theta), x)
    assert name == "categorical" or not torch.equal(drawn(name, theta, seed=3), x)


@every
def test_draws_have_the_entropy_that_nll_says(name):
    """The mean of -log p over draws is least at the parameters they come from."""
    theta = theta_of(name, rows=1).expand(20_000, -1) * 0.5
    x = drawn(name, theta)
    likelihood = built(name)
    here = likelihood.nll(x, theta).mean()
    for seed in range(3):
        step = 0.3 * torch.randn(theta.shape[1], dtype=torch.float64, generator=Generator().manual_seed(seed))
        assert likelihood.nll(x, theta + step).mean() > here - 1e-9


@every
def test_start_bias_gives_the_means(name):
    likelihood = built(name)
    mean = torch.tensor([1.0, 0.3, 0.7], dtype=torch.float64)
    if name in ("bernoulli", "continuous_bernoulli", "multinomial", "mixed"):
        mean = torch.tensor([0.5, 0.2, 0.3], dtype=torch.float64)
    bias = likelihood.start_bias(mean, 2 * mean)
    assert bias.shape == (likelihood.outputs,)
    torch.testing.assert_close(likelihood.mean(bias[None])[0], mean, rtol=2e-3, atol=2e-3)


@every
@pytest.mark.parametrize("size", [-60.0, 60.0])
def test_extreme_parameters_give_finite_numbers_and_slopes(name, size):
    theta = torch.full((2, built(name).outputs), size, dtype=torch.float32, requires_grad=True)
    x = drawn(name, theta_of(name, rows=2)).float()
    nll = CASES[name].build(F).nll(x, theta)
    nll.sum().backward()
    assert torch.isfinite(nll).all()
    assert torch.isfinite(theta.grad).all()


SCIPY = {
    "laplace": lambda x, t: stats.laplace.logpdf(x, t, 0.6),
    "student_t": lambda x, t: stats.t.logpdf(x, 5.0, t, 0.6),
    "poisson": lambda x, t: stats.poisson.logpmf(x, np.exp(t)),
    "gaussian": lambda x, t: stats.norm.logpdf(x, t, 0.7**0.5),
}


@pytest.mark.parametrize("name", SCIPY)
def test_scipy_says_the_same(name):
    theta = theta_of(name)
    x = drawn(name, theta)
    np.testing.assert_allclose(-built(name).columns(x, theta), SCIPY[name](x.numpy(), theta.numpy()), rtol=1e-10)


def test_scipy_says_the_same_of_negative_binomials():
    theta = theta_of("negative_binomial")
    x = drawn("negative_binomial", theta)
    mean, shape = np.exp(theta[:, :F].numpy()), np.exp(theta[:, F:].numpy())
    expected = stats.nbinom.logpmf(x.numpy(), shape, shape / (shape + mean))
    np.testing.assert_allclose(-built("negative_binomial").columns(x, theta), expected, rtol=1e-9)


def test_torch_says_the_same_of_continuous_bernoullis():
    theta = torch.linspace(-8, 8, 60, dtype=torch.float64)[:, None]
    x = torch.rand(60, 1, dtype=torch.float64, generator=Generator().manual_seed(0))
    likelihood = ContinuousBernoulli().build(1)
    reference = torch.distributions.ContinuousBernoulli(logits=theta, lims=(0.4999, 0.5001))
    torch.testing.assert_close(-likelihood.columns(x, theta), reference.log_prob(x), rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(likelihood.mean(theta), reference.mean, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [Laplace, StudentT])
def test_optimal_scale_is_learned_from_batches(kind):
    likelihood = kind().build(1).double().train()
    errors = 0.3 * likelihood.standard_sample(torch.empty(200_000, 1), Generator().manual_seed(0)).double()
    for batch in errors.split(250):
        likelihood.columns(batch, torch.zeros_like(batch))
    for batch in errors.split(250):
        likelihood.columns(batch, torch.zeros_like(batch))
    assert float(likelihood.scale) == pytest.approx(0.3, rel=0.03)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (Laplace(0), "scale of Laplace must be a positive number"),
        (Laplace("optimum"), "'optimal' or 'learned'; got 'optimum'"),
        (StudentT(2.0), "df of StudentT must be above 2"),
        (StudentT(activation="x"), "unknown activation"),
        (Categorical((2, 2)), "sizes of Categorical must sum to the 3 columns"),
        (Categorical(("a",)), "sizes of Categorical must be a whole number"),
    ],
)
def test_parameters_that_cannot_be(part, message):
    with pytest.raises(ValueError, match=message):
        part.build(F)


@pytest.mark.parametrize("largest", [1, 2, 40])
@pytest.mark.parametrize("rate", [0.01, 0.3, 20.0])
def test_log_factorial_of_few_and_of_many_counts(rate, largest):
    x = torch.poisson(torch.full((40, 30), rate), generator=torch.Generator().manual_seed(0)).clamp_max(largest)
    torch.testing.assert_close(log_factorial(x), torch.lgamma(x + 1), rtol=0, atol=1e-6)
    assert log_factorial(torch.full((9, 1), 0.5)).allclose(torch.lgamma(torch.tensor(1.5)))


# -- deviance ----------------------------------------------------------------------------------------------------------

SINGLE = [name for name in CASES if not name.startswith("mixed")]


def at_perfect(name, x):
    """Return outputs whose mean is x, or near it where the outputs of x are infinite."""
    if name == "multinomial":
        return (x / x.sum(1, keepdim=True)).clamp_min(1e-13).log()
    if name == "categorical":
        return x.clamp_min(1e-13).log()
    if name == "bernoulli":
        return 40 * (2 * x - 1)
    if name == "continuous_bernoulli":
        return built(name).start_bias(x, x)
    if name in ("poisson", "negative_binomial"):
        return torch.cat([x.clamp_min(1e-9).log(), theta_of(name, len(x))[:, F:]], 1)
    return torch.cat([x, theta_of(name, len(x))[:, F:]], 1)


def legal(name, rows=50):
    x = drawn(name, theta_of(name, rows))
    # Means of 0 and 1 are out of reach of a continuous Bernoulli's clamped logits.
    return x.clamp(0.05, 0.95) if name == "continuous_bernoulli" else x


@every
def test_half_deviance_is_at_least_nothing(name):
    theta = theta_of(name, rows=50)
    deviance = built(name).half_deviance(drawn(name, theta), theta)
    assert deviance.shape == (50, F)
    assert bool((deviance >= 0).all())


@pytest.mark.parametrize("name", SINGLE)
def test_half_deviance_is_nothing_for_a_perfect_reconstruction(name):
    x, likelihood = legal(name), built(name)
    perfect = at_perfect(name, x)
    assert float(likelihood.half_deviance(x, perfect).max()) < 2e-8
    assert bool((likelihood.half_deviance(x, perfect + torch.linspace(0, 1, perfect.shape[1])) > 0).any())


@pytest.mark.parametrize("name", [name for name in SINGLE if name not in ("laplace-learned", "student_t-learned")])
def test_half_deviance_has_the_gradient_of_the_score_in_the_mean(name):
    """They differ by what does not depend on the mean; a Gaussian's is at scale 1, a Laplace's at its own."""
    likelihood, theta = built(name), theta_of(name, rows=20).requires_grad_()
    x = legal(name, 20) + (0.1 if name == "laplace" else 0)
    scale = 1 / likelihood.variances(theta.detach()) if name.startswith("gaussian") else torch.ones(20, F)
    (of_deviance,) = torch.autograd.grad((likelihood.half_deviance(x, theta) * scale).sum(), theta)
    (of_score,) = torch.autograd.grad(likelihood.columns(x, theta).sum(), theta)
    torch.testing.assert_close(of_deviance[:, :F], of_score[:, :F], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("name", "loss"), [("poisson", HalfPoissonLoss), ("bernoulli", HalfBinomialLoss), ("gaussian", HalfSquaredError)]
)
def test_scikit_learn_says_the_same_of_deviances(name, loss):
    theta = theta_of(name)
    x = drawn(name, theta)
    known = loss()
    y, raw = x.numpy().ravel(), theta.numpy().ravel()
    least = known.constant_to_optimal_zero(y)
    expected = known.loss(y_true=y, raw_prediction=raw) + least
    np.testing.assert_allclose(built(name).half_deviance(x, theta).ravel(), expected, atol=1e-12)


@every
def test_deviance_loss_teaches_every_output(name):
    """Its gradient is the score's, but for what does not depend on the outputs and for the scales of real values."""
    likelihood, theta = built(name), theta_of(name, rows=20).requires_grad_()
    x = legal(name, 20)
    assert likelihood.deviance_loss(x, theta).shape == (20, F)
    if not name.startswith(("gaussian", "laplace", "student", "mixed", "multinomial")):
        (of_loss,) = torch.autograd.grad(likelihood.deviance_loss(x, theta).sum(), theta)
        (of_score,) = torch.autograd.grad(likelihood.columns(x, theta).sum(), theta)
        torch.testing.assert_close(of_loss, of_score, rtol=1e-6, atol=1e-8)


def test_deviance_loss_of_negative_binomials_is_the_least_where_counts_are_certain():
    """A mean of x and a large shape, a Poisson's, is the best; half deviance alone would favour a small shape."""
    likelihood = built("negative_binomial")
    x = torch.tensor([[0.0, 3.0, 12.0]], dtype=torch.float64)
    best = torch.cat([x.clamp_min(1e-9).log(), torch.full_like(x, 8)], 1)
    assert bool((likelihood.deviance_loss(x, best) >= 0).all())
    assert float(likelihood.deviance_loss(x, best).max()) < 3e-3


# -- what else a contract asks -----------------------------------------------------------------------------------------


@every
def test_draws_have_the_variance(name):
    rows = 40_000
    likelihood, theta = built(name), theta_of(name, rows=1).expand(rows, -1) * 0.7
    x = drawn(name, theta)
    variances = likelihood.variances(theta)
    assert variances.shape == (rows, F)
    error = (x.var(0) - variances[0]).abs()
    of_variance = (x - x.mean(0)).square().std(0) / rows**0.5
    assert bool((error < 5 * of_variance + 1e-12).all())


@every
def test_groups_make_up_the_cells(name):
    likelihood = built(name)
    assert sum(likelihood.groups(F)) == F
    assert likelihood.blocked == (name == "categorical")


def test_every_registered_likelihood_is_tried_here():
    assert {type(part) for part in CASES.values()} == set(registry.parts("likelihood").values())


@pytest.mark.parametrize("entry", registry.column_likelihoods().values(), ids=lambda entry: entry.name)
def test_likelihoods_of_columns_build_for_columns(entry):
    sizes = (2, 3) if entry.column == "category" else (1, 1, 1)
    module = entry.kind.for_columns(sizes).build(sum(sizes))
    assert module.groups(sum(sizes)) == sizes
    assert module.blocked == (entry.column == "category")


class Logistic(LikelihoodModule):
    """A user's likelihood, with no more than it must have."""

    activation = "identity"

    def __init__(self, features):
        super().__init__()
        self.outputs = features

    def mean(self, theta):
        return theta

    def columns(self, x, theta, weight=None):
        return x - theta + 2 * torch.nn.functional.softplus(theta - x)


def test_defaults_of_the_contract():
    likelihood = Logistic(F)
    theta = theta_of("gaussian")
    x = theta + 0.5
    half_deviance = likelihood.half_deviance(x, theta)
    torch.testing.assert_close(half_deviance, likelihood.columns(x, theta) - 2 * np.log(2))
    assert (likelihood.half_deviance(x, x) == 0).all()
    torch.testing.assert_close(likelihood.deviance_loss(x, theta), half_deviance)
    torch.testing.assert_close(likelihood.nll(x, theta), likelihood.columns(x, theta).sum(1))
    assert (likelihood.deviance_ratios(x, theta), likelihood.loss_ratios(x, theta)) == (None, None)


@pytest.mark.parametrize("method", ["sample", "variances"])
def test_what_a_likelihood_lacks_is_named(method):
    likelihood = Logistic(F)
    likelihood.made_by = "Logistic"
    arguments = (torch.zeros(1, F), None)[: 2 if method == "sample" else 1]
    with pytest.raises(NotImplementedError, match=rf"the likelihood Logistic lacks `{method}\("):
        getattr(likelihood, method)(*arguments)
