import numpy as np
import pandas as pd
import pytest

from isthmus.data.reading import learn_table
from isthmus.data.row_order import RowOrder, ordered_at_first

N = 300
RANDOM = np.random.default_rng(0)
ARRIVALS = np.sort(RANDOM.integers(0, 10**7, N))
CASES = {
    "number the rows": np.arange(N),
    "its numbers are times": 1_700_000_000 + np.repeat(ARRIVALS[: N // 2], 2),
    "rise or fall with the rows": np.repeat(1000 + np.arange(N // 2), 2),
}


@pytest.mark.parametrize("kind", ["frame", "array", "batches"])
@pytest.mark.parametrize("why", CASES)
def test_a_column_that_tells_the_order_is_ignored_and_says_why(why, kind):
    frame = pd.DataFrame({"order": CASES[why].astype(float), "x": RANDOM.normal(size=N), "y": RANDOM.normal(size=N)})
    X = {"frame": frame, "array": frame.to_numpy(), "batches": lambda: iter(np.array_split(frame.to_numpy(), 4))}[kind]
    with pytest.warns(UserWarning, match=why):
        _, schema = learn_table(X, caller="me")
    assert [column.kind for column in schema.columns] == ["ignored", "real", "real"]


def test_a_counter_that_another_column_goes_with_is_a_measurement():
    rising = np.repeat(1000 + np.arange(N // 2), 2)
    frame = pd.DataFrame({"size": rising, "price": rising + 20 * RANDOM.normal(size=N)})
    assert learn_table(frame, caller="me")[1].columns is None


def test_times_call_for_the_type():
    order = RowOrder()
    order.look(CASES["its numbers are times"])
    call = "pandas.to_datetime makes times of them, whose place in the day and week is learned; columns={'t': 'real'}"
    assert f"{call} learns them" in order.why("t")


def test_the_first_values():
    assert ordered_at_first([np.zeros(50), np.arange(50)])
    assert ordered_at_first([np.repeat(np.arange(50), 2)])
    assert not ordered_at_first([np.arange(20), np.arange(50) > 3, np.array(list("ab") * 30, dtype=object)])
    assert not ordered_at_first([RANDOM.normal(size=50)])
