from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from isthmus.data.batches import ReiterableBatches
from isthmus.data.rows import Rows

X = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
EDGES = [0, 20, 20, 21, 50]


def batches(X=X):
    for start, stop in pairwise(EDGES):
        yield X[start:stop]


def accepted(block, start):
    pass


class Turns:
    """Another list of batches each time."""

    def __init__(self, *turns):
        self.turns, self.count = turns, 0

    def __call__(self):
        turn = self.turns[min(self.count, len(self.turns) - 1)]
        self.count += 1
        return iter(turn)


def test_two_passes_read_everything():
    make = Turns(list(batches()))
    table = ReiterableBatches(make).table(accepted)
    assert table.shape == (50, 3)
    assert make.count == 1
    for one, other in zip(Rows(table).summary(), Rows(X).summary(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    assert make.count == 1
    np.testing.assert_array_equal(table[:].numpy(), X)
    assert make.count == 2
    np.testing.assert_array_equal(table.read(2), X[21:])
    np.testing.assert_array_equal(table.read(0), X[:20])
    assert make.count == 4


def test_record_batches_bring_names():
    table = pa.table({name: X[:, j] for j, name in enumerate("abc")})
    passes = ReiterableBatches(lambda: table.to_batches(max_chunksize=8))
    assert passes.names is None
    np.testing.assert_array_equal(np.concatenate(list(passes.blocks())), X)
    assert passes.names == ["a", "b", "c"]
    np.testing.assert_array_equal(np.concatenate(list(ReiterableBatches(passes.make, ["c"]).blocks())), X[:, 2:])


def test_batches_of_several_number_types():
    table = ReiterableBatches(lambda: [X[:3].astype(bool), X[:3], X[:3].astype(np.float64)]).table(accepted)
    assert table.numbers == np.float64


def test_every_batch_is_checked_in_the_first_pass():
    seen = []
    ReiterableBatches(batches).table(lambda block, start: seen.append((start, len(block))))
    assert seen == [(0, 20), (20, 1), (21, 29)]


def test_an_iterator_that_is_exhausted():
    one = batches()

    def same():
        return one

    table = ReiterableBatches(same).table(accepted)
    with pytest.raises(
        ValueError, match=r"the iterator that same\(\) returned is exhausted on the second pass: it must"
    ):
        table[:1]


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        ([X[:20]], r"Turns\(\) brought no more rows as batch 1 of a later pass, and 30 in the first"),
        ([X[:20], X[20:45]], r"brought 25 rows as batch 1 of a later pass, and 30 in the first"),
        ([X[:20], X[20:], X[:1]], r"brought more than the 50 rows of the first pass in a later one"),
    ],
)
def test_other_batches_in_a_later_pass(turn, message):
    table = ReiterableBatches(Turns([X[:20], X[20:]], turn)).table(accepted)
    with pytest.raises(ValueError, match=message):
        table[:]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ([], "brought no rows"),
        ([X[:0]], "brought no rows"),
        (3, "returned int; it must return an iterator of batches"),
        ([X, X[0]], r"batch 1 of .* has the shape \(3,\)"),
        ([X, X[:, :2]], "batch 1 of .* has 2 columns, and those before have 3"),
        ([X.astype(str)], "batch 0 of .* has .* the type <U"),
    ],
)
def test_what_is_no_batch(made, message):
    with pytest.raises(ValueError, match=message):
        ReiterableBatches(lambda: made).table(accepted)
