"""`TermSums`: the objective's terms summed over an epoch."""

from collections.abc import Iterable

import torch
from torch import Tensor


class TermSums:
    """Sums of the objective's terms over many batches; they stay on the device until `means` is called."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.rows: float | Tensor = 0.0

    def add(self, terms: dict[str, Tensor], weight: Tensor | None) -> None:
        """Add a batch: its terms by name, (B,) each, and the weights of its rows, (B,)."""
        for name, values in terms.items():
            # In float64, where the device has it: an epoch's sum in float32 would swallow the small differences.
            values = values.detach().to(torch.float32 if values.device.type == "mps" else torch.float64)
            summed = values.sum() if weight is None else weight.to(values) @ values
            self.sums[name] = summed if name not in self.sums else self.sums[name] + summed
        self.rows = self.rows + (len(next(iter(terms.values()))) if weight is None else weight.sum())

    def means(self) -> dict[str, float]:
        """Return the mean loss per row and, if the objective has several terms, the mean of each."""
        rows = float(self.rows)
        means = {name: float(summed) / rows for name, summed in self.sums.items()}
        return {"loss": sum(means.values())} | (means if len(means) > 1 else {})


def sum_of(terms: Iterable[Tensor]) -> Tensor:
    """Return the sum of the terms, (B,)."""
    first, *rest = terms
    for term in rest:
        first = first + term
    return first
