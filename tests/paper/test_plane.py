import numpy as np

from isthmus.paper import plane

RANDOM = np.random.default_rng(0)


def test_places_fill_the_square_evenly_whatever_the_scale():
    codes = RANDOM.normal(size=(1000, 2)) ** 5 * [1, 1000]
    found = plane.plane_of(codes, lambda rows: rows)
    for axis in (0, 1):
        assert np.histogram(found.places[:, axis], bins=10, range=(0, 1))[0].tolist() == [100] * 10
        assert np.array_equal(np.argsort(found.places[:, axis]), np.argsort(codes[:, axis]))


def test_maps_are_read_from_the_upper_left():
    grid = np.column_stack([np.arange(plane.SIDE), 100 + np.arange(plane.SIDE)])
    lines = plane.lines_from_the_top(grid)
    assert lines[0].tolist() == [0, 100 + plane.SIDE - 1]
    assert lines[plane.SIDE - 1].tolist() == [plane.SIDE - 1, 100 + plane.SIDE - 1]
    assert lines[-1].tolist() == [plane.SIDE - 1, 100]


def test_a_place_of_the_map_decodes_the_codes_that_lie_there():
    codes = RANDOM.normal(size=(5000, 2))
    found = plane.plane_of(codes, lambda rows: rows)
    column, line = 3, 5
    inside = (np.floor(found.places[:, 0] * plane.SIDE) == column) & (np.floor(found.places[:, 1] * plane.SIDE) == line)
    decoded = found.decoded[(plane.SIDE - 1 - line) * plane.SIDE + column]
    assert np.abs(codes[inside] - decoded).max() < 0.3
