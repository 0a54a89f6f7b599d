"""How a step of training is taken: by autograd, with the gradient written out, compiled, or recorded and replayed."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Generator, Tensor, nn

from isthmus.core.contract import batch_mean
from isthmus.core.network import Network
from isthmus.engine.devices import arithmetic
from isthmus.engine.fast import fused_backward
from isthmus.engine.fast.matmul import NumpyProducts, TorchProducts
from isthmus.engine.fast.recording import Recorded
from isthmus.engine.optimisers import FlatAdam

if TYPE_CHECKING:
    from isthmus.engine.trainer import Plan

BLOCK = 1024
"""Losses whose memory is asked for together."""


class Steps(Protocol):
    """What the training loop asks for."""

    optimiser: Any

    @property
    def words(self) -> str:
        """How steps are taken, in words."""

    def take(self, x: Tensor, weight: Tensor | None, learning_rate: float) -> None:
        """Take a step on the rows x (B, F) and their weights (B,)."""

    def means(self) -> dict[str, float]:
        """Return the mean over the rows of every term since last asked."""

    def rehearsal(self, x: Tensor, weight: Tensor | None) -> Callable[[], Tensor]:
        """Return what makes the gradient of such a step, with no consequences, and gives it as a vector."""

    def change_precision(self, precision: str) -> None:
        """Make products in another precision from the next step on."""

    @property
    def one_thread_only(self) -> bool:
        """Whether steps on one thread have products by somebody who makes none on several."""

    def leave_to_torch(self) -> None:
        """Let torch make all products."""

    def use_threads(self, count: int) -> None:
        """Take note of how many threads steps are taken on from now on."""

    def release(self) -> None:
        """Leave the network as an ordinary one."""


def of(network: Network, weighted: bool, plan: "Plan", optimiser: torch.optim.Optimizer | None) -> Steps:
    """Return how to take the steps of a plan on rows that are weighted or not."""
    if optimiser is None and not plan.open_ended and not plan.compiled:
        written = fused_backward.of(network, plan.precision, weighted, plan.products)
        if written is not None:
            return WrittenOutSteps(written, plan)
    return AutogradSteps(network, plan, optimiser)


class AutogradSteps:
    """Steps on whatever `network.terms` gives."""

    one_thread_only = False

    def __init__(self, network: Network, plan: "Plan", optimiser: torch.optim.Optimizer | None) -> None:
        self.network = network
        self.precision = plan.precision
        self.optimiser = optimiser or plan.optimiser.build(network.parameters(), plan.learning_rate)
        self.compiled: list[nn.Module] = [network.encoder, network.decoder] if plan.compiled else []
        for module in self.compiled:
            module.compile()
        self.words = "autograd, encoder and decoder compiled" if plan.compiled else "autograd"
        self.sums = TermSums()

    def take(self, x: Tensor, weight: Tensor | None, learning_rate: float) -> None:
        """Take a step on the rows x (B, F) and their weights (B,)."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        self.optimiser.zero_grad()
        try:
            with arithmetic(self.precision, x.device):
                terms = self.network.terms(x, weight)
            batch_mean(sum_of(terms.values()), weight).backward()
        except Exception as error:
            if not self.compiled:
                raise
            raise RuntimeError(
                f"torch.compile cannot compile this network here ({error}); take compiled=False"
            ) from error
        self.optimiser.step()
        self.sums.add(terms, weight)

    def means(self) -> dict[str, float]:
        """Return the mean over the rows of every term since last asked."""
        sums, self.sums = self.sums, TermSums()
        return sums.means()

    def rehearsal(self, x: Tensor, weight: Tensor | None) -> Callable[[], Tensor]:
        """Return what makes the gradient of such a step, with no consequences, and gives it as a vector."""
        twin = deepcopy(self.network).train()

        def rehearse() -> Tensor:
            twin.seed(Generator(x.device).manual_seed(0))
            with arithmetic(self.precision, x.device):
                terms = twin.terms(x, weight)
            twin.zero_grad()
            batch_mean(sum_of(terms.values()), weight).backward()
            return torch.cat([p.grad.flatten() for p in twin.parameters() if p.grad is not None])

        return rehearse

    def change_precision(self, precision: str) -> None:
        """Make products in another precision from the next step on."""
        self.precision = precision

    def leave_to_torch(self) -> None:
        """Do nothing: it makes them already."""

    def use_threads(self, count: int) -> None:
        """Leave it to torch's own setting."""

    def release(self) -> None:
        """Leave the network as an ordinary one."""
        for module in self.compiled:
            module._compiled_call_impl = None


