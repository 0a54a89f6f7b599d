"""What is said to make a row normal makes it normal, when it is written into the table."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse

from isthmus import AnomalyDetector, Compute

QUICK = {"random_state": 0, "compute": Compute(threads=1)}


def rows(n=1200):
    random = np.random.default_rng(0)
    when = pd.Series(pd.date_range("2024-01-01", periods=n, freq="37min"))
    age, state = random.integers(18, 90, n), random.choice(["ok", "late"], n)
    hour = 2 * np.pi * when.dt.hour / 24
    return pd.DataFrame(
        {
            "age": age,
            "pay": (1000 + 30 * age + random.normal(0, 100, n)).round(2),
            "state": state,
            "code": np.where(state == "ok", 1.0, 5.0) + 0.1 * random.normal(size=n),
            "member": age > 50,
            "when": when,
            "load": 10 - 5 * np.cos(hour) + 0.3 * random.normal(size=n),
            "wait": pd.to_timedelta(np.round(60 * random.exponential(size=n)), unit="s"),
            "gap": np.where(random.random(n) < 0.2, np.nan, random.normal(size=n)),
        }
    )


ROWS = rows()
WRONG = {
    "number": {"age": 150},
    "fraction": {"pay": 90_000.0},
    "category": {"state": "ok" if ROWS["state"][0] == "late" else "late"},
    "new category": {"state": "lost"},
    "boolean": {"member": not ROWS["member"][0]},
    "time": {"when": ROWS["when"][0] + pd.Timedelta(hours=12)},
    "duration": {"wait": pd.Timedelta(hours=9)},
    "gap": {"load": np.nan},
    "two": {"age": 150, "load": 90.0},
}


@pytest.fixture(scope="module")
def detector():
    with pytest.warns(UserWarning, match="the place of its times"):
        return AnomalyDetector("clean", "mahalanobis", alpha=0.02, **QUICK).fit(ROWS)


@pytest.mark.filterwarnings("ignore:column 'state'")
@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("case", WRONG)
def test_the_change_makes_the_row_normal(detector, case, library):
    row = ROWS.iloc[[0]].copy()
    for name, value in WRONG[case].items():
        row[name] = pd.Series([value], index=row.index, dtype=row[name].dtype)
    assert detector.predict(row) == [-1], "the case is odd"
    given = row if library == "pandas" else pl.from_pandas(row)
    found = detector.explain(given).counterfactuals[0]
    assert found.normal
    assert found.score <= detector.threshold_
    if case == "two":
        assert set(found.columns) >= {"age", "load"}
    assert detector.explain(given).normal_if()[0] == str(found)
    if library == "pandas":
        for name, value in zip(found.columns, found.values, strict=True):
            row[name] = pd.Series([value], index=row.index, dtype=row[name].dtype)
    else:
        pairs = zip(found.columns, found.values, strict=True)
        row = given.with_columns([pl.lit(value, dtype=given[name].dtype).alias(name) for name, value in pairs])
    assert detector.predict(row) == [1]
    np.testing.assert_allclose(-detector.score_samples(row), [found.score])


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("width", [4, 150])
def test_arrays_get_values_of_their_type(kind, width):
    random = np.random.default_rng(1)
    X = (100 * random.normal(size=(300, 2)) @ random.normal(size=(2, width))).astype(kind)
    detector = AnomalyDetector("clean", "mahalanobis", calibration_fraction=None, **QUICK).fit(X)
    odd = X[:6].copy()
    odd[:, 1] += 3000
    odd[3:, 2] -= 3000
    explained = detector.explain(odd)
    assert explained.expected.dtype == kind
    for row, found in enumerate(explained.counterfactuals):
        assert found.normal
        odd[row, [int(str(name)[1:]) for name in found.columns]] = found.values
    assert (detector.predict(odd) == 1).all()


def test_normal_rows_have_no_counterfactual():
    detector = AnomalyDetector("clean", "mahalanobis", calibration_fraction=None, **QUICK)
    X = np.random.default_rng(2).normal(size=(200, 3))
    explained = detector.fit(X).explain(X)
    odd = detector.predict(X) == -1
    assert [found is not None for found in explained.counterfactuals] == odd.tolist()
    assert [text == "normal" for text in explained.normal_if()] == (~odd).tolist()


def test_sparse_rows_have_counterfactuals():
    X = scipy.sparse.random_array((300, 40), density=0.2, format="csr", rng=np.random.default_rng(0))
    detector = AnomalyDetector(calibration_fraction=None, **QUICK).fit(X)
    odd = X[:3].toarray()
    odd[:, 5] = 40.0
    found = detector.explain(scipy.sparse.csr_array(odd)).counterfactuals
    for row, change in enumerate(found):
        assert change is not None
        odd[row, [int(str(name)[1:]) for name in change.columns]] = change.values
        score = -detector.score_samples(scipy.sparse.csr_array(odd[[row]]))[0]
        assert score == pytest.approx(change.score)
        assert (score <= detector.threshold_) == change.normal
