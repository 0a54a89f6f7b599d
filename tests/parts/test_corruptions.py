import math

import numpy as np
import pytest
import torch
from scipy.stats import kstest
from torch import Generator

from isthmus.core.contract import Stochastic
from isthmus.parts.corruptions import GaussianNoise

N = 40_000


def noise(scale: float, seed: int = 0, rows: int = N, columns: int = 2) -> torch.Tensor:
    module = GaussianNoise(scale).build(columns)
    module.generator = Generator().manual_seed(seed)
    return module(torch.zeros(rows, columns, dtype=torch.float64))


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
    torch.testing.assert_close(module(x) - x, noise(0.5, seed=7, rows=3))
    assert torch.equal(x, before)


def test_noise_comes_from_the_local_generator():
    before = torch.get_rng_state()
    assert torch.equal(noise(1.0, 1), noise(1.0, 1))
    assert not torch.equal(noise(1.0, 1), noise(1.0, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert isinstance(GaussianNoise().build(2), Stochastic)


def test_no_noise():
    assert (noise(0) == 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_number_type(dtype):
    module = GaussianNoise().build(2)
    module.generator = Generator()
    assert module(torch.zeros(3, 2, dtype=dtype)).dtype == dtype


@pytest.mark.parametrize("scale", [-0.1, math.nan, math.inf, None, True, "0.3"])
def test_scale_that_cannot_be(scale):
    with pytest.raises(ValueError, match="scale of GaussianNoise has to be a number of at least 0; got "):
        GaussianNoise(scale).build(2)
