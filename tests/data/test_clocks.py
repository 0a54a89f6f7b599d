import numpy as np
import pytest

from isthmus.data.clocks import Clock, are_dates, in_order, may_be_clock, rises_evenly

N = 400
RANDOM = np.random.default_rng(0)
SECONDS = np.sort(RANDOM.integers(0, 90 * 86_400, N))
IDS = 100_000 + np.cumsum(RANDOM.integers(1, 4, N))
DATES = np.repeat([20240130, 20240131, 20240201, 20240229, 20240301], N // 5)


def seen(values, cuts=1):
    found = Clock()
    for piece in np.array_split(np.asarray(values), cuts):
        found.look(piece)
    return found


CERTAIN = {
    "seconds, some twice": 1_700_000_000 + SECONDS // 3600 * 3600,
    "seconds with fractions": 1.7e9 + SECONDS + RANDOM.random(N).round(3),
    "milliseconds": 1000 * (1_700_000_000 + SECONDS),
    "seconds, in no order": (1_700_000_000 + SECONDS)[RANDOM.permutation(N)],
    "dates": DATES,
    "dates, in no order": DATES[RANDOM.permutation(N)].astype(float),
    "dates and minutes": DATES * 10_000 + 1530,
    "dates and seconds": DATES * 1_000_000 + 153059,
}
LIKELY = {
    "ids with several rows each": np.repeat(IDS, 3)[:N],
    "ids slightly out of order": IDS + RANDOM.integers(-9, 10, N),
    "ids that fall": -IDS,
    "days of Excel": 45_299.25 + SECONDS / 86_400,
}
OTHERS = {
    "ages, sorted": np.sort(RANDOM.integers(18, 90, N)),
    "prices, sorted": np.sort(np.round(100 * RANDOM.lognormal(3, 1, N))),
    "normal values, sorted": np.sort(RANDOM.normal(size=N)),
    "even fractions": np.arange(N) / 10,
    "a random walk": np.cumsum(RANDOM.integers(-9, 10, N)),
    "amounts": RANDOM.integers(10**9, 2 * 10**9, N),
    "a constant": np.full(N, 1_700_000_000),
    "eight digits": RANDOM.integers(19_700_101, 21_000_000, N),
    "few rows": 1_700_000_000 + np.arange(20),
    "a sorted flag": np.arange(N) > 200,
    "huge": 2.0**60 + np.arange(N),
}


@pytest.mark.parametrize("cuts", [1, 3, N])
@pytest.mark.parametrize("case", CERTAIN)
def test_times_are_certain(case, cuts):
    assert seen(CERTAIN[case], cuts).is_certain()


@pytest.mark.parametrize("cuts", [1, 3, N])
@pytest.mark.parametrize("case", LIKELY)
def test_counters_are_likely(case, cuts):
    found = seen(LIKELY[case], cuts)
    assert found.is_likely()
    assert found.rises()
    assert not found.is_certain(), "other columns are asked"


@pytest.mark.parametrize("cuts", [1, 3])
@pytest.mark.parametrize("case", OTHERS)
def test_what_is_no_clock(case, cuts):
    found = seen(OTHERS[case], cuts)
    assert not found.is_certain()
    assert not found.is_likely()


def test_rows_far_from_their_place_are_in_no_order():
    order = np.arange(1000)
    order[[3, 700]] = order[[700, 3]]
    assert not in_order(order)
    order = np.arange(1000)
    order[[3, 40]] = order[[40, 3]]
    assert in_order(order)
    assert in_order(-order)


def test_the_first_values_tell_what_may_be_a_clock():
    many = np.tile(RANDOM.normal(size=1024), 3)
    found = seen(many, 5)
    assert not found.possible
    assert not found.pieces
    assert may_be_clock(np.arange(30))


def test_months_and_days_are_those_of_the_calendar():
    assert are_dates(np.array([20240131, 20241231, 19700101.0]))
    for wrong in (20241301, 20240132, 21240101, 20240100, 20240131.5):
        assert not are_dates(np.array([20240131, wrong]))
    assert not are_dates(np.array([202401312460, 202401310000]))


def test_rising_evenly():
    assert rises_evenly(np.repeat(np.arange(50), 2))
    assert not rises_evenly(np.arange(100) ** 2)
