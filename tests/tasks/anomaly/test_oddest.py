import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from isthmus.data.dense import DenseTable
from isthmus.data.reading_sources import Given
from isthmus.data.sparse import SparseTable
from isthmus.tasks.anomaly.oddest import oddest

ROWS = np.random.default_rng(0).integers(0, 12, (60, 2)).astype(float)


def first(numbers):
    return np.asarray(numbers[:, [0]].todense() if scipy.sparse.issparse(numbers) else numbers[:, 0]).ravel()


@pytest.mark.parametrize("cuts", [1, 4, 60])
@pytest.mark.parametrize("n", [1, 7, 60, 99])
@pytest.mark.parametrize("kind", ["array", "frame", "sparse"])
def test_pieces_give_the_rows_that_the_whole_gives(kind, n, cuts):
    """The highest scores, and of rows that tie the first ones."""
    pieces = []
    for piece in np.array_split(ROWS, cuts):
        given = {"array": piece, "frame": pd.DataFrame(piece), "sparse": scipy.sparse.coo_matrix(piece)}[kind]
        table = SparseTable(scipy.sparse.csr_array(piece)) if kind == "sparse" else DenseTable(piece)
        pieces.append(Given(table, given, None))
    found = oddest(iter(pieces[:1] if kind == "sparse" else pieces), first, n)
    ranked = np.argsort(-ROWS[: len(pieces[0].table) if kind == "sparse" else None, 0], kind="stable")[:n]
    np.testing.assert_array_equal(found.places, ranked)
    rows = found.rows.toarray() if kind == "sparse" else np.asarray(found.rows)
    np.testing.assert_array_equal(rows, ROWS[ranked])
    np.testing.assert_array_equal(first(found.numbers), ROWS[ranked, 0])


def test_no_more_than_a_piece_and_the_oddest_are_kept():
    alive = []

    def pieces():
        for start in range(50):
            piece = np.full((100, 2), float(start % 7))
            alive.append(start)
            yield Given(DenseTable(piece), piece, None)

    found = oddest(pieces(), first, 3)
    assert found.places.tolist() == [600, 601, 602]
    assert found.rows.base is None or found.rows.base.nbytes < 1000
