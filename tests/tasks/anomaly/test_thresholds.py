import math

import numpy as np
import pytest

from isthmus.tasks.anomaly.thresholds import boxplot_threshold, checked_scores, medcouple, share_threshold

CLEAN = {
    "normal": lambda rng, n: rng.normal(size=n),
    "exponential": lambda rng, n: rng.exponential(size=n),
    "lognormal": lambda rng, n: rng.lognormal(size=n),
    "gamma": lambda rng, n: rng.gamma(2, size=n),
    "t3": lambda rng, n: rng.standard_t(3, size=n),
}


def by_definition(values):
    values = sorted(values)
    middle = float(np.median(values))
    lower = [value for value in values if value <= middle]
    upper = [value for value in values if value >= middle]
    ties = values.count(middle)
    kernel = []
    for i, a in enumerate(lower):
        for j, b in enumerate(upper):
            if a == b:
                # Both are the median: the last of the lower ones and the first of the upper ones.
                kernel.append(np.sign((i - (len(lower) - ties)) + j - (ties - 1)))
            else:
                kernel.append(((b - middle) - (middle - a)) / (b - a))
    return float(np.median(kernel))


@pytest.mark.parametrize("seed", range(40))
def test_medcouple_is_what_its_definition_says(seed):
    rng = np.random.default_rng(seed)
    values = rng.exponential(size=int(rng.integers(2, 60)))
    if seed % 2:
        values = np.round(3 * values)
    if len(set(values)) > 1:
        assert medcouple(values) == pytest.approx(by_definition(values), abs=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_medcouple_is_antisymmetric_and_knows_no_units(seed):
    values = np.round(np.random.default_rng(seed).lognormal(size=101 + seed), 1)
    assert medcouple(-values) == pytest.approx(-medcouple(values), abs=1e-12)
    assert medcouple(8 * values + 2) == pytest.approx(medcouple(values), abs=1e-12)
    assert medcouple(1e300 * values) == pytest.approx(medcouple(values), abs=1e-12)


def test_medcouple_of_symmetric_values_is_zero():
    half = np.random.default_rng(0).gamma(2, size=300)
    assert medcouple(np.r_[-half, half]) == pytest.approx(0, abs=1e-12)
    assert medcouple([5.0, 5.0]) == 0


def test_medcouple_of_evenly_spaced_order_statistics_is_near_that_of_all():
    values = np.random.default_rng(0).lognormal(size=4001)
    assert medcouple(values) == pytest.approx(medcouple(values, nodes=10_000), abs=0.01)


@pytest.mark.parametrize("name", CLEAN)
def test_few_clean_scores_are_above_the_fence(name):
    most = {"lognormal": 0.025, "t3": 0.04}.get(name, 0.015)
    shares = []
    for seed in range(10):
        scores = CLEAN[name](np.random.default_rng(seed), 1000)
        shares.append(float((scores > boxplot_threshold(scores)).mean()))
    assert np.mean(shares) < most


@pytest.mark.parametrize("name", CLEAN)
@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 0.24])
def test_far_anomalies_do_not_hide_each_other(name, share):
    rng = np.random.default_rng(1)
    scores = CLEAN[name](rng, 1000)
    reach = np.quantile(scores, 0.999) - np.median(scores)
    many = round(share * 1000)
    scores[:many] = np.median(scores) + reach * rng.uniform(2, 3, size=many)
    above = scores > boxplot_threshold(scores)
    assert above[:many].all()
    assert above[many:].mean() < 0.06


def test_the_fence_follows_units():
    scores = np.random.default_rng(0).gamma(2, size=500)
    assert boxplot_threshold(4 * scores - 3) == pytest.approx(4 * boxplot_threshold(scores) - 3)


def test_scores_that_are_the_same_or_infinite():
    assert boxplot_threshold([3.0] * 7) == 3
    assert boxplot_threshold([1.0]) == 1
    assert boxplot_threshold([math.inf, math.inf]) == math.inf
    scores = np.r_[np.random.default_rng(0).normal(size=99), math.inf]
    assert scores.max() > boxplot_threshold(scores) > 2
    assert boxplot_threshold([0.0] * 90 + [1.0] * 10) == 0


@pytest.mark.parametrize("contamination", [0, 0.013, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("n", [1, 10, 137])
def test_as_many_rows_as_the_share_says(contamination, n):
    scores = np.random.default_rng(n).normal(size=n)
    assert (scores > share_threshold(scores, contamination)).sum() == round(contamination * n)


def test_ties_at_the_cut_are_normal():
    assert (np.array([1, 2, 2, 2]) > share_threshold([1, 2, 2, 2], 0.25)).sum() == 0


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"contamination must be a share of rows in \[0, 1\); got 1.5"):
        share_threshold([1.0], 1.5)
    with pytest.raises(ValueError, match="1 of 2 are NaN"):
        boxplot_threshold([1.0, math.nan])
    with pytest.raises(ValueError, match=r"vector of at least one number; got shape \(0,\)"):
        checked_scores([])
    with pytest.raises(ValueError, match="medcouple takes finite values"):
        medcouple([1.0, math.inf])
