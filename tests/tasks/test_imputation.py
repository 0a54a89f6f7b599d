import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, load_wine
from sklearn.utils.estimator_checks import parametrize_with_checks

from isthmus import AutoEncoder, Compute, Imputer, Masking

WINE = load_wine().data


def small(**settings):
    member = AutoEncoder(
        latent=8,
        hidden=(32,),
        epochs=30,
        corruption=Masking(0.3, value=None, score="hidden"),
        compute=Compute(threads=1),
    )
    return Imputer(**{"estimator": member, "members": 2, "random_state": 0} | settings)


def with_gaps(X, rate=0.2, seed=0):
    gaps = np.random.default_rng(seed).random(X.shape) < rate
    return np.where(gaps, np.nan, X), gaps


def quick():
    member = AutoEncoder(
        latent=4, hidden=(8,), epochs=2, corruption=Masking(0.3, value=None), compute=Compute(threads=1)
    )
    return Imputer(member, members=1, random_state=0)


@parametrize_with_checks([quick()])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_what_is_there_stays_and_nothing_is_missing():
    X, gaps = with_gaps(WINE)
    filled = small().fit_transform(X)
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[~gaps], WINE[~gaps])


def test_better_than_means_and_within_what_occurs():
    X, gaps = with_gaps(WINE)
    filled = small().fit_transform(X)
    means = np.where(gaps, np.nanmean(X, axis=0), X)
    spread = WINE.std(0)
    assert (((filled - WINE) / spread)[gaps] ** 2).mean() < 0.7 * (((means - WINE) / spread)[gaps] ** 2).mean()
    assert (filled.min(0) >= np.nanmin(X, axis=0)).all()
    assert (filled.max(0) <= np.nanmax(X, axis=0)).all()


def test_same_seed_same_values_and_rows_by_themselves():
    X, _ = with_gaps(WINE)
    imputer = small().fit(X)
    filled = imputer.transform(X)
    np.testing.assert_array_equal(clone(imputer).fit(X).transform(X), filled)
    np.testing.assert_array_equal(imputer.transform(X[7:8]), filled[7:8])
    np.testing.assert_array_equal(imputer.transform(X[::-1])[::-1], filled)


def test_rows_that_were_not_there_in_fit():
    X, gaps = with_gaps(WINE)
    filled = small().fit(X[::2]).transform(X[1::2])
    means = np.nanmean(X[::2], axis=0)
    there = gaps[1::2]
    errors = [(((guess - WINE[1::2]) / WINE.std(0))[there] ** 2).mean() for guess in (filled, means + 0 * filled)]
    assert errors[0] < 0.8 * errors[1]


def test_draws_vary_as_much_as_they_may_be_wrong():
    X, gaps = with_gaps(WINE, 0.1)
    imputer = small().fit(X)
    draws = np.stack(list(imputer.draws(X, 40, random_state=0)))
    np.testing.assert_array_equal(draws[:, ~gaps], np.broadcast_to(WINE[~gaps], (40, (~gaps).sum())))
    mean, deviation = draws.mean(0)[gaps], draws.std(0)[gaps]
    inside = (np.abs(WINE[gaps] - mean) < 2 * deviation).mean()
    assert 0.8 < inside <= 1
    once = small(fill="draw").fit(X)
    np.testing.assert_array_equal(once.transform(X), once.transform(X))
    assert not np.array_equal(once.transform(X), imputer.transform(X))


def test_frames_of_several_kinds():
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    kinds = rng.integers(3, size=400)
    frame = pandas.DataFrame(
        {
            "x": kinds * 2.0 + 0.1 * rng.normal(size=400),
            "name": np.array(["a", "bb", "c"])[kinds],
            "flag": pandas.array(kinds == 1, dtype="boolean"),
            "count": pandas.array(kinds * 4, dtype="Int64"),
        },
        index=range(1000, 1400),
    )
    holed = frame.mask(rng.random(frame.shape) < 0.15)
    filled = small(members=1).fit_transform(holed)
    assert not filled.isna().any().any()
    assert (filled.dtypes == holed.dtypes).all()
    pandas.testing.assert_index_equal(filled.index, frame.index)
    for name in ("name", "flag", "count"):
        there = holed[name].notna()
        assert (filled[name][there] == frame[name][there]).all()
        assert (filled[name] == frame[name])[~there].mean() > 0.7


def test_polars_comes_back():
    polars = pytest.importorskip("polars")
    X, _ = with_gaps(load_iris().data)
    frame = polars.DataFrame(X, schema=list("abcd")).fill_nan(None)
    filled = quick().fit(frame).transform(frame)
    assert filled.schema == frame.schema
    assert sum(filled.null_count().row(0)) == 0


def test_a_column_without_values_stays_missing():
    X, _ = with_gaps(load_iris().data)
    X[:, 2] = np.nan
    imputer = quick()
    with pytest.warns(UserWarning, match="column 2 is ignored: it has no values"):
        filled = imputer.fit(X).transform(X)
    assert np.isnan(filled[:, 2]).all()
    assert np.isfinite(np.delete(filled, 2, axis=1)).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fill": "median"}, "fill"),
        ({"members": 0}, "members"),
        ({"rounds": -1}, "rounds"),
        ({"columns": {"nobody": "real"}}, "columns= names 'nobody'"),
    ],
)
def test_parameters_that_cannot_be(settings, message):
    with pytest.raises(ValueError, match=message):
        small(**settings).fit(with_gaps(load_iris().data)[0])


def test_infinite_values_are_refused_by_name():
    X, _ = with_gaps(load_iris().data)
    X[3, 1] = np.inf
    with pytest.raises(ValueError, match="column 1 has 1 infinite values"):
        quick().fit(X)
