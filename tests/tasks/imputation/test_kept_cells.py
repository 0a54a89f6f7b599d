"""Every cell that is there comes back as it was, whatever its column is taken for."""

import numpy as np
import pytest

from isthmus import AutoEncoder, Compute, Imputer, Masking

pandas = pytest.importorskip("pandas")

ROWS = 200


def quick(**settings):
    member = AutoEncoder(
        latent=4, hidden=(8,), epochs=2, corruption=Masking(0.3, value=None, score="hidden"), compute=Compute(threads=1)
    )
    return Imputer(member, members=2, random_state=0, **settings)


def table(seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=ROWS)
    return pandas.DataFrame(
        {
            "small": z.astype(np.float32),
            "whole": pandas.array(np.round(3 * z).astype(int), dtype="Int64"),
            "truth": pandas.array(z > 0, dtype="boolean"),
            "flag": (z > 0) * 1.0,
            "category": pandas.Categorical(np.where(z > 0, "x", "y")),
            "ordered": pandas.Categorical(np.where(z > 0, "hi", "lo"), categories=["lo", "hi"], ordered=True),
            "text": np.where(z > 0, "up", "down"),
            "id": [f"n{k:04d}" for k in range(ROWS)],
            "count": np.round(3 * np.exp(z)),
            "time": pandas.date_range("2024-01-01", periods=ROWS, freq="7h"),
            "positive": np.exp(2 * z),
        },
        index=[f"row {k}" for k in range(ROWS)],
    )


@pytest.fixture(scope="module")
def holed():
    frame = table()
    return frame.mask(np.random.default_rng(1).random(frame.shape) < 0.15)


@pytest.fixture(scope="module")
def fitted(holed):
    return quick().fit(holed)


def assert_kept(given, filled):
    """Expect the same names, order, labels and types, and every cell that was there as it was."""
    assert list(filled.columns) == list(given.columns)
    assert filled.dtypes.equals(given.dtypes)
    pandas.testing.assert_index_equal(filled.index, given.index)
    for name in given:
        there = given[name].notna()
        assert filled[name][there].astype(object).tolist() == given[name][there].astype(object).tolist(), name


pytestmark = pytest.mark.filterwarnings("ignore:column:UserWarning")


def test_of_every_kind(holed, fitted):
    filled = fitted.transform(holed)
    assert_kept(holed, filled)
    for name in set(holed) - {"id", "time"}:
        assert filled[name].notna().all(), name
    for name in ("id", "time"):
        assert filled[name].isna().equals(holed[name].isna())


def test_in_another_order(holed, fitted):
    turned = holed[holed.columns[::-1]]
    filled = fitted.transform(turned)
    assert_kept(turned, filled)
    pandas.testing.assert_frame_equal(filled[holed.columns], fitted.transform(holed))


def test_values_that_fit_has_not_seen(holed, fitted):
    given = holed.iloc[:6].copy()
    given["text"] = ["Lille", "up", None, "down", "", "UP"]
    given["category"] = given["category"].cat.add_categories("new").fillna("new")
    given["ordered"] = pandas.Categorical(["mid", "hi", None, "lo", "mid", "hi"], ["lo", "mid", "hi"], ordered=True)
    given["count"] = [2.5, 1e20, -7.0, np.nan, 3e9, 1.0]
    given["id"] = ["a", "a", None, "", "b", "n0001"]
    given["time"] = given["time"].astype("datetime64[s]")
    filled = fitted.transform(given)
    assert_kept(given, filled)
    assert np.isfinite(filled["count"]).all()


def test_an_unseen_category_costs_no_more_than_a_missing_one(holed, fitted):
    given = holed.assign(small=np.float32("nan"))
    unseen, missing = given.assign(text="Lille"), given.assign(text=None)
    np.testing.assert_array_equal(fitted.transform(unseen)["small"], fitted.transform(missing)["small"])


@pytest.mark.parametrize("kind", ["polars", "pyarrow"])
def test_other_libraries(holed, kind):
    library = pytest.importorskip(kind)
    frame = library.from_pandas(holed) if kind == "polars" else library.Table.from_pandas(holed)
    filled = quick().fit(frame).transform(frame)
    assert filled.schema == frame.schema
    own, other = (t.to_pandas() for t in (frame, filled))
    for name in holed:
        there = own[name].notna()
        assert own[name][there].tolist() == other[name][there].tolist(), name


def test_numbers_stay_of_their_type():
    X = np.where(np.random.default_rng(0).random((60, 3)) < 0.2, np.nan, np.arange(180.0).reshape(60, 3) % 7)
    for dtype in (np.float32, np.float64):
        filled = quick().fit(X.astype(dtype)).transform(X.astype(dtype))
        assert filled.dtype == dtype
        np.testing.assert_array_equal(filled[~np.isnan(X)], X[~np.isnan(X)].astype(dtype))


def test_whole_numbers_and_flags_get_values_that_occur(holed, fitted):
    filled = fitted.transform(holed)
    assert set(filled["flag"]) == {0.0, 1.0}
    assert (filled["count"] == filled["count"].round()).all()
    expected = quick(fill="mean").fit(holed).transform(holed)
    gaps = holed["flag"].isna()
    assert ((expected["flag"][gaps] > 0) & (expected["flag"][gaps] < 1)).any()
    assert (expected["count"] != expected["count"].round()).any()


def test_draws_are_values_that_occur(holed, fitted):
    for drawn in fitted.draws(holed, 2, random_state=0):
        assert_kept(holed, drawn)
        assert set(drawn["flag"]) == {0.0, 1.0}
        assert (drawn["count"] == drawn["count"].round()).all()
