import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine

from isthmus.data.dense import DenseTable
from isthmus.data.one_unit import one_unit
from isthmus.data.scaling import automatic_scale

RNG = np.random.default_rng(0)
DIGITS = load_digits().data


def minmaxed(X):
    return (X - X.min(0)) / np.maximum(np.ptp(X, axis=0), 1e-300)


def spectra(size=0.01, offset=0.3):
    waves = np.linspace(0, 1, 200)
    lines = np.exp(-(((waves - np.array([[0.2], [0.4], [0.6], [0.85]])) / 0.08) ** 2) / 2)
    return offset + size * (RNG.random((300, 4)) @ lines + 0.02 * RNG.normal(size=(300, 200)))


def log_mel(frames=300, bands=32):
    """Levels that rise and fall together in neighbouring bands."""
    near = np.exp(-np.abs(np.subtract.outer(np.arange(bands), np.arange(bands))) / 3)
    shape = RNG.normal(size=(frames, bands)) @ np.linalg.cholesky(near).T
    return -6 - np.arange(bands) / 6 + RNG.normal(0, 0.7, size=(frames, 1)) + 2 * shape


def genes():
    levels = RNG.uniform(0, 12, 1000)
    return np.maximum(0, levels + RNG.normal(size=(80, 4)) @ RNG.normal(size=(4, 1000)) * RNG.uniform(0.1, 0.8, 1000))


def tf_idf():
    counts = RNG.poisson(RNG.gamma(0.1, 0.5, 400), size=(200, 400)).astype(float)
    return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1)


def rates(columns, small):
    X = RNG.beta(2, 3, size=(500, columns))
    X[:, :small] *= 1e-3
    return X


TOGETHER = {
    "digits": (DIGITS, "global"),
    "digits in [0, 1]": (DIGITS / 16, "none"),
    "digits standardised as a whole": ((DIGITS - DIGITS.mean()) / DIGITS.std(), "global"),
    "digits as integers": (DIGITS.astype(int), "global"),
    "a few columns of grey levels": (RNG.integers(0, 256, (400, 3)).astype(float), "global"),
    "answers from 1 to 5": (RNG.integers(1, 6, (200, 30)).astype(float), "global"),
    "spectra": (spectra(), "common"),
    "spectra of large numbers": (spectra(1e5, -3e4), "common"),
    "levels of sound": (log_mel(), "common"),
    "genes": (genes(), "common"),
    "tf-idf": (tf_idf(), "none"),
    "zeros and ones": ((RNG.random((100, 5)) < 0.3).astype(float), "none"),
}
APART = {
    "wine": load_wine().data,
    "breast cancer": load_breast_cancer().data,
    "diabetes": load_diabetes().data,
    "breast cancer, each column in [0, 1]": minmaxed(load_breast_cancer().data),
    "wine, each column in [0, 1]": minmaxed(load_wine().data),
    "rates": rates(5, 2),
    "more rates": rates(24, 8),
    "one small rate among many": rates(24, 1),
    "one constant column": np.full((20, 1), 7.0),
    "normal columns": RNG.normal(size=(200, 8)) * [1, 10, 100, 1, 1, 1, 1, 1],
}


def chosen(X):
    table = DenseTable(np.ascontiguousarray(X))
    return automatic_scale(table.summary(), table.values.dtype, X)


@pytest.mark.parametrize("name", TOGETHER)
def test_columns_of_one_unit(name):
    X, scale = TOGETHER[name]
    assert chosen(X).name == scale, chosen(X)


@pytest.mark.parametrize("name", APART)
def test_columns_of_several_units(name):
    assert chosen(APART[name]).name == "standard", chosen(APART[name])


@pytest.mark.parametrize("name", ["digits", "spectra", "levels of sound", "breast cancer", "more rates"])
@given(factor=st.sampled_from([1e-6, 1e-2, 1.0, 37.0, 1e6]), seed=st.integers(0, 5))
def test_it_depends_on_no_unit_and_no_order_of_rows(name, factor, seed):
    X = TOGETHER[name][0] if name in TOGETHER else APART[name]
    moved = np.random.default_rng(seed).permutation(X) * factor
    before, after = (bool(one_unit(DenseTable(rows).summary(), rows)) for rows in (X, moved))
    assert before == after


def test_the_reason_is_told():
    from isthmus import AutoEncoder

    model = AutoEncoder(4, epochs=1, random_state=0).fit(DIGITS)
    assert "global (one unit: all values are steps of one grid between common ends)" in str(model.fit_report_)
    assert model.columns_[0].scaling == "x / 16"
    stated = AutoEncoder(4, epochs=1, scale="minmax", random_state=0).fit(DIGITS)
    assert stated.fit_report_.scale == "minmax (as stated)"
