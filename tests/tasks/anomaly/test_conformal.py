import numpy as np
import pytest
from scipy.stats import chisquare

from isthmus.tasks.anomaly.conformal import (
    among_themselves,
    cross,
    refuse_too_small,
    rejected,
    rows_for_one,
    split,
    warn_too_few_for_one,
    weighted,
)


def test_uniform_on_the_grid():
    rng = np.random.default_rng(0)
    pvalues = np.array([split(scores[:9], scores[9:])[0] for scores in rng.exponential(size=(5000, 10))])
    assert chisquare(np.bincount(np.round(10 * pvalues).astype(int), minlength=11)[1:]).pvalue > 0.001


def test_smoothed_ones_are_uniform_in_spite_of_ties():
    rng = np.random.default_rng(1)
    scores, uniforms = rng.integers(0, 3, size=(5000, 8)), rng.random((5000, 1))
    pvalues = [split(s[:7], s[7:], uniforms=u)[0] for s, u in zip(scores, uniforms, strict=True)]
    assert chisquare(np.histogram(pvalues, bins=20, range=(0, 1))[0]).pvalue > 0.001


def test_monotone_and_free_of_units():
    rng = np.random.default_rng(2)
    calibration, scores = rng.normal(size=200), np.sort(rng.normal(size=100))
    pvalues = split(calibration, scores)
    assert (np.diff(pvalues) <= 0).all()
    np.testing.assert_array_equal(split(np.exp(calibration), np.exp(scores)), pvalues)
    assert split(calibration, [np.inf, -np.inf]).tolist() == [1 / 201, 1]
    assert split([1.0, 2.0, 2.0], [2.0])[0] == split([1.0, 2.0, 2.0], [2.0], uniforms=[1.0])[0] == 0.75


def test_weights():
    rng = np.random.default_rng(3)
    calibration, scores, weights = rng.normal(size=99), rng.normal(size=50), rng.integers(0, 4, size=99)
    np.testing.assert_array_equal(weighted(calibration, scores, np.ones(99), np.ones(50)), split(calibration, scores))
    repeated = split(np.repeat(calibration, weights), scores)
    np.testing.assert_allclose(weighted(calibration, scores, weights, np.ones(50)), repeated)
    with pytest.raises(ValueError, match="must be 99 finite numbers"):
        weighted(calibration, scores, -weights - 1, np.ones(50))


def test_known_ratios_make_shifted_rows_valid():
    rng = np.random.default_rng(5)
    plain, mended = [], []
    for _ in range(300):
        old, new = rng.normal(size=200), rng.normal(0.7, 1, size=20)
        plain.append((split(old, new) <= 0.1).mean())
        mended.append((weighted(old, new, np.exp(0.7 * old), np.exp(0.7 * new)) <= 0.1).mean())
    assert np.mean(plain) > 0.2
    assert np.mean(mended) < 0.115


def test_cross():
    rng = np.random.default_rng(7)
    held_out, scores, folds = rng.normal(size=31), rng.normal(size=(10, 3)), np.arange(31) % 3
    expected = [(1 + sum(h >= row[k] for h, k in zip(held_out, folds, strict=True))) / 32 for row in scores]
    np.testing.assert_allclose(cross(held_out, folds, scores), expected)
    np.testing.assert_array_equal(cross(held_out, folds, scores[:, [0, 0, 0]]), split(held_out, scores[:, 0]))


def test_cross_with_a_real_model():
    def distances(train, X):
        return np.abs(X[:, None] - train[None]).min(1)

    rng = np.random.default_rng(8)
    share = []
    for _ in range(300):
        X, new, folds = rng.normal(size=40), rng.normal(size=20), np.arange(40) % 4
        held_out = np.empty(40)
        for k in range(4):
            held_out[folds == k] = distances(X[folds != k], X[folds == k])
        scores = np.stack([distances(X[folds != k], new) for k in range(4)], axis=1)
        share.append((cross(held_out, folds, scores) <= 0.1).mean())
    assert np.mean(share) < 0.115


def test_ranks_among_themselves():
    scores = np.random.default_rng(9).normal(size=100)
    pvalues = among_themselves(scores)
    others = [split(np.delete(scores, i), scores[i : i + 1])[0] for i in range(100)]
    np.testing.assert_allclose(pvalues, others)
    assert rejected(pvalues, alpha=0.05).sum() == 5
    assert not rejected(pvalues, fdr=0.2).any()


def test_false_discoveries_are_as_few_as_promised():
    rng = np.random.default_rng(10)
    false, found = [], []
    for _ in range(300):
        calibration, scores = rng.normal(size=1000), rng.normal(size=100)
        scores[:20] += 4
        chosen = rejected(split(calibration, scores), fdr=0.2)
        false.append(chosen[20:].sum() / max(chosen.sum(), 1))
        found.append(chosen[:20].mean())
    assert np.mean(false) < 0.2 * 0.8 + 3 * np.std(false) / 300**0.5
    assert np.mean(found) > 0.9


@pytest.mark.parametrize("level", [0.5, 0.2, 0.1, 0.05, 0.01, 0.001, 0.3, 0.07])
def test_as_many_rows_as_a_level_needs(level):
    least = next(n for n in range(2000) if rejected([1 / (n + 1)], alpha=level)[0])
    refuse_too_small(least, level)
    with pytest.raises(ValueError, match=f"needs at least {least} calibration rows; there are {least - 1}"):
        refuse_too_small(least - 1, level)


@pytest.mark.parametrize("fdr", [0.05, 0.1, 0.3])
def test_as_many_rows_as_a_single_anomaly_needs(fdr):
    n = rows_for_one(20, fdr)
    alone = np.r_[0.0, np.ones(19)]
    assert rejected(np.maximum(alone, 1 / (n + 1)), fdr=fdr).sum() == 1
    assert rejected(np.maximum(alone, 1 / n), fdr=fdr).sum() == 0
    with pytest.warns(UserWarning, match=f"a single one would need {n} calibration rows"):
        warn_too_few_for_one(n - 1, 20, fdr)
