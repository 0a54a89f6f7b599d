import numpy as np


def test_constant_columns_are_told(told, clean):
    for value in (0.5, "x", True):
        (found,) = told("constant-column", clean.assign(this=value))
        assert found.columns == ("this",)
        assert found.value == 400
    gaps = np.where(np.arange(400) % 2, 3.0, np.nan)
    assert "200 cells that are there are 3" in told("constant-column", clean.assign(this=gaps))[0].number
    assert not told("constant-column", clean)


def test_nearly_constant_columns_are_told(told, clean):
    (found,) = told("nearly-constant-column", clean.assign(this=(np.arange(400) == 7).astype(float)))
    assert found.value == 399 / 400
    assert not told("nearly-constant-column", clean.assign(this=(np.arange(400) % 50 == 7).astype(float)))


def test_pixels_that_are_mostly_dark_are_none(told):
    X = np.zeros((300, 8, 8), dtype=np.uint8)
    X[:, 2:6, 2:6] = np.random.default_rng(0).integers(0, 256, (300, 4, 4))
    X[3, 0, 0] = 255
    assert not told("nearly-constant-column", X)
