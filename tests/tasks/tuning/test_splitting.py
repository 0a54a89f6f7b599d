"""Rows of a search: three sides that share no row, whole groups, every class."""

import numpy as np
import pytest

from isthmus.tasks.tuning.splitting import split


def check(found, rows):
    assert np.array_equal(np.sort(np.concatenate([found.others, found.test])), np.arange(rows))
    for part in found.parts:
        assert not np.intersect1d(part.training, part.held_out).size
        assert not np.intersect1d(found.test, [*part.training, *part.held_out]).size
        assert len(part.training) + len(part.held_out) == len(found.others)


@pytest.mark.parametrize(("rows", "parts"), [(30, 5), (600, 5), (700, 1), (20_000, 1)])
@pytest.mark.parametrize("holdout", ["random", "last"])
def test_sides_share_no_row(rows, parts, holdout):
    found = split(rows, 0, holdout)
    check(found, rows)
    assert len(found.parts) == (1 if holdout == "last" else parts)
    if len(found.parts) > 1:
        assert np.array_equal(np.sort(found.compared), found.others)
    assert len(found.compared) <= 2000


def test_the_last_rows_come_after_all_others():
    found = split(100, 0, "last")
    assert found.parts[0].training.max() < found.parts[0].held_out.min()
    assert found.parts[0].held_out.max() < found.test.min()


@pytest.mark.parametrize("rows", [200, 1000])
def test_groups_stay_together(rows):
    groups = np.random.default_rng(0).integers(20, size=rows)
    found = split(rows, 1, groups=groups)
    check(found, rows)
    for part in found.parts:
        sides = [set(groups[side]) for side in (part.training, part.held_out, found.test)]
        assert not sides[0] & sides[1]
        assert not sides[2] & (sides[0] | sides[1])


@pytest.mark.parametrize("rows", [200, 1000])
def test_every_side_has_its_share_of_a_rare_class(rows):
    classes = (np.arange(rows) < 20).astype(int)
    found = split(rows, 0, classes=classes)
    check(found, rows)
    assert 3 <= classes[found.test].sum() <= 5
    assert all(classes[part.held_out].sum() >= 2 for part in found.parts)


def test_the_seed_decides():
    assert np.array_equal(split(100, 1).test, split(100, 1).test)
    assert not np.array_equal(split(100, 1).test, split(100, 2).test)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ({"rows": 29}, "29 rows, and a search needs at least 30"),
        ({"holdout": "first"}, "unknown holdout 'first'"),
        ({"holdout": "last", "groups": np.arange(100)}, "give one"),
        ({"groups": np.arange(100) // 50}, "groups are too few"),
    ],
)
def test_what_cannot_be_split_is_refused(kind, message):
    with pytest.raises(ValueError, match=message):
        split(**{"rows": 100, "seed": 0} | kind)
