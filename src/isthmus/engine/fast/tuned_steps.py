"""`steps_for`: the one entrance to `engine/fast`; it returns the fastest steps that train a network as asked."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from isthmus.core.blas import BLAS_THREADS
from isthmus.core.torch_threads import threads
from isthmus.core.trainable import Trainable
from isthmus.data.rows import Rows
from isthmus.data.table import Index
from isthmus.engine.devices import SHORT_STEP, arithmetic
from isthmus.engine.fast import precision, zero_skipping
from isthmus.engine.fast.fused_backward import fused_backward
from isthmus.engine.fast.fused_steps import FusedSteps
from isthmus.engine.fast.thread_tuner import ROUNDS, STEPS, ThreadTuner
from isthmus.engine.optimisers import Adam
from isthmus.engine.plan import Plan
from isthmus.engine.steps import AutogradSteps, DryRun, GradientSteps, Steps


def steps_for(
    network: Trainable, rows: Rows, index: Index, plan: Plan, optimiser: torch.optim.Optimizer | None
) -> Steps:
    """Return the steps of a training run.

    Parameters
    ----------
    network
        The network to train.
    rows
        The data.
    index
        Which rows are training rows.
    plan
        The settings of the run.
    optimiser
        An optimiser to continue with; None builds a new one.
    """
    return TunedSteps(network, rows, index, plan, gradient_steps(network, rows, plan, optimiser))


def gradient_steps(
    network: Trainable, rows: Rows, plan: Plan, optimiser: torch.optim.Optimizer | None
) -> GradientSteps:
    """Return steps by a fused backward pass where the network and the plan allow it, else by autograd."""
    # Exactly Adam: a subclass may build another optimiser.
    if optimiser is None and not plan.open_ended and not plan.compile and type(plan.optimiser) is Adam:
        backward = fused_backward(network, plan.precision, rows.weight is not None, plan.matmul, plan.repeatable)
        if backward is not None:
            return FusedSteps(backward, plan.optimiser, plan.learning_rate, plan.cuda_graph)
    return AutogradSteps(network, plan, optimiser)


class TunedSteps(Steps):
    """Gradient steps with everything around them that is only about speed.

    That is: the number of threads, the precision of matrix products and the skipping of zeros in the first layer.

    Parameters
    ----------
    network, rows, index, plan
        As in `steps_for`.
    steps
        Compute the gradient and follow it.
    """

    def __init__(self, network: Trainable, rows: Rows, index: Index, plan: Plan, steps: GradientSteps) -> None:
        self.network = network
        self.rows = rows
        self.index = index
        self.plan = plan
        self.steps = steps
        self.skips_zeros = zero_skipping.choose(network, rows, plan)
        self.bfloat16_by_choice = False
        self.precision = str(rows.dtype).removeprefix("torch.")
        if plan.precision == "bfloat16":
            self.precision = "bfloat16 matrix products, float32 weights"
        self.tuner = ThreadTuner(self.thread_counts(), self.dry_runs, plan.repeatable, on_change=steps.use_threads)

    # -- what was chosen --------------------------------------------------------------------------------------------

    @property
    def optimiser(self) -> torch.optim.Optimizer | None:
        """The optimiser, with which a later run can continue; None if these steps cannot be continued."""
        return self.steps.optimiser

    @property
    def description(self) -> str:
        """How steps are taken, for the fit report."""
        skips_zeros = self.skips_zeros and not self.bfloat16_by_choice
        return self.steps.description + (", zeros skipped in the first layer" if skips_zeros else "")

    @property
    def precision_description(self) -> str:
        """In which precision weights are kept and matrices multiplied, and why, for the fit report."""
        return self.precision

    @property
    def threads_description(self) -> str:
        """How many threads are used, and why, for the fit report."""
        return self.tuner.description

    @property
    def largest_batch(self) -> int:
        """Rows of the largest batch."""
        return self.plan.largest_batch(len(self.index))

    @property
    def operations(self) -> float:
        """Floating-point operations per step: six per weight and row."""
        weights = sum(parameter.numel() for parameter in self.network.parameters())
        return 6.0 * self.largest_batch * weights

    # -- around a run -----------------------------------------------------------------------------------------------

    @contextmanager
    def running(self) -> Iterator[None]:
        """Use the chosen number of threads inside the block; numpy gets one thread."""
        with self.tuner, BLAS_THREADS.held():
            yield

    @contextmanager
    def evaluating(self, precision: str = "float32") -> Iterator[None]:
        """Multiply matrices in the precision of that name; in a repeatable run, on the same number of threads."""
        count = self.tuner.counts[0] if self.plan.repeatable else None
        with arithmetic(precision, self.rows.device), threads(count):
            yield

    def prepare(self, validation_loss: Callable[[str], float]) -> None:
        """Choose precision and threads by trial, where there is a choice."""
        self.network.train()
        if self.plan.precision == "auto" and self.steps.precision_can_change:
            self.choose_precision(validation_loss)
        if len(self.tuner.counts) > 1:
            self.network.train()
            self.tuner.choose()

    def release(self) -> None:
        """Leave the network as an ordinary one."""
        self.steps.release()
        zero_skipping.stop(self.network)

    # -- steps ------------------------------------------------------------------------------------------------------

    def start_epoch(self) -> None:
        """Note that the first step of an epoch comes next."""
        self.tuner.start_epoch()

    def take(self, x: Tensor, weight: Tensor | None, learning_rate: float) -> None:
        """Take a step on the rows x (B, F) with their weights (B,)."""
        self.steps.take(x, weight, learning_rate)

    def step_done(self) -> None:
        """Note that a step and its callbacks are done; a slow step may lead to another number of threads."""
        self.tuner.step_done()

    def means(self) -> dict[str, float]:
        """Return the mean per row of every term since the last call."""
        return self.steps.means()

    def forget_gradients(self) -> None:
        """Let the optimiser forget past gradients."""
        self.steps.forget_gradients()

    def no_better_epoch(self, epoch: int) -> None:
        """Return to float32 matrix products, if bfloat16 was chosen by trial."""
        if self.bfloat16_by_choice:
            self.bfloat16_by_choice = False
            self.steps.change_precision("float32")
            self.precision += f"; float32 after epoch {epoch}"

    # -- choices ----------------------------------------------------------------------------------------------------

    def choose_precision(self, validation_loss: Callable[[str], float]) -> None:
        """Multiply in bfloat16 where that is faster and the loss is the same."""
        x, _ = self.rows.batch(self.index[: self.largest_batch])
        shapes = [parameter.shape for parameter in self.network.parameters()]
        name, self.precision = precision.choose(
            self.steps, shapes, x, self.operations, validation_loss, self.plan.repeatable
        )
        self.bfloat16_by_choice = name == "bfloat16"
        self.steps.change_precision(name)

    def thread_counts(self) -> Sequence[int]:
        """Return the thread counts to choose from: a single one where a trial would cost more than it can gain."""
        counts = self.plan.threads or [torch.get_num_threads()]
        if self.rows.device.type != "cpu":
            return counts[:1]
        if self.plan.repeatable and self.steps.numpy_on_one_thread:
            # numpy and torch round differently, so a trial must not decide which of them multiplies.
            if self.operations < SHORT_STEP or len(counts) == 1:
                return counts[:1]
            self.steps.use_torch_matmul()
        steps = self.plan.epochs * self.plan.batches(len(self.index))
        long = steps >= 10 * ROUNDS * (STEPS + 1) * len(counts)
        if long and (self.steps.dry_run_is_cheap or not self.plan.repeatable):
            return counts
        return counts[:1] if self.operations < SHORT_STEP else counts[-1:]

    def dry_runs(self) -> list[DryRun]:
        """Return dry runs of a step on the largest batch and on the smallest."""
        smallest = len(self.index) // self.plan.batches(len(self.index))
        return [self.steps.dry_run(*self.rows.batch(self.index[:size])) for size in (self.largest_batch, smallest)]
