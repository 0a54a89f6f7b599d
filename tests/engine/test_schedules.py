import numpy as np
import pytest

from isthmus.engine.schedules import SCHEDULES, constant, cosine, one_cycle, schedule

PROGRESS = np.linspace(0, 1, 1001)


@pytest.mark.parametrize("name", SCHEDULES)
def test_factors_are_shares(name):
    factors = np.array([schedule(name)(progress) for progress in PROGRESS])
    assert factors.min() >= 0
    assert factors.max() == pytest.approx(1)


def test_constant():
    assert {constant(progress) for progress in PROGRESS} == {1.0}


def test_cosine_falls_from_one_to_zero():
    factors = np.array([cosine(progress) for progress in PROGRESS])
    assert factors[0] == 1
    assert factors[500] == pytest.approx(0.5)
    assert factors[-1] == pytest.approx(0)
    assert (np.diff(factors) < 0).all()
    np.testing.assert_allclose(factors + factors[::-1], 1)


def test_one_cycle_rises_then_falls():
    factors = np.array([one_cycle(progress) for progress in PROGRESS])
    assert factors[0] == pytest.approx(1 / 25)
    assert factors[250] == pytest.approx(1)
    assert factors[-1] == pytest.approx(0)
    assert (np.diff(factors[:251]) > 0).all()
    assert (np.diff(factors[250:]) < 0).all()


def test_one_cycle_has_no_jump():
    factors = np.array([one_cycle(progress) for progress in PROGRESS])
    assert np.abs(np.diff(factors)).max() < 0.01
    assert one_cycle(0.5, rise=0.5) == 1


@pytest.mark.parametrize("name", ["cosin", "", None, 3])
def test_unknown_schedule(name):
    with pytest.raises(ValueError, match=r"unknown schedule .*one of: 'constant', 'cosine', 'one_cycle'"):
        schedule(name)
    with pytest.raises(ValueError, match="did you mean 'cosine'"):
        schedule("cosin")
