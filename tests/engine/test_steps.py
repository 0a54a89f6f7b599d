import torch

from isthmus.engine import steps
from isthmus.engine.steps import Figures


def test_figures_come_in_their_order_however_many(monkeypatch):
    monkeypatch.setattr(steps, "BLOCK", 4)
    figures = Figures(torch.empty(0))
    for count in (1, 4, 9):
        for k in range(count):
            figures.append(torch.tensor(float(k)))
        assert figures.taken().tolist() == list(range(count))
