"""`FusedSteps`: steps by a fused backward pass and Adam over one vector; on a GPU recorded once and replayed."""

import torch
from torch import Generator, Tensor

from isthmus.engine.fast.cuda_graph import RecordedStep
from isthmus.engine.fast.fused_backward import FusedBackward
from isthmus.engine.optimisers import Adam, FlatAdam
from isthmus.engine.steps import DryRun, GradientSteps

BLOCK = 1024
"""Step results whose memory is allocated together."""


class FusedSteps(GradientSteps):
    """Steps by a fused backward pass.

    Parameters
    ----------
    backward
        Computes the gradient.
    settings
        The hyper-parameters of the optimiser.
    learning_rate
        The first learning rate.
    cuda_graph
        Whether steps on a CUDA GPU are recorded and replayed.
    """

    dry_run_is_cheap = True
    precision_can_change = True

    def __init__(self, backward: FusedBackward, settings: Adam, learning_rate: float, cuda_graph: bool) -> None:
        self.backward = backward
        self.flat = backward.flat
        self.adam = FlatAdam(self.flat.vector, self.flat.gradient, settings, learning_rate)
        self.numpy_on_one_thread = backward.numpy_on_one_thread
        self.recorded: RecordedStep | None = None
        if cuda_graph and self.flat.vector.device.type == "cuda":
            self.recorded = RecordedStep(self.step)
        self.values = StepValues()
        self.sizes: list[int] = []

    @property
    def description(self) -> str:
        """How steps are taken, for the fit report."""
        recorded = ", CUDA graph" if self.recorded else ""
        return "fused backward pass" + recorded + (", numpy matmul" if self.backward.by_numpy else "")

    def step(self, x: Tensor) -> Tensor:
        """Compute the gradient and follow it."""
        value = self.backward.step(x)
        self.adam.step()
        return value

    def take(self, x: Tensor, weight: Tensor | None, learning_rate: float) -> None:
        """Take a step on the rows x (B, F), which have no weights."""
        self.adam.param_groups[0]["lr"] = learning_rate
        if self.recorded is None:
            value = self.step(x)
        else:
            self.adam.keep_rate_on_device(learning_rate)
            value = self.recorded(x, self.backward.network.generators)
        self.values.append(value)
        self.sizes.append(len(x))

    def means(self) -> dict[str, float]:
        """Return the mean loss per row since the last call."""
        values = self.values.take_all()
        loss = self.backward.parts.loss
        loss.update_likelihood(values)
        losses = loss.losses(values).cpu().double()
        sizes = torch.tensor(self.sizes, dtype=torch.float64)
        self.sizes = []
        return {"loss": float(sizes @ losses / sizes.sum())}

    def forget_gradients(self) -> None:
        """Let the optimiser forget past gradients."""
        self.adam.state.clear()

    def dry_run(self, x: Tensor, weight: Tensor | None) -> DryRun:
        """Return a dry run of a step on the rows x (B, F); it overwrites the gradient, which every step does first."""
        network = self.backward.network

        def gradient() -> Tensor:
            before = next(iter(network.generators), None)
            network.seed(Generator(x.device).manual_seed(0))
            self.backward.step(x)
            network.seed(before)
            return self.flat.gradient

        return gradient

    def change_precision(self, precision: str) -> None:
        """Multiply matrices in another precision from the next step on."""
        self.backward.use_bfloat16(precision == "bfloat16")
        if self.recorded is not None:
            self.recorded = RecordedStep(self.step, self.recorded.record)

    def use_torch_matmul(self) -> None:
        """Let torch multiply all matrices, whatever the number of threads."""
        self.backward.use_torch_matmul()
        self.numpy_on_one_thread = False

    def use_threads(self, count: int) -> None:
        """Use the matmul backend for steps on so many threads."""
        self.backward.use_threads(count)

    def release(self) -> None:
        """Give the network's weights memory of their own again."""
        self.flat.release()


class StepValues:
    """One or a few numbers per step, on the device, in memory that is allocated for many steps at once.

    Numbers in memory of their own would lie between larger pieces that come and go, and keep those from being reused.
    """

    def __init__(self) -> None:
        self.blocks: list[Tensor] = []
        self.places: list[Tensor] = []
        self.count = 0

    def append(self, value: Tensor) -> None:
        """Add the numbers of a step, of the same shape for every step."""
        if self.count == len(self.places):
            self.blocks.append(value.new_empty(BLOCK, *value.shape))
            self.places.extend(self.blocks[-1].unbind())
        self.places[self.count].copy_(value)
        self.count += 1

    def take_all(self) -> Tensor:
        """Return all numbers, (count, ...), and forget them; their memory is used again."""
        values = torch.cat(self.blocks)[: self.count]
        self.count = 0
        return values
