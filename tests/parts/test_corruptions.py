import math

import numpy as np
import pytest
import torch
from scipy.stats import kstest
from torch import Generator

from isthmus import Bernoulli, Blocks, Categorical, Gaussian, Mixed
from isthmus.core.contract import Stochastic
from isthmus.core.initialisation import initialise
from isthmus.parts.composition import compose
from isthmus.parts.corruptions import GaussianNoise, Masking, SaltAndPepper, Swap, hit

N = 40_000


def noise(scale: float, seed: int = 0, rows: int = N, columns: int = 2) -> torch.Tensor:
    module = GaussianNoise(scale).build(columns)
    module.generator = Generator().manual_seed(seed)
    return module(torch.zeros(rows, columns, dtype=torch.float64)).x


@pytest.mark.parametrize("scale", [0.1, 0.3, 2])
def test_noise_is_normal_of_that_scale(scale):
    drawn = noise(scale).numpy() / scale
    assert abs(drawn.mean()) < 5 / math.sqrt(drawn.size)
    assert abs(drawn.var() - 1) < 5 * math.sqrt(2 / drawn.size)
    assert kstest(drawn.ravel(), "norm").statistic < 2 / math.sqrt(drawn.size)


def test_noise_is_independent_between_columns_and_rows():
    drawn = noise(1.0).numpy()
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 5 / math.sqrt(N)
    assert abs(np.corrcoef(drawn[:-1, 0], drawn[1:, 0])[0, 1]) < 5 / math.sqrt(N)


def test_noise_is_added_to_the_rows_and_leaves_them_as_they_are():
    module = GaussianNoise(0.5).build(2)
    x = torch.arange(6, dtype=torch.float64).view(3, 2)
    before = x.clone()
    module.generator = Generator().manual_seed(7)
    torch.testing.assert_close(module(x).x - x, noise(0.5, seed=7, rows=3))
    assert torch.equal(x, before)


