import pytest
import torch
from torch import Generator
from torch.distributions import Normal, kl_divergence

from isthmus import KL, AutoEncoder
from isthmus.core.contract import Code, Step
from isthmus.core.divergences import from_standard_normal
from isthmus.parts.priors import StandardNormal

B, K = 6, 3


def posterior(seed=0):
    generator = Generator().manual_seed(seed)
    mean = torch.randn(B, K, dtype=torch.float64, generator=generator)
    return Normal(mean, torch.rand(B, K, dtype=torch.float64, generator=generator) + 0.1)


def step_of(q, weight=None):
    x = torch.zeros(len(q.mean), 5, dtype=torch.float64)
    return Step(x, x, Code(q.mean, q.mean, q), x, weight)


def penalty(**parameters):
    return KL(**parameters).build(5, K)


def test_divergence_is_torchs():
    expected = kl_divergence(posterior(), Normal(torch.zeros(1), torch.ones(1)))
    torch.testing.assert_close(from_standard_normal(posterior()), expected.double())


def test_divergence_is_the_mean_log_ratio_of_draws():
    q = posterior()
    torch_generator = Generator().manual_seed(1)
    noise = torch.randn(100_000, B, K, dtype=torch.float64, generator=torch_generator)
    z = q.mean + q.stddev * noise
    ratio = q.log_prob(z) - Normal(0.0, 1.0).log_prob(z)
    error = (ratio.mean(0) - from_standard_normal(q)).abs()
    assert bool((error < 5 * ratio.std(0) / 100_000**0.5).all())


def test_beta_and_sum_over_the_code():
    expected = 3 * from_standard_normal(posterior()).sum(1)
    torch.testing.assert_close(penalty(beta=3)(step_of(posterior()), None), expected)


@pytest.mark.parametrize(("progress", "share"), [(0, 0), (0.1, 0.5), (0.2, 1), (1, 1)])
def test_warm_up(progress, share):
    module = penalty(warm_up=0.2)
    full = module(step_of(posterior()), None)
    module.begin(progress)
    torch.testing.assert_close(module(step_of(posterior()), None), share * full)


def test_free_bits_cost_and_pull_nothing():
    q = posterior()
    log_variance = (2 * q.stddev.log()).requires_grad_()
    mean = q.mean.clone().requires_grad_()
    q = Normal(mean, torch.exp(0.5 * log_variance))
    each = from_standard_normal(q).mean(0).detach()
    free = float(each.median())
    found = penalty(free_bits=free)(step_of(q), None)
    assert found.mean().item() == pytest.approx(float(each.clamp_min(free).sum()))
    found.sum().backward()
    assert torch.equal(mean.grad.abs().sum(0) == 0, each <= free)


def test_capacity_asks_for_so_many_nats():
    total = from_standard_normal(posterior()).sum(1).mean()
    for capacity in (0.0, float(total), 100.0):
        found = penalty(beta=10, capacity=capacity)(step_of(posterior()), None)
        torch.testing.assert_close(found, (10 * (total - capacity).abs()).expand(B))


def test_weights_count_rows_in_free_bits_and_capacity():
    q = posterior()
    weight = torch.tensor([1.0, 2, 1, 1, 3, 1], dtype=torch.float64)
    times = weight.long()
    repeated = Normal(q.mean.repeat_interleave(times, 0), q.stddev.repeat_interleave(times, 0))
    for parameters in ({"free_bits": 0.5}, {"capacity": 2.0}):
        weighted = penalty(**parameters)(step_of(q, weight), None)
        plain = penalty(**parameters)(step_of(repeated), None)
        torch.testing.assert_close((weight @ weighted) / weight.sum(), plain.mean())


def test_prior_is_standard_normal():
    drawn = StandardNormal().sample(50_000, 2, Generator().manual_seed(0), torch.empty(0, dtype=torch.float64))
    assert bool((drawn.mean(0).abs() < 5 / 50_000**0.5).all())
    torch.testing.assert_close(torch.cov(drawn.T), torch.eye(2, dtype=torch.float64), atol=0.03, rtol=0)


@pytest.mark.parametrize("penalty", ["kl", "total_correlation"])
def test_a_code_without_a_posterior_fails_before_training(penalty):
    message = "needs a code with a posterior q.z.x., and Deterministic has none: take code='gaussian'"
    with pytest.raises(ValueError, match=message):
        AutoEncoder(2, penalty=penalty).fit(torch.rand(20, 4, generator=Generator().manual_seed(0)).numpy())


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (KL(beta=-1), "beta of KL must be a number of at least 0"),
        (KL(warm_up=1), "warm_up of KL must be a number in"),
        (KL(free_bits=-1), "free_bits of KL"),
        (KL(capacity=-1), "capacity of KL"),
    ],
)
def test_parameters_that_cannot_be(part, message):
    with pytest.raises(ValueError, match=message):
        part.build(5, K)
