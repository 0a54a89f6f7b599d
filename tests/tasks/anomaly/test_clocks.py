"""Tables with clocks and counters: rows that come later are not odd for that, and a wrong hour is."""

import numpy as np
import pytest

from isthmus import AnomalyDetector, AutoEncoder, Compute

pandas = pytest.importorskip("pandas")

MONTH = 24 * 30
QUICK = {"random_state": 0, "compute": Compute(threads=1)}


def month(start, seed, first):
    """Return a log of thirty days, an hour a row, whose load goes with the hour and the weekday."""
    random = np.random.default_rng(seed)
    when = pandas.Series(pandas.date_range(start, periods=MONTH, freq="h"))
    load = 10 - 5 * np.cos(2 * np.pi * when.dt.hour / 24) + 2 * (when.dt.day_of_week >= 5)
    load = load + 0.3 * random.normal(size=MONTH)
    order = first + np.cumsum(random.integers(1, 4, MONTH))
    return pandas.DataFrame({"order": order, "when": when, "load": load, "heat": load / 2 + random.normal(size=MONTH)})


FIRST, LATER = month("2024-01-01", 0, 1000), month("2024-03-11", 1, 90_000)
TOLD = ["column 'order' is ignored: its whole numbers", "column 'when': the place of its times in the day, week"]


def told(fit):
    """Fit, and return the model and how many warnings name each thing that is told of a clock or a counter."""
    with pytest.warns(UserWarning, match="column") as caught:
        model = fit()
    return model, [sum(text in str(one.message) for one in caught) for text in TOLD]


@pytest.fixture(scope="module", params=["clean", "contaminated"])
def detector(request, trained_briefly):
    with trained_briefly(375):
        model, counts = told(lambda: AnomalyDetector(request.param, **QUICK).fit(FIRST))
    assert counts == [1, 1], "each is told once"
    return model


def test_later_rows_of_the_same_pattern_are_ordinary(detector):
    assert (detector.predict(LATER) == -1).mean() < 0.04
    gap = np.median(detector.score_samples(FIRST)) - np.median(detector.score_samples(LATER))
    assert abs(gap) < 0.3


def test_a_wrong_hour_is_odd_and_named(detector):
    wrong = LATER.iloc[12::48].copy()
    wrong["when"] += pandas.Timedelta(hours=12)
    ordinary = detector.score_samples(LATER)
    assert np.median(detector.score_samples(wrong)) < np.quantile(ordinary, 0.01)
    explained = detector.explain(wrong.iloc[:3])
    assert explained.top(1).ravel().tolist() == ["when"] * 3
    hours = (explained.expected["when"] - wrong["when"].iloc[:3]).abs() / pandas.Timedelta(hours=1)
    assert hours.between(8, 16).all(), "expected half a day before or after, or nearly so"
    assert (explained.expected["order"] == wrong["order"].iloc[:3]).all()


def test_likelihoods_of_later_rows_are_ordinary():
    model, counts = told(lambda: AutoEncoder(2, **QUICK).fit(FIRST))
    assert counts == [1, 1]
    first, later = (np.median(model.score_samples(rows)) for rows in (FIRST, LATER))
    assert abs(first - later) < 0.5
    wrong = LATER.assign(when=LATER["when"] + pandas.Timedelta(hours=12)).iloc[12::48]
    assert np.median(model.score_samples(wrong)) < later - 5
    assert (model.score_columns(LATER)[:, 0] == 0).all()


def test_a_trend_is_learned_where_it_is_asked_for():
    asked = {"when": "trend", "order": "real"}
    model = AutoEncoder(2, columns=asked, epochs=2, **QUICK).fit(FIRST)
    assert [column.kind for column in model.columns_[:2]] == ["real", "trend"]
    back = model.reconstruct(FIRST)
    assert not back["when"].equals(FIRST["when"])
    assert back["when"].between(FIRST["when"].min(), FIRST["when"].max()).all()
    assert np.median(model.score_samples(LATER)) < np.median(model.score_samples(FIRST)) - 2


@pytest.mark.parametrize("kind", ["frame", "array", "file", "batches"])
def test_counters_in_tables_of_numbers_alone(kind, tmp_path):
    numbers = [frame[["order", "load", "heat"]] for frame in (FIRST, LATER)]
    if kind == "array":
        numbers = [frame.to_numpy() for frame in numbers]
    if kind == "file":
        pytest.importorskip("pyarrow")
        for place, frame in enumerate(numbers):
            frame.to_parquet(tmp_path / f"{place}.parquet")
        numbers = [tmp_path / "0.parquet", tmp_path / "1.parquet"]
    if kind == "batches":
        numbers = [lambda rows=frame: iter(np.array_split(rows.to_numpy(), 5)) for frame in numbers]
    name = "'order'" if kind in ("frame", "file") else "0"
    with pytest.warns(UserWarning, match=f"column {name} is ignored: its whole numbers") as caught:
        detector = AnomalyDetector(method="mahalanobis", **QUICK).fit(numbers[0])
    assert len(caught) == 1
    assert (detector.predict(numbers[1]) == -1).mean() < 0.04
    assert [column.kind for column in detector.columns_] == ["ignored", "real", "real"]
    kept = AnomalyDetector(method="mahalanobis", columns="real", **QUICK).fit(numbers[0])
    assert (kept.predict(numbers[1]) == -1).mean() > 0.9


