import pytest
import torch
from torch import Generator

from isthmus import AutoEncoder, BatchTopK, LifetimeSparse, TopK
from isthmus.parts.sparse_codes import RISE, Lift, RunningThreshold

K = 12


def inputs(rows=50, seed=0):
    return torch.randn(rows, K, dtype=torch.float64, generator=Generator().manual_seed(seed))


@pytest.mark.parametrize("k", [1, 5, K])
def test_top_k_keeps_the_largest(k):
    h = inputs()
    z = TopK(k).build(K)(h).z
    assert ((z != 0).sum(1) == k).all()
    torch.testing.assert_close(z.sum(1), h.sort(1, descending=True).values[:, :k].sum(1))


def test_gradient_of_top_k_reaches_what_is_kept():
    h = inputs().requires_grad_()
    z = TopK(3).build(K)(h).z
    z.sum().backward()
    assert torch.equal(h.grad, (z != 0).double())


@pytest.mark.parametrize(("alpha", "kept"), [(1.0, 4), (2.0, 8), (1.6, 6), (0.1, 1), (9.0, K)])
def test_alpha_counts_in_use_only(alpha, kept):
    code = TopK(4, alpha).build(K)
    assert ((code.train()(inputs()).z != 0).sum(1) == 4).all()
    assert ((code.eval()(inputs()).z != 0).sum(1) == kept).all()


@pytest.mark.parametrize("make", [TopK, BatchTopK], ids=lambda make: make.__name__)
def test_annealing_falls_from_all_to_k(make):
    code = make(4, anneal=0.5).build(K)
    assert code.warm_up_share == 0.5
    for progress, kept in ((0.0, 12), (0.25, 6), (0.5, 4), (1.0, 4)):
        code.begin(progress)
        assert float((code.train()(inputs()).z != 0).double().sum(1).mean()) == kept
        assert float((code.eval()(inputs()).z != 0).double().sum(1).mean()) == pytest.approx(4, abs=0.1)


def test_batch_top_k_keeps_the_largest_of_the_batch():
    code = BatchTopK(3).build(K).train()
    h = inputs()
    z = code(h).z
    assert int((z != 0).sum()) == 3 * len(h)
    assert z[z != 0].min() >= h[z == 0].max()
    assert float(code.threshold.value) == pytest.approx(float(z[z != 0].min()))


def test_threshold_of_batch_top_k_keeps_as_many_in_use():
    code = BatchTopK(3).build(K).train()
    for seed in range(30):
        code(inputs(seed=seed))
    kept = (code.eval()(inputs(5000, seed=99)).z != 0).sum(1).double().mean()
    assert float(kept) == pytest.approx(3, rel=0.15)


@pytest.mark.parametrize("make", [TopK, BatchTopK], ids=lambda make: make.__name__)
def test_a_unit_below_all_others_is_lifted_until_it_is_used(make):
    """Below every other unit for every row, it ends with the share that `balance` asks for; without, it stays dead."""
    handicap = torch.zeros(K, dtype=torch.float64)
    handicap[3] = -3
    use = {}
    for balance in (0.0, 0.5):
        code = make(3, balance=balance).build(K).train()
        for seed in range(800):
            code(inputs(seed=seed) + handicap)
        use[balance] = (code.eval()(inputs(5000, seed=9999) + handicap).z[:, 3] != 0).double().mean()
    assert use[0.0] == 0
    assert float(use[0.5]) == pytest.approx(0.5 * 3 / K, rel=0.3)


def test_units_that_are_used_enough_are_not_lifted():
    code = TopK(3).build(K).train()
    for seed in range(50):
        code(inputs(500, seed=seed))
    assert float(code.lift.height.abs().max()) == 0


def test_lift_sinks_again():
    lift = Lift(2, 0.5).train()
    rare, often = torch.tensor([[1.0, 0.0]] * 4), torch.tensor([[0.0, 1.0]] * 4)
    for _ in range(10):
        lift.follow(rare, None)
    risen = float(lift.height[1])
    assert risen == pytest.approx(10 * RISE * 1.0)
    for _ in range(20):
        lift.follow(often, None)
    assert float(lift.height[1]) == 0


def test_lift_counts_rows_by_their_weights():
    z, weight = inputs(30).relu(), torch.tensor([1.0, 2.0, 3.0]).repeat(10)
    one, other = Lift(K, 0.9), Lift(K, 0.9)
    one.follow(z, weight)
    other.follow(z.repeat_interleave(weight.long(), 0), None)
    torch.testing.assert_close(one.height, other.height)
    torch.testing.assert_close(one.size, other.size)


