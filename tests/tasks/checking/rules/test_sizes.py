import numpy as np
import pytest
import scipy.sparse

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("shape", "latent", "expected"),
    [
        ((20, 3), None, ["there are 20 rows"]),
        ((60, 80), None, ["60 rows for 80 columns"]),
        ((200, 60), 50, ["200 rows for a code of 50 numbers"]),
        ((200, 4), 4, ["latent=4 is not smaller than the 4 columns"]),
        ((200, 4), 2, []),
        ((200, 4), 0.9, []),
        ((200, 4), None, []),
    ],
)
def test_too_few_rows_are_told(shape, latent, expected, told):
    found = told("few-rows", RNG.normal(size=shape) * np.arange(1, shape[1] + 1), latent=latent)
    assert [one.number for one in found] == expected


def test_matrices_have_more_columns_than_rows(told):
    X = scipy.sparse.random_array((60, 90), density=0.3, rng=RNG, format="csr")
    assert not told("few-rows-of-matrix", X)
    assert told("few-rows-of-matrix", X, latent=20)
    assert told("few-rows-of-matrix", X[:20])
