import math

import pytest

from isthmus.engine import Plan


@pytest.mark.parametrize("rows", [1, 2, 8, 9, 1000])
@pytest.mark.parametrize("batch_size", [1, 8, 256])
def test_batches_hold_every_row_and_no_more_than_they_may(rows, batch_size):
    plan = Plan(epochs=1, batch_size=batch_size, learning_rate=0.1)
    assert plan.batches(rows) == math.ceil(rows / batch_size)
    assert plan.largest_batch(rows) <= batch_size
    assert plan.batches(rows) * plan.largest_batch(rows) >= rows
