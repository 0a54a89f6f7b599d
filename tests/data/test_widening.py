import numpy as np
import pandas as pd
import pytest
import torch

from isthmus.data.reading import learn_table, read_table
from isthmus.data.tables import TableScaling
from isthmus.data.widening import Widening, common_ticks, finer_step

FIRST = pd.DataFrame({"x": [1.0, 2.0, 3.5, 2.0], "n": [1, 2, 2, 1], "k": list("abab")})
FIRST["t"] = pd.to_datetime(["2020-01-01", "2020-01-02"] * 2)
LATER = pd.DataFrame({"x": [-1.25, None, 9.0], "n": [7, 1, 1], "k": list("aba")})
LATER["t"] = [pd.Timestamp(2021, 1, 1, 6), pd.Timestamp(2019, 1, 1), pd.NaT]


def test_ranges_and_roundings_are_those_of_all_rows():
    trend = {"t": "trend"}
    _, schema = learn_table(FIRST, caller="Test", columns=trend)
    widening = Widening(TableScaling(schema.columns))
    widening.look(read_table(LATER, schema, caller="Test")[0:3])
    x, n, k, t = widening.columns
    whole = learn_table(pd.concat([FIRST, LATER]), caller="Test", columns=trend)[1].columns
    assert (x.smallest, x.largest, x.step) == (-1.25, 9.0, 0.01)
    assert (n.smallest, n.largest) == (1.0, 7.0)
    assert (t.smallest, t.largest, t.step) == (whole[3].smallest, whole[3].largest, whole[3].step)
    assert k == schema.columns[2]


def test_missing_rows_change_nothing():
    _, schema = learn_table(FIRST, caller="Test", columns={"t": "trend"})
    scaling = TableScaling(schema.columns)
    widening = Widening(scaling)
    widening.look(torch.full((3, scaling.numbers), torch.nan, dtype=torch.float64))
    assert widening.columns == schema.columns


@pytest.mark.parametrize(
    ("step", "values", "expected"), [(1.0, [1, 2], 1.0), (1.0, [0.5], 0.1), (0.1, [1.0], 0.1), (0.0, [1.0], 0.0)]
)
def test_steps_become_finer_never_coarser(step, values, expected):
    assert finer_step(step, np.array(values, dtype=float)) == expected


def test_ticks():
    assert common_ticks(86_400.0, np.array([0.0, 3600.0, np.nan])) == 3600
