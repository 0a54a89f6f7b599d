import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine

from isthmus import Imputer
from isthmus.tasks.imputation.relations import related, standard, strengths


def choices_of(codes):
    return np.eye(codes.max() + 1)[codes]


def test_strength_is_the_sum_of_squares_between_groups():
    rng = np.random.default_rng(0)
    codes, x = rng.integers(3, size=50), standard(rng.normal(size=(50, 2)))
    by_hand = sum((codes == level).sum() * x[codes == level].mean(0) ** 2 for level in range(3))
    np.testing.assert_allclose(strengths(choices_of(codes), x), by_hand)


def test_missing_cells_do_not_count():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(40, 1))
    x[::4] = np.nan
    found = standard(x)
    assert (found[::4] == 0).all()
    there = found[~np.isnan(x)]
    np.testing.assert_allclose([there.mean(), there.std()], [0, 1], atol=1e-12)


def test_constant_cells_have_no_relation():
    codes = np.random.default_rng(2).integers(3, size=40)
    assert not related(choices_of(codes), np.zeros((40, 2)), np.random.default_rng(0))


def test_chance_is_seldom_a_relation():
    rng = np.random.default_rng(3)
    found = [
        related(choices_of(rng.integers(8, size=100)), standard(rng.normal(size=(100, 6))), np.random.default_rng(seed))
        for seed in range(60)
    ]
    assert sum(found) <= 5


@pytest.mark.parametrize("power", [1, 2])
def test_a_relation_to_one_of_many_columns_is_seen(power):
    # Codes follow a value, or how far it is from the middle, which a correlation does not see.
    rng = np.random.default_rng(4)
    x = rng.normal(size=(200, 15))
    codes = np.digitize(x[:, 3] ** power + 0.3 * rng.normal(size=200), [-0.5, 0.5, 1.5])
    seen = standard(x)
    assert related(choices_of(codes), np.hstack([seen, standard(seen**2)]), np.random.default_rng(0))


@pytest.fixture(scope="module")
def wine():
    X = load_wine().data
    gaps = np.random.default_rng(5).random(X.shape) < 0.3
    return pd.DataFrame(X).add_prefix("x"), gaps


def filled_error(frame, gaps, extra=None, **settings):
    given = frame.mask(gaps) if extra is None else frame.mask(gaps).assign(extra=extra)
    imputer = Imputer(fill="mean", random_state=0, **settings).fit(given)
    errors = (imputer.transform(given)[list(frame)] - frame) / frame.std()
    return imputer, float(np.sqrt((errors.to_numpy()[gaps] ** 2).mean()))


def test_noise_text_fills_no_gap_and_keeps_its_most_frequent_value(wine):
    frame, gaps = wine
    rng = np.random.default_rng(6)
    noise = pd.Series(rng.choice([f"v{level}" for level in range(30)], len(frame)))
    noise[rng.random(len(frame)) < 0.3] = None
    methods = ("gaussian", "trees")
    _, before = filled_error(frame, gaps, methods=methods)
    imputer, after = filled_error(frame, gaps, noise, methods=methods)
    assert after == pytest.approx(before, abs=0.01)
    assert imputer.floor_[-1].filled_by == "mean"
    filled = imputer.transform(frame.assign(extra=noise))["extra"]
    assert set(filled[noise.isna()]) == {noise.mode()[0]}
    assert (filled[noise.notna()] == noise[noise.notna()]).all()


def test_a_text_that_tells_of_a_column_is_used(wine):
    frame, gaps = wine
    text = pd.qcut(frame["x0"], 5, labels=False).map("fifth {}".format)
    imputer, _ = filled_error(frame, gaps, text, methods=("gaussian",))
    _, plain = filled_error(frame, gaps, methods=("gaussian",))
    assert not imputer.filling_.unrelated
    truth = frame["x0"][gaps[:, 0]]
    found = imputer.transform(frame.mask(gaps).assign(extra=text))["x0"][gaps[:, 0]]
    assert np.sqrt(((found - truth) ** 2).mean()) / frame["x0"].std() < 0.6 * plain
