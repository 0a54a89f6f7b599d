import numpy as np
import pytest

from isthmus.tasks.anomaly.density_ratios import density_ratios


def test_a_shift_of_means_is_found():
    rng = np.random.default_rng(1)
    old, new = rng.normal(size=(3000, 1)), rng.normal(0.5, 1, size=(3000, 1))
    ratios = density_ratios(old, new)
    assert np.corrcoef(ratios.calibration, np.exp(0.5 * old[:, 0] - 0.125))[0, 1] > 0.98
    assert ratios.effective_rows == pytest.approx(3000 / np.exp(0.25), rel=0.1)
    assert density_ratios(old, rng.normal(size=(300, 1))).effective_rows > 2850


def test_rows_that_have_nothing_in_common():
    rng = np.random.default_rng(4)
    ratios = density_ratios(rng.normal(size=(200, 1)), rng.normal(50, 1, size=(200, 1)))
    assert (ratios.new > 0).all()
    with pytest.raises(ValueError, match=r"a level of 0\.01 needs 100"):
        ratios.refuse_too_few(0.01)
