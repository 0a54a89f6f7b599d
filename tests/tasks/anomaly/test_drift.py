import numpy as np
import pytest
from scipy.stats import kstest

from isthmus.tasks.anomaly.drift import Bag, online_pvalues, unchanged, watch


def start(n=300, columns=2, seed=0, false_alarm=0.05):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, columns))
    return unchanged(values.sum(1), values, [f"c{j}" for j in range(columns)], false_alarm, seed)


def test_online_p_values_are_uniform_in_spite_of_ties():
    rng = np.random.default_rng(0)
    found = np.concatenate(
        [online_pvalues(rng.integers(0, 4, 30).astype(float), np.sort(rng.integers(0, 4, 20)), rng) for _ in range(200)]
    )
    assert kstest(found, "uniform").pvalue > 0.001


def test_capital_is_a_martingale():
    """The mean of the capital after any number of fair bets is 1."""
    rng = np.random.default_rng(0)
    after = [np.exp(Bag(np.sort(rng.normal(size=50))).bet(rng.normal(size=20), rng)[1][-1]) for _ in range(2000)]
    assert np.mean(after) == pytest.approx(1, abs=4 * np.std(after) / 2000**0.5)


def test_false_alarms_are_as_rare_as_was_stated():
    alarms = columns = 0
    for seed in range(150):
        rng = np.random.default_rng([seed, 9])
        found = start(seed=seed)
        for _ in range(2):
            values = rng.normal(size=(80, 2))
            found = watch(found, values.sum(1), values)
        alarms += found.changed
        columns += bool(found.columns)
    assert alarms <= 150 * 0.05 + 2 * (150 * 0.05) ** 0.5
    assert columns <= 150 * 0.05 + 2 * (150 * 0.05) ** 0.5


def test_a_shift_is_found_and_the_column_named():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(600, 2)) + np.array([0, 0.7])
    found = watch(start(1000), values.sum(1), values)
    assert found.changed
    assert found.columns == ("c1",)
    assert "c1" in str(found)
    assert found.since <= 600


def test_a_wider_spread_is_found():
    values = 2 * np.random.default_rng(1).normal(size=(600, 2))
    assert watch(start(1000), values.sum(1), values).changed


def test_more_gaps_are_a_change():
    values = np.random.default_rng(1).normal(size=(600, 2))
    values[::2, 0] = np.nan
    assert watch(start(1000), np.zeros(600), values).columns[0] == "c0"


def test_states_do_not_change_and_repeat():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(100, 2))
    before = start()
    one, two = (watch(before, values.sum(1), values) for _ in range(2))
    assert one.evidence == two.evidence
    assert before.batches == 0
    assert one.batches == 1
    assert one.rows == 100


def test_a_false_alarm_rate_that_cannot_be():
    with pytest.raises(ValueError, match="false_alarm must be a number between 0 and 1"):
        start(false_alarm=0)
