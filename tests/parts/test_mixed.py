import math

import pytest
import torch
from torch import Generator

from isthmus import Bernoulli, Categorical, Gaussian, Mixed, NegativeBinomial, Poisson, StudentT
from isthmus.parts.likelihoods import LOG_2_PI

ROWS = 400
FAMILIES = (Gaussian("columns"), StudentT(), Bernoulli(), Categorical((3, 2)), Poisson(), NegativeBinomial())
CELLS = (2, 1, 2, 5, 1, 1)
COLUMNS = 9


def rows(gaps=False, seed=0):
    generator = Generator().manual_seed(seed)
    real = torch.randn(ROWS, 3, dtype=torch.float64, generator=generator)
    flags = (torch.rand(ROWS, 2, generator=generator) < 0.3).double()
    blocks = [
        torch.nn.functional.one_hot(torch.randint(0, size, (ROWS,), generator=generator), size).double()
        for size in (3, 2)
    ]
    counts = torch.poisson(torch.full((ROWS, 2), 3.0, dtype=torch.float64), generator=generator)
    x = torch.cat([real, flags, *blocks, counts], 1)
    if gaps:
        feature_group = torch.tensor(built().feature_group)
        x[(torch.rand(ROWS, COLUMNS, generator=generator) < 0.2)[:, feature_group]] = torch.nan
    return x


def built(part=None, x=None):
    module = (part or Mixed(FAMILIES, CELLS)).build(sum(CELLS) if x is None else x.shape[1]).double().eval()
    if x is not None:
        module.look(x)
    return module


def outputs(module, seed=1):
    return torch.randn(ROWS, module.outputs, dtype=torch.float64, generator=Generator().manual_seed(seed))


def marginal(module, x):
    """Return the parameters at which every column has its own mean and variance, whatever the row."""
    filled = module.filled(x)
    there = module.there(x)
    variance = (there * (filled - module.middle).square()).sum(0) / there.sum(0)
    return module.start_bias(module.middle, variance).expand(len(x), -1)


def test_nll_is_the_sum_of_the_families():
    x, module = rows(), built()
    theta = outputs(module)
    expected = sum(
        family.nll(cells, piece)
        for family, cells, piece in zip(
            module.families, x.split(CELLS, 1), theta.split(module.theta_sizes, 1), strict=True
        )
    )
    torch.testing.assert_close(module.nll(x, theta), expected)
    torch.testing.assert_close(module.columns(x, theta).sum(1), expected)
    assert module.feature_group == (0, 1, 2, 3, 4, 5, 5, 5, 6, 6, 7, 8)


@pytest.mark.parametrize("method", ["nll", "loss", "loss_ratios", "deviance_ratios"])
def test_missing_cells_count_for_nothing_and_teach_nothing(method):
    x = rows(gaps=True)
    module = built(x=x)
    theta = outputs(module).requires_grad_()
    value = getattr(module, method)(x, theta)
    assert torch.isfinite(value).all()
    (slope,) = torch.autograd.grad(value.sum(), theta)
    assert torch.isfinite(slope).all()
    gone = torch.zeros(ROWS, module.outputs, dtype=torch.bool)
    for cell in range(len(CELLS)):
        inside = slice(sum(CELLS[:cell]), sum(CELLS[: cell + 1]))
        out = slice(sum(module.theta_sizes[:cell]), sum(module.theta_sizes[: cell + 1]))
        repeats = module.theta_sizes[cell] // CELLS[cell]
        gone[:, out] = x[:, inside].isnan().repeat(1, repeats)
    assert (slope[gone] == 0).all()
    # What stands in their place is of no account.
    filled = torch.where(x.isnan(), torch.nan, x)
    torch.testing.assert_close(getattr(module, method)(filled, theta), value)


def test_cells_that_do_not_count():
    x = rows(gaps=True)
    module = built(x=x)
    theta = outputs(module)
    no_flags = torch.ones_like(x)
    no_flags[:, 3:5] = 0
    gone = x.clone()
    gone[:, 3:5] = torch.nan
    torch.testing.assert_close(module.loss(x, theta, cells=no_flags), module.loss(gone, theta))
    torch.testing.assert_close(module.nll(x, theta, cells=no_flags), module.nll(gone, theta))


@pytest.mark.parametrize("gaps", [False, True])
def test_every_column_has_the_same_weight(gaps):
    """If only means are known, the loss ratio and the deviance ratio of every column are 1."""
    x = rows(gaps)
    module = built(x=x)
    theta = marginal(module, x)
    there = module.there(x)[:, module.first].sum(0)
    for cells, weight in (
        (module.deviance_loss(x, theta), module.column_weight),
        (module.half_deviance(x, theta), module.deviance_weight),
    ):
        columns = torch.zeros(COLUMNS, dtype=torch.float64).index_add(0, module.slot, (2 * cells * weight).sum(0))
        torch.testing.assert_close(columns / there, torch.ones(COLUMNS, dtype=torch.float64), rtol=1e-6, atol=1e-6)
    if not gaps:
        for ratios in (module.loss_ratios(x, theta), module.deviance_ratios(x, theta)):
            torch.testing.assert_close(ratios.mean(), torch.ones((), dtype=torch.float64))


