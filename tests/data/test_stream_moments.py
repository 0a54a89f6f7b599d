import numpy as np
import pytest
import torch

from isthmus.data.stream_moments import LATER, LEAST_ROWS, ColumnMoments, StreamMoments, jumps

RNG = np.random.default_rng(0)


def rows(n, spread=1.0, mean=0.0, features=2):
    return torch.from_numpy(RNG.normal(mean, spread, (n, features)))


def stream_of(*chunks, **together):
    stream = StreamMoments(chunks[0].shape[1])
    changes = [stream.add([(chunk, None)], **together) for chunk in chunks]
    return stream, changes


@pytest.mark.parametrize("size", [1, 7, 100])
def test_an_even_stream_has_the_statistics_of_all_its_rows(size):
    x = rows(300) * torch.tensor([1e-3, 1e3]) + torch.tensor([1e3, 0.0])
    stream, changes = stream_of(*x.split(size))
    np.testing.assert_allclose(stream.all.mean, x.mean(0), rtol=1e-12)
    np.testing.assert_allclose(stream.all.variance, x.var(0, correction=0), rtol=1e-9)
    assert stream.rows == 300
    assert not any(change.grown.any() or change.shrunk.any() for change in changes)


def test_weights_are_repetitions_and_missing_cells_do_not_count():
    x = rows(40)
    x[3, 0] = torch.nan
    weight = torch.arange(40) % 3.0
    one = ColumnMoments.of(x, weight)
    other = ColumnMoments.of(x.repeat_interleave(weight.long(), 0))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    assert one.weight[0] == weight.sum() - weight[3]


@pytest.mark.parametrize("rest", [0.0, 1e-6, 1e-3])
def test_a_column_that_begins_to_move_is_judged_by_its_moving_rows(rest):
    still, moving = rows(500), rows(100)
    still[:, 0] *= rest
    stream, changes = stream_of(still, moving)
    assert changes[1].grown.tolist() == [True, False]
    np.testing.assert_allclose(stream.all.deviation[0], moving[:, 0].std(correction=0))
    np.testing.assert_allclose(stream.all.deviation[1], torch.cat([still, moving])[:, 1].std(correction=0))


def test_a_column_at_another_level_is_judged_there():
    stream, changes = stream_of(rows(500), rows(100, mean=50))
    assert changes[1].grown.all()
    assert (stream.all.deviation < 2).all()


@pytest.mark.parametrize("wild", [10.0, 1e3, 1e6])
def test_a_wild_beginning_is_forgotten_once_it_is_a_quarter(wild):
    chunks = [rows(100, wild), *(rows(100) for _ in range(4))]
    stream, changes = stream_of(*chunks)
    assert [bool(change.shrunk.all()) for change in changes] == [False, False, False, True, False]
    np.testing.assert_allclose(stream.all.deviation, torch.cat(chunks[1:]).std(0, correction=0))


def test_a_rest_is_no_change():
    chunks = [rows(100) for _ in range(9)]
    for chunk in chunks[1:4]:
        chunk[:, 0] = 1.5
    stream, changes = stream_of(*chunks)
    assert not any(change.grown.any() or change.shrunk.any() for change in changes)
    assert stream.rows == 900


def test_single_outliers_are_no_change():
    chunk = rows(100)
    chunk[3] = 1e6
    stream, changes = stream_of(rows(100), chunk)
    assert not changes[1].grown.any()
    assert stream.rows == 200


def test_rounding_errors_are_no_movement():
    value = torch.full((50, 1), 0.1, dtype=torch.float64)
    _, changes = stream_of(value, value + 1e-17, torch.nextafter(value, value + 1))
    assert not any(change.grown.any() for change in changes)


def test_few_rows_tell_nothing():
    _, changes = stream_of(torch.zeros(100, 2).double(), rows(LEAST_ROWS - 1))
    assert not changes[1].grown.any()


def test_columns_of_a_group_change_together_and_only_by_those_that_are_judged():
    group, telling = torch.tensor([0, 1, 0, 1]), torch.tensor([True, True, False, False])
    loud = rows(100, features=4)
    loud[:, [1, 2, 3]] /= 1e3
    still = rows(100, features=4) / 1e3
    _, changes = stream_of(still, loud, group=group, telling=telling)
    assert changes[1].grown.tolist() == [True, False, True, False]
    loud[:, 2] *= 1e3
    loud[:, 0] /= 1e3
    _, changes = stream_of(still, loud, group=group, telling=telling)
    assert not changes[1].grown.any()


def test_the_state_goes_on_as_the_stream():
    stream, _ = stream_of(rows(100, 1e3), rows(150))
    other = StreamMoments.from_state(stream.state)
    for _ in range(int(LATER) + 1):
        chunk = rows(100)
        for one in (stream, other):
            one.add([(chunk, None)])
    for name, tensor in stream.state.items():
        assert torch.equal(tensor, other.state[name])


def test_jumps():
    one = torch.ones(4, dtype=torch.float64)
    found = jumps(one, torch.tensor([2.0, 5.0, 0.2, 1.0]).double(), torch.tensor([3.0, 0.0, 0.0, -5.0]).double())
    assert found.tolist() == [False, True, True, True]