def test_first_values_of_a_running_mean_weigh_alike():
    threshold = RunningThreshold()
    for value in (1.0, 2.0, 6.0):
        threshold.follow(torch.tensor(value))
    assert float(threshold.value) == pytest.approx(3)
    for _ in range(100):
        threshold.follow(torch.tensor(5.0))
    assert float(threshold.value) == pytest.approx(5, abs=1e-3)


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
def test_lifetime_is_exact_for_every_unit(rate):
    z = LifetimeSparse(rate).build(K).train()(inputs(100).abs()).z
    assert ((z != 0).sum(0) == max(1, round(100 * rate))).all()


@pytest.mark.parametrize("weight", [1.0, 0.3])
def test_lifetime_with_equal_weights_is_that_without(weight):
    h = inputs(40)
    found = [LifetimeSparse(0.1).build(K).train()(h, w).z for w in (None, torch.full((40,), weight))]
    assert torch.equal(*found)


def test_lifetime_counts_rows_by_their_weights():
    h = inputs(20)
    weight = torch.tensor([2.0, 0.0, 1.0, 1.0] * 5)
    twice = torch.cat([h[weight == 2], h[weight > 0]])
    one, other = LifetimeSparse(0.2).build(K).train(), LifetimeSparse(0.2).build(K).train()
    z = one(h, weight).z
    other(twice)
    torch.testing.assert_close(one.thresholds.value, other.thresholds.value)
    assert (weight @ (z > 0).float() >= 0.2 * weight.sum() - 1e-6).all()


@pytest.mark.parametrize(("latent", "rate"), [(4, 0.5), (8, 0.5), (16, 0.25), (100, 0.05), (1000, 0.05)])
def test_rows_have_four_winners_where_units_are_few(latent, rate):
    assert LifetimeSparse().build(latent).rate == rate


def test_a_winner_below_zero_still_learns():
    h = (inputs(20) - 10).requires_grad_()
    LifetimeSparse(0.1).build(K).train()(h).z.sum().backward()
    assert (h.grad.sum(0) == 2).all()


def test_before_training_what_is_positive_passes():
    h = inputs()
    for part in (BatchTopK(3), LifetimeSparse()):
        assert torch.equal(part.build(K).eval()(h).z, h.relu())


def test_lifetime_in_use_is_near_the_rate_or_dense():
    code = LifetimeSparse(0.1).build(K).train()
    for seed in range(30):
        code(inputs(200, seed=seed))
    share = (code.eval()(inputs(5000, seed=99)).z != 0).double().mean(0)
    assert bool(((share > 0.05) & (share < 0.2)).all())
    dense = LifetimeSparse(0.1, "dense").build(K).eval()
    assert torch.equal(dense(inputs()).z, inputs().relu())


@pytest.mark.parametrize("part", [TopK(3), BatchTopK(3), LifetimeSparse()])
def test_in_use_a_row_is_on_its_own(part):
    code = part.build(K).train()
    code(inputs())
    whole = code.eval()(inputs()).z
    assert torch.equal(torch.cat([code(row[None]).z for row in inputs()]), whole)
    assert torch.equal(code.usage(code(inputs())), (whole != 0).any(0))


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (TopK(13), "k of TopK is 13, but the code has only latent=12 units; take a larger latent, or k <= 12"),
        (BatchTopK(13), "k of BatchTopK is 13, but the code has only latent=12"),
        (TopK(0), "k of TopK must be a whole number of at least 1"),
        (TopK(3, alpha=0), "alpha of TopK must be a positive number"),
        (TopK(3, anneal=1), r"anneal of TopK must be a number in \[0, 1\)"),
        (TopK(3, activation="x"), "unknown activation"),
        (TopK(3, balance=1), r"balance of TopK must be a number in \[0, 1\)"),
        (BatchTopK(3, anneal=1), r"anneal of BatchTopK must be a number in \[0, 1\)"),
        (BatchTopK(3, balance=-1), r"balance of BatchTopK must be a number in \[0, 1\)"),
        (LifetimeSparse(0), "rate of LifetimeSparse must be a positive number"),
        (LifetimeSparse(inference="x"), "unknown inference of LifetimeSparse 'x'"),
    ],
)
def test_parameters_that_cannot_be(part, message):
    with pytest.raises(ValueError, match=message):
        part.build(K)


def test_top_k_above_latent_fails_before_training():
    X = inputs(20).numpy()
    with pytest.raises(ValueError, match="k of TopK is 25, but the code has only latent=4 units"):
        AutoEncoder(4, code="top_k").fit(X)
