import pytest
import torch
from torch import Generator

from isthmus.data.shuffling import Piece, cut, equal_sizes, joined, mixed


def pieces(lengths):
    start = 0
    for length in lengths:
        positions = torch.arange(start, start + length)
        yield Piece(torch.stack([positions, -positions], 1).float(), positions)
        start += length


@pytest.mark.parametrize("lengths", [[], [5], [3, 0, 4], [10] * 20, [1] * 50, [2, 90, 3, 40]])
@pytest.mark.parametrize("capacity", [1, 25, 1000])
def test_the_same_rows_in_another_order(lengths, capacity):
    out = list(mixed(pieces(lengths), capacity, Generator().manual_seed(0)))
    if not lengths:
        assert out == []
        return
    whole = joined(out)
    assert sorted(whole.positions.tolist()) == list(range(sum(lengths)))
    assert torch.equal(whole.rows, torch.stack([whole.positions, -whole.positions], 1).float())
    again = joined(list(mixed(pieces(lengths), capacity, Generator().manual_seed(0))))
    assert torch.equal(whole.positions, again.positions)
    if sum(lengths) > 20 and capacity > 1:
        assert not torch.equal(whole.positions, torch.arange(sum(lengths)))


def test_the_source_is_not_written_to():
    given = list(pieces([30, 30, 30]))
    list(mixed(given, 10, Generator().manual_seed(0)))
    for piece, fresh in zip(given, pieces([30, 30, 30]), strict=True):
        assert torch.equal(piece.rows, fresh.rows)


def test_a_buffer_mixes_rows_of_many_pieces():
    whole = joined(list(mixed(pieces([100] * 100), 2000, Generator().manual_seed(0))))
    kinds = whole.positions // 100
    # Every hundred rows come from many pieces, and no row leaves long before its neighbours may.
    assert min(len(some.unique()) for some in kinds.split(100)) > 12
    place = torch.empty(10_000)
    place[whole.positions] = torch.arange(10_000.0)
    assert 500 < (place - torch.arange(10_000.0)).abs().mean() < 4000


def test_one_piece_and_all_rows_are_as_likely_anywhere():
    first = [
        int(joined(list(mixed(pieces([5, 5, 5]), 100, Generator().manual_seed(seed)))).positions[0])
        for seed in range(600)
    ]
    assert torch.tensor(first).bincount(minlength=15).min() > 15


@pytest.mark.parametrize(("total", "count"), [(10, 3), (9, 3), (1, 1), (128, 5)])
def test_sizes_are_those_of_tensor_split(total, count):
    assert equal_sizes(total, count) == [len(part) for part in torch.arange(total).tensor_split(count)]


@pytest.mark.parametrize("lengths", [[10], [1] * 10, [3, 7], [0, 4, 0, 6]])
@pytest.mark.parametrize("weighted", [False, True])
def test_batches_are_cut_across_blocks(lengths, weighted):
    x = torch.arange(20.0).view(10, 2)
    blocks = zip(x.split(lengths), x[:, 0].split(lengths), strict=True)
    sizes = [4, 3, 3]
    batches = list(cut(((rows, weight if weighted else None) for rows, weight in blocks), sizes))
    assert [len(rows) for rows, _ in batches] == sizes
    assert torch.equal(torch.cat([rows for rows, _ in batches]), x)
    if weighted:
        assert torch.equal(torch.cat([weight for _, weight in batches]), x[:, 0])
    else:
        assert all(weight is None for _, weight in batches)