def test_noise_comes_from_the_local_generator():
    before = torch.get_rng_state()
    assert torch.equal(noise(1.0, 1), noise(1.0, 1))
    assert not torch.equal(noise(1.0, 1), noise(1.0, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert isinstance(GaussianNoise().build(2), Stochastic)


def test_clipped_noise_ends_where_the_grey_levels_do():
    module, free = GaussianNoise(0.5, clip=(0, 1)).build(2), GaussianNoise(0.5).build(2)
    x = torch.rand(100, 2, generator=Generator().manual_seed(0))
    for one in (module, free):
        one.generator = Generator().manual_seed(1)
    assert torch.equal(module(x).x, free(x).x.clamp(0, 1))


@pytest.mark.parametrize("clip", [(1, 0), (0, 0), (0,), 1.0, "ab", (None, 1)])
def test_a_clip_that_is_no_interval(clip):
    with pytest.raises(ValueError, match="clip of GaussianNoise must be two rising numbers"):
        GaussianNoise(0.5, clip=clip).build(2)


def test_no_noise():
    assert (noise(0) == 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_number_type(dtype):
    module = GaussianNoise().build(2)
    module.generator = Generator()
    assert module(torch.zeros(3, 2, dtype=dtype)).x.dtype == dtype


@pytest.mark.parametrize("scale", [-0.1, math.nan, math.inf, None, True, "0.3"])
def test_scale_that_cannot_be(scale):
    with pytest.raises(ValueError, match="scale of GaussianNoise must be a number of at least 0; got "):
        GaussianNoise(scale).build(2)


# -- hidden, extreme and swapped entries -------------------------------------------------------------------------------


def corrupted(part, x, seed=0):
    module = part.build(x.shape[1])
    module.generator = Generator().manual_seed(seed)
    return module(x)


def uniform(rows=N, columns=2):
    return torch.rand(rows, columns, dtype=torch.float64, generator=Generator().manual_seed(9)) * 0.8 + 0.1


def assert_share(found, share):
    assert abs(float(found.double().mean()) - share) < 5 * math.sqrt(share * (1 - share) / found.numel())


@pytest.mark.parametrize("rate", [0.1, 0.75])
@pytest.mark.parametrize("value", [0.0, -1.0])
def test_masking_hides_that_share(rate, value):
    x = uniform()
    before = x.clone()
    found = corrupted(Masking(rate, value, mark=True), x)
    assert_share(found.mask, rate)
    assert torch.equal(found.x, torch.where(found.mask == 1, value, x))
    assert torch.equal(x, before)
    assert found.cells is None
    assert corrupted(Masking(rate), x).mask is None


def test_score_of_hidden_entries_is_unbiased():
    found = corrupted(Masking(0.3, score="hidden"), uniform())
    assert abs(float(found.cells.mean()) - 1) < 5 * math.sqrt(0.7 / 0.3 / found.cells.numel())
    assert torch.equal(found.cells > 0, found.x == 0)


def test_salt_and_pepper_in_equal_shares():
    found = corrupted(SaltAndPepper(0.3, -1.0, 2.0), uniform()).x
    assert_share(found == -1, 0.15)
    assert_share(found == 2, 0.15)
    kept = (found != -1) & (found != 2)
    assert torch.equal(found[kept], uniform()[kept])


def test_swap_keeps_the_columns_values_and_distribution():
    x = uniform() + torch.tensor([0.0, 5.0])
    found = corrupted(Swap(0.4), x).x
    assert_share(found != x, 0.4)
    for column in range(2):
        assert set(found[:, column].tolist()) <= set(x[:, column].tolist())
        assert kstest(found[:, column].numpy(), x[:, column].numpy()).statistic < 2 / math.sqrt(N)


def test_swap_of_one_row_changes_nothing():
    x = uniform(rows=1)
    assert torch.equal(corrupted(Swap(0.9), x).x, x)


@pytest.mark.parametrize("part", [Masking(), SaltAndPepper(), Swap()], ids=str)
def test_corruption_comes_from_the_local_generator(part):
    before = torch.get_rng_state()
    assert torch.equal(corrupted(part, uniform(50)).x, corrupted(part, uniform(50)).x)
    assert not torch.equal(corrupted(part, uniform(50)).x, corrupted(part, uniform(50), seed=1).x)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (Masking(0), "rate of Masking must be a positive number"),
        (Masking(1), "rate of Masking must be a number in"),
        (Masking(value=math.nan), "value of Masking must be a finite number"),
        (Masking(score="x"), "unknown score of Masking"),
        (SaltAndPepper(1), "rate of SaltAndPepper"),
        (SaltAndPepper(low=1, high=0), "low of SaltAndPepper must be below high"),
        (Swap(-0.1), "rate of Swap"),
    ],
)
def test_corruptions_that_cannot_be(part, message):
    with pytest.raises(ValueError, match=message):
        part.build(3)


# -- cells that belong together ----------------------------------------------------------------------------------------

GROUPS = (0, 1, 1, 1, 2)


def owned(part, x, feature_group=GROUPS):
    module = part.build(x.shape[1])
    module.feature_group, module.generator = feature_group, Generator().manual_seed(0)
    return module(x)


def test_cells_of_an_owner_are_hidden_together():
    x = uniform(columns=5)
    found = owned(Masking(0.3, mark=True), x)
    assert torch.equal(found.mask[:, 1], found.mask[:, 2])
    assert torch.equal(found.mask[:, 1], found.mask[:, 3])
    assert torch.equal(found.x, torch.where(found.mask == 1, 0, x))
    for column in (0, 1, 4):
        assert_share(found.mask[:, column], 0.3)
    assert abs(np.corrcoef(found.mask[:, [0, 1, 4]].numpy().T)[np.triu_indices(3, 1)]).max() < 5 / math.sqrt(N)


def test_cells_of_an_owner_come_from_the_same_row():
    x = torch.arange(N, dtype=torch.float64)[:, None].expand(-1, 5)
    found = owned(Swap(0.4), x).x
    assert torch.equal(found[:, 1], found[:, 2])
    assert torch.equal(found[:, 1], found[:, 3])
    assert_share(found[:, 0] != x[:, 0], 0.4)
    assert_share(found[:, 1] != x[:, 1], 0.4)
    assert not torch.equal(found[:, 0], found[:, 1])


@pytest.mark.parametrize("feature_group", [None, GROUPS])
def test_what_is_chosen(feature_group):
    module = Masking().build(5)
    module.feature_group, module.generator = feature_group, Generator().manual_seed(0)
    found = hit(uniform(columns=5), 0.2, module)
    assert found.dtype == torch.float64
    assert set(found.unique().tolist()) == {0, 1}
    assert_share(found[:, [0, 1, 4]], 0.2)
    assert torch.equal(found[:, 1], found[:, 2]) == (feature_group is not None)


def mixed(corruption):
    parts = Mixed((Gaussian("columns"), Categorical((3,)), Bernoulli()), (1, 3, 1))
    network = compose(5, 2, likelihood=parts, corruption=corruption)
    initialise(network, "torch", Generator().manual_seed(0))
    return network


def test_hidden_cells_of_a_table_are_missing():
    network = mixed(Masking(0.3, value=None))
    assert network.corruption.feature_group == GROUPS
    network.seed(Generator().manual_seed(0))
    x = torch.rand(N, 5, generator=Generator().manual_seed(1))
    found = network.corruption(x)
    gone = found.x.isnan()
    assert found.mask is None
    assert torch.equal(found.x[~gone], x[~gone])
    assert torch.equal(gone[:, 1], gone[:, 2])
    assert torch.equal(gone[:, 1], gone[:, 3])
    assert_share(gone[:, [0, 1, 4]], 0.3)
    # The encoder sees that they are, and what they were is asked for.
    marks = network.likelihood.encoder_input(found.x)[:, 5:]
    assert torch.equal(marks.bool(), gone[:, [0, 1, 4]])
    assert torch.isfinite(network(x).theta).all()
    assert torch.isfinite(network.terms(x)["nll"]).all()


def test_cells_that_are_missing_stay_so():
    x = torch.full((50, 5), torch.nan)
    for part in (Masking(0.3, value=None), Masking(0.3), Swap(0.3)):
        network = mixed(part)
        network.seed(Generator().manual_seed(0))
        assert torch.isfinite(network(x).theta).all()
        assert (network.terms(x)["nll"] == 0).all()


def test_only_hidden_cells_of_a_table_are_asked_for():
    network = mixed(Masking(0.3, value=None, score="hidden"))
    network.seed(Generator().manual_seed(0))
    found = network.corruption(torch.rand(200, 5, generator=Generator().manual_seed(1)))
    assert torch.equal(found.cells > 0, found.x.isnan())


@pytest.mark.parametrize("likelihood", [Gaussian(), Gaussian("columns"), Bernoulli()], ids=str)
def test_likelihoods_that_have_no_place_for_missing_cells(likelihood):
    name = type(likelihood).__name__
    with pytest.raises(ValueError, match=rf"Masking\(value=None\) makes entries missing, which {name} does not allow"):
        compose(5, 2, likelihood=likelihood, corruption=Masking(value=None))


@pytest.mark.parametrize("part", [Masking(0.3, mark=True), Blocks(shape=(1, 5))], ids=["masking", "blocks"])
def test_what_is_marked_is_missing_where_the_likelihood_shows_gaps(part):
    network = mixed(part)
    network.seed(Generator().manual_seed(0))
    found = network.corruption(torch.rand(200, 5, generator=Generator().manual_seed(1)))
    assert found.mask is None
    assert found.x.isnan().any()
    assert not network.corruption.marks
    assert torch.isfinite(network.terms(torch.rand(20, 5))["nll"]).all()


def test_missing_cells_in_use_are_seen_as_hidden_ones_in_training():
    network = compose(4, 2, likelihood=Gaussian(), corruption=Masking(0.5, value=-2.0, mark=True)).double()
    initialise(network, "orthogonal", Generator().manual_seed(0), None, torch.rand(20, 4).double())
    x = torch.rand(20, 4, generator=Generator().manual_seed(0)).double()
    mask = (x > 0.5).double()
    hidden = network.encode(torch.where(mask > 0, -2.0, x), mask).mean
    assert torch.equal(network.eval().encode(torch.where(mask > 0, torch.nan, x)).mean, hidden)
