import numpy as np
import pytest
import torch

from isthmus.data.calendar import CYCLES, YEAR, CyclesSeen, direction, moved


def days(*values):
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("cycle", CYCLES)
def test_cycles_go_around(cycle):
    length = CYCLES[cycle]
    around = direction(days(0.0, length, 7 * length, 0.25 * length)[:, None], cycle)
    torch.testing.assert_close(around.square().sum(1), torch.ones(4, dtype=torch.float64))
    torch.testing.assert_close(around[1:3], around[:1].expand(2, 2), rtol=0, atol=1e-9)
    torch.testing.assert_close((around[0] * around[3]).sum(), days(0.0)[0], atol=1e-9, rtol=0)


def test_mondays_begin_weeks():
    monday = direction(days(4.0)[:, None], "week")  # 5 January 1970
    torch.testing.assert_close(monday, days(0.0, 1.0)[None], rtol=0, atol=1e-12)


@pytest.mark.parametrize("cycle", CYCLES)
def test_times_move_to_the_nearest_place(cycle):
    random = np.random.default_rng(0)
    times = torch.from_numpy(random.integers(0, 20_000, 50) + random.random(50))
    step = CYCLES[cycle] * torch.from_numpy(random.uniform(-0.49, 0.49, 50))
    step = step if cycle == "day" else step.round()
    expected = 0.5 * direction((times + step)[:, None], cycle)
    torch.testing.assert_close(moved(times, cycle, expected), times + step, rtol=0, atol=1e-6)
    torch.testing.assert_close(moved(times, cycle, 0.1 * expected), times, msg="nothing is expected")


def seen(values, per_day=24, cuts=1):
    found, values = CyclesSeen(), np.asarray(values)
    for piece in np.array_split(values, cuts):
        found.look(piece, per_day)
    return found.repeated((values.max() - values.min()) / per_day)


HOURS = np.arange(24 * 1000)
CASES = {
    "a day and a half": (HOURS[:36], ()),
    "two days and an hour": (HOURS[:50], ("day",)),
    "thirteen days": (HOURS[: 13 * 24], ("day",)),
    "fifteen days": (HOURS[: 15 * 24], ("day", "week")),
    "two years and a half": (HOURS[: int(2.5 * 24 * YEAR)], ("day", "week", "year")),
    "every day at nine": (HOURS[9::24][:100], ("week",)),
    "every Monday": (HOURS[4 * 24 :: 7 * 24][:50], ()),
    "every Monday, at all hours": (HOURS[np.isin(HOURS // 24 % 7, 4)], ("day", "year")),
    "the first of every year": (np.arange(30) * 24 * 365 + np.arange(30) // 4 * 24, ("week",)),
    "one moment": (np.zeros(50, dtype=int), ()),
}


@pytest.mark.parametrize("case", CASES)
def test_cycles_that_times_repeat(case):
    hours, expected = CASES[case]
    assert seen(hours) == expected
    assert seen(np.random.default_rng(0).permutation(hours), cuts=3) == expected
    assert seen(hours * 3600, per_day=86_400) == expected


def test_the_firsts_of_a_few_months_teach_no_weekday():
    months = np.array([f"2024-{month:02}-01" for month in range(1, 5)], dtype="M8[D]").astype(np.int64)
    assert seen(np.repeat(months, 30), per_day=1) == ()
    years = np.arange("2020-01", "2024-01", dtype="M8[M]").astype("M8[D]").astype(np.int64)
    assert seen(years, per_day=1) == ("week", "year")
    assert seen(np.arange(15), per_day=1) == ("week",)
