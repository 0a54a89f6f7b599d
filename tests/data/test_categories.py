import pytest

from isthmus.data.categories import pooled


def test_common_categories_have_cells_of_their_own():
    places, shares = pooled([3, 0, 1])
    assert places == (0, 2, 1, 2)
    assert sum(shares) == pytest.approx(1)
    assert len(shares) == 3
    places, shares = pooled([2] * 64 + [1] * 6)
    assert places == (*range(64), *[64] * 6, 65)
    assert shares[64] == pytest.approx(6 / 134.5)


def test_where_categories_were_dropped_unknown_ones_are_rare():
    places, shares = pooled([2] * 64 + [1] * 6, dropped=True)
    assert places == (*range(64), *[64] * 7)
    assert shares[64] == pytest.approx(6 / 134)


def test_every_cell_has_a_probability():
    places, shares = pooled([0, 0, 5])
    assert places == (1, 1, 0, 1)
    assert all(share > 0 for share in shares)