@pytest.mark.parametrize("sizes", [2, 5, 40])
def test_many_categories_weigh_no_more(sizes):
    codes = torch.arange(ROWS) % sizes
    x = torch.nn.functional.one_hot(codes, sizes).double()
    module = built(Mixed((Categorical((sizes,)),), (sizes,)), x)
    at_start = module.loss(x, marginal(module, x)).mean()
    assert float(at_start) == pytest.approx(0.5 * (1 + LOG_2_PI), rel=1e-6)


def test_real_columns_alone_are_a_gaussian_of_optimal_variance():
    x = rows()[:, :3]
    x = (x - x.mean(0)) / x.std(0, correction=0)
    module, gaussian = built(Mixed((Gaussian("columns"),), (3,)), x).train(), Gaussian().build(3).double().train()
    theta = x + 0.3 * outputs(module)
    weight = torch.rand(ROWS, dtype=torch.float64, generator=Generator().manual_seed(2))
    for weights in (None, weight):
        torch.testing.assert_close(module.loss(x, theta, weights), gaussian.nll(x, theta, weights))
    moved = theta.clone().requires_grad_()
    other = theta.clone().requires_grad_()
    module.loss(x, moved).mean().backward()
    gaussian.nll(x, other).mean().backward()
    torch.testing.assert_close(moved.grad, other.grad)


@pytest.mark.parametrize("gaps", [False, True])
def test_what_the_encoder_sees(gaps):
    x = rows(gaps)
    module = built(x=x)
    seen = module.encoder_input(x)
    assert seen.shape == (ROWS, module.inputs) == (ROWS, 12 + COLUMNS)
    cells, marks = seen.split([12, COLUMNS], 1)
    torch.testing.assert_close(marks, x[:, module.first].isnan().double())
    there = module.there(x)
    assert (cells[x.isnan()] == 0).all()
    torch.testing.assert_close((cells * there).sum(0) / there.sum(0), torch.zeros(12, dtype=torch.float64))
    variance = (cells.square() * there).sum(0) / there.sum(0)
    columns = torch.zeros(COLUMNS, dtype=torch.float64).index_add(0, module.slot, variance)
    torch.testing.assert_close(columns, torch.ones(COLUMNS, dtype=torch.float64), rtol=1e-6, atol=1e-6)


def test_weights_are_rows_more_often():
    x = rows(gaps=True)
    weight = torch.randint(1, 4, (ROWS,), generator=Generator().manual_seed(3))
    one, other = built(x=x), built(x=x)
    one.look(x, weight.double())
    other.look(x.repeat_interleave(weight, 0))
    for name in ("middle", "centre", "gain"):
        torch.testing.assert_close(getattr(one, name), getattr(other, name))


def test_spreads_of_columns():
    module = built()
    module.set_spread(torch.arange(1, 13).double())
    assert module.families[0].variance.tolist() == [1, 2]
    assert float(module.families[1].scale) * module.families[1].deviation() == pytest.approx(math.sqrt(3))
    module.set_loss_ratio(0.25)
    assert float(module.loss_ratio) == 0.25
    module.set_loss_ratio(0.0)
    assert float(module.loss_ratio) > 0


def test_families_are_in_use_while_the_whole_is_trained():
    module = built().train()
    assert module.training
    assert not any(family.training for family in module.families)


def test_calendars_are_learned_but_not_scored():
    part = Mixed((Gaussian(1.0), Gaussian(1.0)), (1, 2), (0, 0, 0), (True, False))
    x = rows()[:, :3]
    module = built(part, x)
    theta = outputs(module)
    assert (module.columns(x, theta)[:, 1:] == 0).all()
    slope = torch.autograd.functional.jacobian(lambda at: module.loss(x, at).sum(), theta)
    assert (slope[:, 1:] != 0).any()


def test_a_perfect_reconstruction_has_no_deviance():
    """0 means perfect, counts included; the scale of the loss in evaluation is the mean of its own ratios."""
    part = Mixed((Gaussian("columns"), Poisson()), (3, 2))
    x = rows()[:, [0, 1, 2, 10, 11]]
    module = built(part, x)
    perfect = torch.cat([x[:, :3], x[:, 3:].clamp_min(1e-9).log()], 1)
    assert float(module.deviance_ratios(x, perfect).max()) < 1e-8
    theta = perfect + 0.1
    ratios = module.loss_ratios(x, theta)
    module.set_loss_ratio(float(ratios.mean()))
    expected = 0.5 * 5 * (1 + math.log(float(ratios.mean())) + LOG_2_PI)
    assert float(module.loss(x, theta).mean()) == pytest.approx(expected)


def test_groups_and_variances():
    module = built()
    assert module.groups(12) == (1, 1, 1, 1, 1, 3, 2, 1, 1)
    theta = outputs(module)
    pieces = [family.variances(out) for family, out in module.with_outputs(theta)]
    torch.testing.assert_close(module.variances(theta), torch.cat(pieces, 1))


def test_draws_are_legal():
    module = built(x=rows())
    drawn = module.sample(outputs(module), Generator().manual_seed(0))
    assert drawn.shape == (ROWS, 12)
    assert ((drawn[:, 3:10] == 0) | (drawn[:, 3:10] == 1)).all()
    assert (drawn[:, 5:8].sum(1) == 1).all()
    assert (drawn[:, 10:] == drawn[:, 10:].round()).all()


@pytest.mark.parametrize("part", [Mixed((Gaussian(),), (2,)), Mixed((Gaussian(),), (2, 1)), Mixed()])
def test_cells_that_do_not_add_up(part):
    with pytest.raises(ValueError, match=r"cells of Mixed must be one number for each of the . families, together"):
        part.build(3)