def test_where_a_model_takes_no_columns_a_counter_is_told():
    numbers = FIRST[["order", "load", "heat"]]
    with pytest.warns(UserWarning, match=r"column 'order' numbers the rows .* not ignored, because likelihood='mse'"):
        model = AutoEncoder(1, likelihood="mse", epochs=1, **QUICK).fit(numbers)
    assert [(column.kind, column.likelihood) for column in model.columns_] == [("real", "gaussian")] * 3


TABLES = {
    "rows of a grid": np.arange(400.0).reshape(100, 4),
    "counters alone": np.c_[np.arange(100.0), 2 * np.arange(100)],
    "few rows": np.c_[np.arange(20), np.random.default_rng(0).normal(size=20)],
    "fractions": np.c_[np.arange(100) / 10, np.random.default_rng(0).normal(size=100)],
    "pixels": np.random.default_rng(0).integers(0, 256, (300, 9)).astype(np.uint8),
    "duplicates": np.repeat(np.c_[np.arange(50), np.random.default_rng(0).normal(size=50)], 2, axis=0),
}


@pytest.mark.parametrize("case", TABLES)
def test_tables_of_numbers_without_a_counter_stay_such(case):
    model = AutoEncoder(1, epochs=1, **QUICK).fit(TABLES[case])
    assert model.fitted_model().schema.columns is None
    assert {column.kind for column in model.columns_} == {"real"}


def events(days, seed=0):
    """Return rows at random times, and what may tell when each came."""
    random = np.random.default_rng(seed)
    rows = 25 * days
    seconds = np.sort(random.integers(0, 86_400 * days, rows))
    when = pandas.Series(pandas.to_datetime(seconds, unit="s", origin="2024-01-08"))
    load = 10 - 5 * np.cos(2 * np.pi * when.dt.hour / 24) + 0.5 * random.normal(size=rows)
    frame = pandas.DataFrame({"load": load, "heat": load / 2 + random.normal(size=rows)})
    frame["state"] = random.choice(["ok", "late"], rows)
    order = 100_000 + np.cumsum(random.integers(1, 4, rows))
    return frame, {
        "times": when,
        "times of a zone": when.dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin"),
        "text": when.dt.strftime("%Y-%m-%dT%H:%M:%S"),
        "months": when.dt.strftime("%Y-%m"),
        "seconds": 1_704_672_000 + seconds,
        "milliseconds": 1000 * (1_704_672_000 + seconds),
        "seconds with fractions": 1_704_672_000 + seconds + random.random(rows).round(3),
        "dates as numbers": when.dt.strftime("%Y%m%d").astype(int),
        "days of Excel": 45_299 + seconds / 86_400,
        "order": order,
        "order as text": [f"O-{number:07}" for number in order],
        "order lines": np.repeat(order, 2)[:rows],
        "orders as they were closed": order + random.integers(-30, 31, rows),
    }


EVENTS, STAMPS = events(90 + 366)


@pytest.mark.filterwarnings("ignore:column")
@pytest.mark.parametrize("library", ["pandas", "polars", "file"])
@pytest.mark.parametrize("stamp", STAMPS)
def test_false_alarms_of_the_next_day_month_and_year(stamp, library, tmp_path):
    """Fitted on three months."""
    rows = EVENTS.assign(stamp=STAMPS[stamp])
    day = 25 * 90
    later = {"day": rows[day : day + 200], "month": rows[day : day + 750], "year": rows[day::4]}
    given = rows[:day]
    if library == "polars":
        polars = pytest.importorskip("polars")
        given, *others = (polars.from_pandas(frame) for frame in (given, *later.values()))
        later = dict(zip(later, others, strict=True))
    if library == "file":
        pytest.importorskip("pyarrow")
        for name, frame in {"first": given, **later}.items():
            frame.to_parquet(tmp_path / f"{name}.parquet")
        given, later = tmp_path / "first.parquet", {name: tmp_path / f"{name}.parquet" for name in later}
    detector = AnomalyDetector("clean", "mahalanobis", alpha=0.05, **QUICK).fit(given)
    shares = {name: (detector.predict(frame) == -1).mean() for name, frame in later.items()}
    assert max(shares["month"], shares["year"]) <= 0.07, shares
    assert shares["day"] <= 0.09, "200 rows"


def test_drift_names_what_changed_and_no_clock():
    rows = EVENTS.assign(order=STAMPS["order"], when=STAMPS["times"])
    with pytest.warns(UserWarning, match="column"):
        detector = AnomalyDetector("clean", "mahalanobis", **QUICK).fit(rows[:2250])
    found = None
    for start in range(2250, 6000, 750):
        found = detector.drift(rows[start : start + 750], after=found)
    assert (found.changed, found.columns) == (False, ())
    changed = detector.drift(rows[2250:3000].assign(heat=rows["heat"] + 2))
    assert changed.changed
    assert changed.columns == ("heat",)
