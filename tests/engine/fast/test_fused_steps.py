import torch

from isthmus.engine.fast import fused_steps
from isthmus.engine.fast.fused_steps import StepValues


def test_values_come_in_their_order_however_many(monkeypatch):
    monkeypatch.setattr(fused_steps, "BLOCK", 4)
    values = StepValues()
    for count in (1, 4, 9):
        for k in range(count):
            values.append(torch.tensor(float(k)))
        assert values.take_all().tolist() == list(range(count))