class WrittenOutSteps:
    """Steps with the gradient written out; on a GPU recorded once and replayed."""

    def __init__(self, written: fused_backward.WrittenOut, plan: "Plan") -> None:
        self.written = written
        self.optimiser = FlatAdam(written.flat, written.slope, plan.optimiser, plan.learning_rate)
        self.recorded: Recorded | None = None
        if plan.recorded and written.flat.device.type == "cuda":
            self.recorded = Recorded(self.step)
        self.figures = Figures(written.flat)
        self.sizes: list[int] = []

    @property
    def words(self) -> str:
        """How steps are taken, in words."""
        by_numpy = isinstance(self.written.memory.products, NumpyProducts)
        recorded = ", recorded and replayed" if self.recorded else ""
        return "gradient written out" + recorded + (", products by numpy" if by_numpy else "")

    def step(self, x: Tensor) -> Tensor:
        """Find the gradient and follow it."""
        figure = self.written.step(x)
        self.optimiser.step()
        return figure

    def take(self, x: Tensor, weight: Tensor | None, learning_rate: float) -> None:
        """Take a step on the rows x (B, F)."""
        self.optimiser.param_groups[0]["lr"] = learning_rate
        if self.recorded is None:
            figure = self.step(x)
        else:
            self.optimiser.hold(learning_rate)
            figure = self.recorded(x, self.written.network.generators)
        self.figures.append(figure)
        self.sizes.append(len(x))

    def means(self) -> dict[str, float]:
        """Return the mean loss over the rows since last asked."""
        figures = self.figures.taken()
        self.written.follow(figures)
        losses = self.written.losses(figures).cpu().double()
        sizes = torch.tensor(self.sizes, dtype=torch.float64)
        self.sizes = []
        return {"loss": float(sizes @ losses / sizes.sum())}

    def rehearsal(self, x: Tensor, weight: Tensor | None) -> Callable[[], Tensor]:
        """Return what makes the gradient of such a step, with no consequences, and gives it as a vector."""
        network = self.written.network

        def rehearse() -> Tensor:
            before = next(iter(network.generators), None)
            network.seed(Generator(x.device).manual_seed(0))
            self.written.step(x)
            network.seed(before)
            return self.written.slope

        return rehearse

    def change_precision(self, precision: str) -> None:
        """Make products in another precision from the next step on."""
        self.written.halve(precision == "bfloat16")
        if self.recorded is not None:
            self.recorded = Recorded(self.step, self.recorded.record)

    @property
    def one_thread_only(self) -> bool:
        """Whether steps on one thread have products by somebody who makes none on several."""
        return isinstance(self.written.products, NumpyProducts)

    def leave_to_torch(self) -> None:
        """Let torch make all products."""
        self.written.products = TorchProducts()
        self.written.halve(self.written.halved)

    def use_threads(self, count: int) -> None:
        """Let whoever is faster on so many threads make the products."""
        self.written.use_threads(count)

    def release(self) -> None:
        """Give the network's weights memory of their own again."""
        self.written.release()


class Figures:
    """A number a step, on the device, in memory that is there before them.

    Each in memory of its own they would stand between larger pieces that come and go, and keep those from being used
    again.

    Parameters
    ----------
    like
        A tensor of their number type on their device.
    """

    def __init__(self, like: Tensor) -> None:
        self.like = like
        self.blocks: list[Tensor] = []
        self.free: list[Tensor] = []

    def append(self, figure: Tensor) -> None:
        """Add a number."""
        if not self.free:
            self.blocks.append(self.like.new_empty(BLOCK))
            self.free = list(self.blocks[-1].unbind())[::-1]
        self.free.pop().copy_(figure)

    def taken(self) -> Tensor:
        """Return all numbers, (count,), and begin anew."""
        figures = torch.cat(self.blocks)[: BLOCK * len(self.blocks) - len(self.free)]
        self.blocks, self.free = [], []
        return figures


class TermSums:
    """Sums of the objective's terms over an epoch; they stay on the device until they are asked for."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.rows: float | Tensor = 0.0

    def add(self, terms: dict[str, Tensor], weight: Tensor | None) -> None:
        """Add a batch: terms (B,) by name, and the weights (B,)."""
        for name, values in terms.items():
            # In float64, where the device has it: an epoch's sum in float32 would swallow the small differences.
            values = values.detach().to(torch.float32 if values.device.type == "mps" else torch.float64)
            summed = values.sum() if weight is None else weight.to(values) @ values
            self.sums[name] = summed if name not in self.sums else self.sums[name] + summed
        self.rows = self.rows + (len(next(iter(terms.values()))) if weight is None else weight.sum())

    def means(self) -> dict[str, float]:
        """Return the loss and, where it has several, its terms: means over the rows."""
        rows = float(self.rows)
        means = {name: float(summed) / rows for name, summed in self.sums.items()}
        return {"loss": sum(means.values())} | (means if len(means) > 1 else {})


def sum_of(terms: Iterable[Tensor]) -> Tensor:
    """Return the sum of the terms, (B,)."""
    first, *rest = terms
    for term in rest:
        first = first + term
    return first
