import numpy as np
import pytest

RNG = np.random.default_rng(0)


def test_infinite_cells_are_told(told, clean):
    (found,) = told("infinite-cells", clean.assign(height=clean["height"].mask(np.arange(400) == 5, np.inf)))
    assert (found.severity, found.columns, found.rows) == ("error", ("height",), (5,))
    assert not told("infinite-cells", clean)


@pytest.mark.parametrize("value", [1e9, -1e9, 1e5])
def test_wild_cells_are_told(value, told, clean):
    (found,) = told("wild-cells", clean.assign(height=clean["height"].mask(np.arange(400) == 5, value)))
    assert (found.columns, found.rows, found.value) == (("height",), (5,), abs(value))


@pytest.mark.parametrize("draw", [RNG.normal, RNG.exponential, RNG.lognormal])
def test_tails_are_no_wild_cells(draw, told, clean):
    for _ in range(3):
        assert not told("wild-cells", clean.assign(this=draw(size=400)))


def test_heavy_tails_are_told_where_they_are_learned_as_they_are(told, clean):
    tails = np.append(RNG.normal(size=396), [40.0, -40.0, 41.0, -41.0])
    assert told("heavy-tail", clean.assign(this=tails))
    assert not told("heavy-tail", clean.assign(this=np.abs(tails)))
    assert not told("heavy-tail", clean)


def test_mixed_scales_are_told_where_one_scale_is_asked_for(told):
    X = RNG.normal(size=(200, 4)) * [1, 1000, 2, 3]
    (found,) = told("mixed-scales", X, scale="common")
    assert found.columns == ("1",)
    assert found.value > 0.99
    for scale in ("auto", "standard", "minmax"):
        assert not told("mixed-scales", X, scale=scale)
    assert not told("mixed-scales", RNG.normal(size=(200, 4)), scale="common")
