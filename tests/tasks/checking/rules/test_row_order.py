import numpy as np
import pandas as pd
import pytest

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("unit", [1, 1000])
def test_seconds_since_1970_in_no_order_are_a_clock(unit, told, clean):
    times = unit * (890_000_000 + RNG.integers(0, 20_000_000, 400))
    (found,) = told("clock", clean.assign(timestamp=times))
    assert found.severity == "warning"
    assert "1998" in found.number
    assert not told("clock", clean.assign(revenue=times))


def test_rows_in_the_order_of_times_are_told(told, clean):
    dated = clean.assign(when=pd.date_range("2024-01-01", periods=400, freq="h"))
    assert [one.severity for one in told("rows-in-time", dated)] == ["note"]
    assert not told("rows-in-time", dated.sample(frac=1, random_state=0))


def test_it_is_a_warning_where_neighbouring_rows_are_alike(told):
    walk = RNG.normal(size=(400, 3)).cumsum(axis=0)
    frame = pd.DataFrame(walk, columns=["a", "b", "c"])
    dated = frame.assign(when=pd.date_range("2024-01-01", periods=400, freq="h"))
    assert [one.severity for one in told("rows-in-time", dated)] == ["warning"]
    assert not told("neighbours-alike", dated)
    assert len(told("neighbours-alike", frame)) == 1
    assert not told("neighbours-alike", frame.sample(frac=1, random_state=0))


def test_rows_sorted_by_the_target_are_told(told, clean):
    for target in (np.repeat([0, 1, 2, 3], 100), np.arange(400) + 0.5):
        assert len(told("sorted-by-target", clean, target=target)) == 1
        assert not told("sorted-by-target", clean, target=RNG.permutation(target))
