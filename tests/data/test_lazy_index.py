import pytest
import torch
from torch import Generator

from isthmus.data.lazy_index import LazyIndex, distinct, drawn


@pytest.mark.parametrize("total", [1, 7, 40])
@pytest.mark.parametrize("size", [1, 3, 100])
def test_every_position_but_those_left_out_comes_once(total, size):
    chosen = torch.randperm(total, generator=Generator().manual_seed(total))
    left_out, first = chosen[: total // 3], chosen[total // 3 : total // 2]
    index = LazyIndex(total, left_out, first)
    assert len(index) == total - len(left_out)
    listed = index[: len(index)]
    assert torch.equal(listed[: len(first)], first)
    assert (listed[len(first) :].diff() > 0).all()
    assert set(listed.tolist()) == set(range(total)) - set(left_out.tolist())
    assert torch.equal(torch.cat(list(index.split(size))), listed)


def test_validation_rows_and_the_others():
    validation, index = drawn(1000, 50, 80, Generator().manual_seed(0))
    assert (validation.diff() > 0).all()
    assert len(validation) == 50
    assert len(index.first) == 80
    assert sorted([*validation.tolist(), *index[: len(index)].tolist()]) == list(range(1000))


def test_more_are_wanted_than_there_are():
    validation, index = drawn(10, 3, 80, Generator().manual_seed(0))
    assert (len(validation), len(index.first), len(index)) == (3, 7, 7)


@pytest.mark.parametrize(("total", "count"), [(5, 5), (40, 10), (41, 10), (10**12, 300), (9, 0)])
def test_distinct_numbers(total, count):
    numbers = distinct(total, count, Generator().manual_seed(1))
    assert len(numbers) == len(set(numbers.tolist())) == count
    assert all(0 <= number < total for number in numbers.tolist())
    assert torch.equal(numbers, distinct(total, count, Generator().manual_seed(1)))


def test_distinct_numbers_are_evenly_drawn_and_in_random_order():
    generator = Generator().manual_seed(0)
    draws = torch.stack([distinct(50, 10, generator) for _ in range(2000)])
    counts = draws.flatten().bincount(minlength=50)
    # 400 expected each, of a standard deviation of 18.
    assert (counts - 400).abs().max() < 5 * 18
    assert abs(draws[:, 0].double().mean() - 24.5) < 5 * 14.4 / 2000**0.5
