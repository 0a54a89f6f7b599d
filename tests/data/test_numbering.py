import numpy as np
import pytest

from isthmus.data.fields import Cells, Field
from isthmus.data.numbering import Numbering, goes_with, is_clock, may_number, unevenness

N = 120
RANDOM = np.random.default_rng(0)
ORDER = RANDOM.permutation(N)


def seen(values, cuts=1):
    found = Numbering()
    for piece in np.array_split(np.asarray(values), cuts):
        found.look(piece)
    return found


def numbers(found):
    """Return whether a column numbers the rows, where no other goes with it."""
    return found.is_certain() or found.is_likely()


NUMBERINGS = {
    "a range": np.arange(N),
    "a range that falls": 1000 - np.arange(N),
    "tens": 10 * np.arange(N) + 7,
    "a permutation": ORDER,
    "tens, permuted": 10 * ORDER + 7,
    "floats": np.arange(N, dtype=float),
    "four fifths of a range": np.sort(RANDOM.permutation(150)[:N]),
    "half of a range, permuted": RANDOM.permutation(2 * N)[:N],
    "a fifth of a range, permuted": RANDOM.permutation(5 * N)[:N],
    "steps from 1 to 5": np.cumsum(RANDOM.integers(1, 6, N)),
    "every minute or so": 1_700_000_000 + 60 * np.arange(N) + RANDOM.integers(-9, 10, N),
    "every minute or so, permuted": (1_700_000_000 + 60 * np.arange(N) + RANDOM.integers(-9, 10, N))[ORDER],
    "negative": np.arange(-50, N - 50),
    "large": 10**15 + np.arange(N),
    "larger than floats tell apart": 2**60 + ORDER,
    "larger than signed numbers": 2**64 - 1 - np.arange(N, dtype=np.uint64),
}
OTHERS = {
    "fractions": np.arange(N) / 2,
    "few rows": np.arange(20),
    "one of them twice": np.append(np.arange(N), 5),
    "each of them twice": np.repeat(np.arange(N), 2),
    "uniform": RANDOM.permutation(10**6)[:N],
    "normal": np.unique(np.round(1e6 * RANDOM.normal(size=N)))[RANDOM.permutation(N)],
    "prices, sorted": np.unique(np.round(1e6 * np.exp(RANDOM.normal(size=N)))),
    "a random walk": np.cumsum(RANDOM.integers(-9, 10, N)),
    "squares": np.arange(N) ** 2,
    "cubes": np.arange(N) ** 3,
    "powers": 2.0 ** np.arange(40),
}


@pytest.mark.parametrize("cuts", [1, 3, N])
@pytest.mark.parametrize("case", NUMBERINGS)
def test_numberings(case, cuts):
    assert numbers(seen(NUMBERINGS[case], cuts))


@pytest.mark.parametrize("cuts", [1, 3])
@pytest.mark.parametrize("case", OTHERS)
def test_what_numbers_nothing(case, cuts):
    assert not numbers(seen(OTHERS[case], cuts))


@pytest.mark.parametrize("rows", [21, 30, 60, 200])
def test_independent_values_are_hardly_ever_numberings(rows):
    """Whole numbers of a wide range, each there once by chance, in any order."""
    draws = (np.random.default_rng(seed).integers(0, 10**6, rows) for seed in range(500))
    assert np.mean([numbers(seen(values)) for values in draws]) < 0.01


@pytest.mark.parametrize("rows", [21, 30, 60, 200])
def test_steps_of_any_width_up_to_a_greatest_one_are_even(rows):
    draws = (np.cumsum(np.random.default_rng(seed).integers(1, 5, rows)) for seed in range(200))
    assert np.mean([numbers(seen(values)) for values in draws]) > 0.7


def test_of_very_many_values_the_first_are_kept(monkeypatch):
    monkeypatch.setattr("isthmus.data.numbering.MOST_NUMBERED", 50)
    found = seen(np.arange(N), 4)
    assert len(found.values) == 50
    assert numbers(found)
    assert not numbers(seen(np.append(np.arange(N), np.arange(60)), 3)), "more values than there are numbers"


@pytest.mark.parametrize(
    "case", ["a range", "tens, permuted", "every minute or so, permuted", "larger than floats tell apart"]
)
def test_even_steps_are_certain(case):
    assert seen(NUMBERINGS[case]).is_certain()


def test_uneven_steps_are_not_certain_but_for_seconds_that_rise():
    arrivals = np.cumsum(1 + np.round(RANDOM.exponential(300, 500))).astype(int)
    for case in ("steps from 1 to 5", "four fifths of a range"):
        assert not seen(NUMBERINGS[case]).is_certain()
    assert not seen(arrivals).is_certain()
    for unit in (1, 10**3, 10**6, 10**9):
        assert seen((1_700_000_000 + arrivals) * unit, 3).is_certain()
    assert not seen(1_700_000_000 + arrivals[RANDOM.permutation(500)]).is_certain()


def test_clocks_rise_along_a_line():
    arrivals = np.cumsum(1 + np.round(RANDOM.exponential(300, 500)))
    assert is_clock(arrivals)
    assert is_clock(-arrivals)
    assert seen(arrivals).rises()
    assert not is_clock(arrivals[RANDOM.permutation(500)])


@pytest.mark.parametrize("rows", [25, 60, 200])
def test_sorted_measurements_are_hardly_ever_clocks(rows):
    for share, shape in ((0.2 if rows < 50 else 0.06, lambda values: values), (0.01, np.exp)):
        draws = (np.sort(np.round(1e6 * shape(np.random.default_rng(k).normal(size=rows)))) for k in range(300))
        assert np.mean([is_clock(values) for values in draws]) <= share


def test_steps_between_values_in_order():
    assert unevenness(np.array([3.0, 1.0, 2.0])) == 0
    assert unevenness(np.array([0.0, 3.0, 1.0])) == pytest.approx(1 / 3)


def test_the_first_values():
    assert may_number(np.array([3, 1, 2]))
    assert not may_number(np.array([1.5, 2.0]))
    assert not may_number(np.array([1, 1]))


def column(values, sort="float", missing=None):
    values = np.asarray(values)
    return Field("y", sort, ""), Cells(values, np.zeros(len(values), dtype=bool) if missing is None else missing)


def test_other_columns_that_go_with_one():
    values, noise = np.sort(RANDOM.exponential(size=N)), RANDOM.normal(size=N)
    values[5] = np.nan
    related = np.arange(N) + 10 * noise
    assert goes_with(values, *column(related))
    assert goes_with(values, *column(-related, missing=noise > 1))
    assert goes_with(values, *column(np.where(related > 60, "a", "b").astype(object), "text"))
    assert not goes_with(values, *column(noise))
    assert not goes_with(values, *column(np.where(noise > 0, "a", "b").astype(object), "text"))
    assert not goes_with(values, *column(np.arange(N).astype(str).astype(object), "text")), "every value once"
    assert not goes_with(values, *column(np.ones(N)))
    assert not goes_with(values, *column(related, missing=np.arange(N) > 10)), "too few rows"
