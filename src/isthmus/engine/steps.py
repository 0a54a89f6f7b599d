"""The steps of training: the contract `Steps` that the training loop knows, and steps by autograd."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from copy import deepcopy
from typing import Protocol

import torch
from torch import Generator, Tensor, nn

from isthmus.core.contract import batch_mean
from isthmus.core.trainable import Trainable
from isthmus.engine.devices import arithmetic
from isthmus.engine.plan import Plan
from isthmus.engine.term_sums import TermSums, sum_of

DryRun = Callable[[], Tensor]
"""Computes the gradient of a step, changes nothing else, and returns the gradient as a vector."""


class Steps(Protocol):
    """How a training run takes its steps; the training loop asks for nothing else.

    `engine/fast` returns the one implementation: it chooses a `GradientSteps`, the threads and the precision.
    """

    @property
    def optimiser(self) -> torch.optim.Optimizer | None:
        """The optimiser, with which a later run can continue; None if these steps cannot be continued."""
        ...

    @property
    def description(self) -> str:
        """How steps are taken, for the fit report."""
        ...

    @property
    def precision_description(self) -> str:
        """In which precision weights are kept and matrices multiplied, and why, for the fit report."""
        ...

    @property
    def threads_description(self) -> str:
        """How many threads are used, and why, for the fit report."""
        ...

    def running(self) -> AbstractContextManager[None]:
        """Return the context of a whole run; it sets the number of threads and restores it."""
        ...

    def prepare(self, validation_loss: Callable[[str], float]) -> None:
        """Choose what is chosen by trial, before the first step.

        `validation_loss` returns the loss of the current weights with matrix products in the precision of that name.
        """

    def start_epoch(self) -> None:
        """Note that the first step of an epoch comes next."""

    def take(self, x: Tensor, weight: Tensor | None, learning_rate: float) -> None:
        """Take a step on the rows x (B, F) with their weights (B,)."""

    def step_done(self) -> None:
        """Note that a step and its callbacks are done."""

    def means(self) -> dict[str, float]:
        """Return the mean per row of every term since the last call."""
        ...

    def forget_gradients(self) -> None:
        """Let the optimiser forget past gradients."""

    def no_better_epoch(self, epoch: int) -> None:
        """Note that `epoch` brought no better validation loss."""

    def evaluating(self, precision: str = "float32") -> AbstractContextManager[None]:
        """Return the context of an evaluation, with matrix products in the precision of that name."""
        ...

    def release(self) -> None:
        """Leave the network as an ordinary one."""


class GradientSteps(Protocol):
    """One way of finding the gradient of a batch and following it; the defaults are those of plain steps."""

    optimiser: torch.optim.Optimizer | None = None
    """The optimiser, with which a later run can continue; None if these steps cannot be continued."""
    dry_run_is_cheap: bool = False
    """Whether a dry run costs no more than a step, and gives the same bits with several thread counts."""
    precision_can_change: bool = False
    """Whether `change_precision` may be called between two steps."""
    numpy_on_one_thread: bool = False
    """Whether numpy multiplies matrices in steps on one thread; in steps on several threads torch does."""

    @property
    def description(self) -> str:
        """How steps are taken, for the fit report."""
        ...

    def take(self, x: Tensor, weight: Tensor | None, learning_rate: float) -> None:
        """Take a step on the rows x (B, F) with their weights (B,)."""

    def means(self) -> dict[str, float]:
        """Return the mean per row of every term since the last call."""
        ...

    def forget_gradients(self) -> None:
        """Let the optimiser forget past gradients."""

    def dry_run(self, x: Tensor, weight: Tensor | None) -> DryRun:
        """Return a dry run of a step on the rows x (B, F) with their weights (B,)."""
        ...

    def change_precision(self, precision: str) -> None:
        """Multiply matrices in another precision from the next step on."""

    def use_torch_matmul(self) -> None:
        """Let torch multiply all matrices, whatever the number of threads."""
        return

    def use_threads(self, count: int) -> None:
        """Note that the next steps are taken on so many threads."""
        return

    def release(self) -> None:
        """Leave the network as an ordinary one."""


class AutogradSteps(GradientSteps):
    """Steps on whatever terms `network.terms` returns, with the gradient by autograd.

    Parameters
    ----------
    network
        The network to train.
    plan
        The settings of the run.
    optimiser
        An optimiser to continue with; None builds a new one.
    """

    def __init__(self, network: Trainable, plan: Plan, optimiser: torch.optim.Optimizer | None) -> None:
        self.network = network
        self.precision = plan.precision
        self.optimiser: torch.optim.Optimizer = optimiser or plan.optimiser.build(
            network.parameters(), plan.learning_rate
        )
        self.compiled: list[nn.Module] = [*network.compilable] if plan.compile else []
        for module in self.compiled:
            module.compile()
        self.sums = TermSums()

    @property
    def description(self) -> str:
        """How steps are taken, for the fit report."""
        return "autograd, encoder and decoder compiled" if self.compiled else "autograd"

    def take(self, x: Tensor, weight: Tensor | None, learning_rate: float) -> None:
        """Take a step on the rows x (B, F) with their weights (B,)."""
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
                f"torch.compile cannot compile this network on this machine ({error}); "
                "take compute=Compute(compile=False)"
            ) from error
        self.optimiser.step()
        self.sums.add(terms, weight)

    def means(self) -> dict[str, float]:
        """Return the mean per row of every term since the last call."""
        sums, self.sums = self.sums, TermSums()
        return sums.means()

    def forget_gradients(self) -> None:
        """Let the optimiser forget past gradients."""
        self.optimiser.state.clear()

    def dry_run(self, x: Tensor, weight: Tensor | None) -> DryRun:
        """Return a dry run of a step, on a copy of the network."""
        twin = deepcopy(self.network).train()

        def gradient() -> Tensor:
            twin.seed(Generator(x.device).manual_seed(0))
            with arithmetic(self.precision, x.device):
                terms = twin.terms(x, weight)
            twin.zero_grad()
            batch_mean(sum_of(terms.values()), weight).backward()
            return torch.cat([p.grad.flatten() for p in twin.parameters() if p.grad is not None])

        return gradient

    def change_precision(self, precision: str) -> None:
        """Multiply matrices in another precision from the next step on."""
        self.precision = precision

    def release(self) -> None:
        """Leave the network as an ordinary one, no longer compiled."""
        for module in self.compiled:
            module._compiled_call_impl = None
