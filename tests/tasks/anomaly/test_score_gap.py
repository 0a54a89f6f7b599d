import numpy as np
import pytest

from isthmus.tasks.anomaly.score_gap import AnomalyCount, ScoreGap, distances, peaks, tail, threshold_above, valley

CLEAN = {
    "normal": lambda rng, n: rng.normal(size=n),
    "half-normal": lambda rng, n: np.abs(rng.normal(size=n)),
    "uniform": lambda rng, n: rng.uniform(size=n),
    "log of chi-square": lambda rng, n: np.log(rng.chisquare(4, size=n)),
    "log of a lognormal": lambda rng, n: np.log(rng.lognormal(size=n)),
    "log of squared t3": lambda rng, n: np.log(rng.standard_t(3, size=(n, 3)) ** 2).sum(1),
}


@pytest.mark.parametrize("name", CLEAN)
@pytest.mark.parametrize("n", [100, 1000])
def test_nothing_is_found_where_nothing_stands_out(name, n):
    found = [ScoreGap.of(scores[:, None], scores).above / n for scores in sets(name, n)]
    assert np.mean(found) <= 0.015


def sets(name, n):
    return [CLEAN[name](np.random.default_rng(seed), n) for seed in range(20)]


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1, 0.2, 0.3, 0.4])
@pytest.mark.parametrize("name", ["normal", "log of chi-square", "uniform"])
def test_the_number_above_a_valley(name, share):
    rng = np.random.default_rng(0)
    scores, odd = CLEAN[name](rng, 1000), np.arange(1000) < share * 1000
    scores[odd] += 8 * np.ptp(np.quantile(scores, [0.1, 0.9]))
    gap = ScoreGap.of(scores[:, None], scores)
    np.testing.assert_array_equal(scores > gap.threshold, odd)
    assert (gap.kind, gap.above, gap.count.estimate) == ("valley", odd.sum(), odd.sum())
    assert gap.count.low <= odd.sum() <= gap.count.high


@pytest.mark.parametrize("share", [0.06, 0.1])
def test_the_number_in_a_tail_without_a_valley(share):
    rng = np.random.default_rng(3)
    scores, odd = rng.normal(size=4000), np.arange(4000) < share * 4000
    scores[odd] = 2.5 + rng.exponential(1, size=odd.sum())
    gap = ScoreGap.of(scores[:, None], scores)
    assert gap.kind == "tail"
    assert (scores > gap.threshold).sum() == gap.above
    assert gap.count.low <= odd.sum() <= gap.count.high
    assert 1 / 1.5 < gap.count.estimate / odd.sum() < 1.5


def test_one_misled_method_of_three_finds_nothing():
    rng = np.random.default_rng(0)
    by_method = rng.normal(size=(1000, 3))
    by_method[:100, 0] = 2 + rng.exponential(1.5, size=100)
    assert ScoreGap.of(by_method, by_method.mean(1)).kind == "none"


def test_tied_scores_are_no_valley():
    rng = np.random.default_rng(0)
    by_method = np.column_stack([rng.normal(size=1000), np.repeat([0.0, 0.1, 5.0], [700, 200, 100])])
    assert ScoreGap.of(by_method, by_method[:, 0]).kind == "none"
    same = np.ones(50)
    assert ScoreGap.of(same[:, None], same) == ScoreGap("none", np.inf, 0, AnomalyCount(0, 0, 0))


def test_it_follows_units_and_not_the_order_of_rows():
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(size=450), rng.normal(size=50) + 7])
    gap, other = (ScoreGap.of(found[:, None], found) for found in (scores, 8 * scores[::-1] - 2))
    assert (other.kind, other.above, other.count) == (gap.kind, gap.above, gap.count)
    assert other.threshold == pytest.approx(8 * gap.threshold - 2)


def test_a_wild_score_does_not_hide_a_valley():
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(size=450), rng.normal(size=50) + 9, [1e12]])
    assert ScoreGap.of(scores[:, None], scores).above == 51
    assert distances(scores[:, None]).max() < 100


def test_the_density_counts_every_value():
    values = np.random.default_rng(0).normal(size=300)
    found = peaks(values)
    assert found.rows_from[0] == 300
    assert found.density.argmax() == pytest.approx(np.searchsorted(found.at, 0), abs=len(found.at) / 10)
    assert peaks(np.ones(10)) is None
    assert valley(np.ones(10)) is None
    assert tail(np.ones(10))[0] == 0


def test_the_threshold_lies_between_two_rows():
    scores = np.array([1.0, 5.0, 2.0])
    assert [threshold_above(scores, above) for above in range(4)] == [5.0, 3.5, 1.5, -np.inf]


def test_it_can_be_written_and_read():
    scores = np.random.default_rng(0).normal(size=100)
    for found in (ScoreGap.of(scores[:, None], scores), ScoreGap("tail", 2.5, 7, AnomalyCount(5, 1, 9))):
        assert ScoreGap.from_state(*found.state()) == found
