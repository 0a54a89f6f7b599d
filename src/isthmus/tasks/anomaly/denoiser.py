"""The method "denoiser": a denoising autoencoder that knows the noise level, and scores rows at many levels."""

import math
from typing import Self

import torch
from torch import Generator, Tensor, nn

from isthmus.core.torch_threads import threads
from isthmus.data.rows import Rows
from isthmus.engine import devices
from isthmus.engine.callbacks import Callback, TrainingRun
from isthmus.engine.history import History
from isthmus.engine.plan import Plan
from isthmus.engine.trainer import Trainer
from isthmus.estimators.state import Tensors
from isthmus.tasks.anomaly.cells import RobustCells
from isthmus.tasks.anomaly.methods import detection_method
from isthmus.tasks.anomaly.noise_conditioned import Denoising, NoiseConditioned
from isthmus.tasks.anomaly.scorer import CellScorer
from isthmus.tasks.anomaly.training import Training

CLEAN_NOISE, CONTAMINATED_NOISE = (0.1, 2.0), (0.5, 4.0)
"""Least and greatest σ of the noise, in standard deviations of a cell. Much noise hides what only a few rows are."""
CLEAN_STEPS, CONTAMINATED_STEPS, LEAST_STEPS = 1500, 750, 400
"""Greatest number of training steps in each setting, and the least number."""
STEPS_PER_ROW = 4
"""Greatest number of steps per training row: few rows would be learned by heart."""
OPERATIONS = 2.5e11
"""Approximate limit on the floating-point operations of the training; tables of many columns get fewer steps."""
BATCH, LEARNING_RATE = 128, 2e-3
TRIMMED = 0.1
"""Share of the rows that is left out half-way in a contaminated setting."""
LEVELS = 4
"""Number of noise levels at which rows are scored; with eight the ranking is no better."""


@detection_method("denoiser")
class Denoiser(CellScorer):
    """Scores rows by their denoising error at `LEVELS` noise levels: Σ log(‖x - x̂_σ(x)‖²/σ²).

    Near the training rows x̂_σ(x) - x is σ² ∇log p_σ(x), the gradient of the log-density blurred by σ (Tweedie's
    formula, Vincent 2011): rows far from all others are moved far, at small noise by their surroundings and at large
    noise by the whole. In a contaminated setting rows are scored with noise added, the same for every row and with both
    signs.

    Parameters
    ----------
    cells, device
        As in `CellScorer`.
    network
        Trained.
    levels
        (LEVELS,) noise levels σ.
    noise
        (LEVELS, C) what is added to rows, in units of the level; zeros for nothing.
    """

    def __init__(
        self, cells: RobustCells, device: torch.device, network: NoiseConditioned, levels: Tensor, noise: Tensor
    ) -> None:
        super().__init__(cells, device)
        self.network = network
        self.levels, self.noise = nn.Buffer(levels), nn.Buffer(noise)
        self.signs = (1.0, -1.0) if bool(noise.any()) else (0.0,)

    @classmethod
    def trained_on(cls, training: Training) -> Self:
        """Train on the rows that are not suspected; in a contaminated setting leave out the worst once more."""
        generator = Generator().manual_seed(training.seed)
        network = NoiseConditioned(training.cells.count, generator).to(training.device)
        span = CONTAMINATED_NOISE if training.contaminated else CLEAN_NOISE
        levels = middle_levels(span)
        noise = torch.randn(LEVELS, training.cells.count, generator=generator) * float(training.contaminated)
        x = training.x[training.kept]
        denoising, count = Denoising(network, span), steps(training, network)
        history = train(denoising, x, training.device, count, generator, training.contaminated)
        scorer = cls(training.cells, training.device, network, levels, noise).to(training.device).eval()
        scorer._history = history
        return scorer

    def score_cells(self, x: Tensor) -> Tensor:
        """Return the mean over levels of the log mean squared error over σ², (B,)."""
        total = torch.zeros_like(x[:, 0])
        for errors in self.level_errors(x):
            total += (errors.mean(1) + 1e-6).log()
        return total / (LEVELS * len(self.signs))

    def cell_errors(self, x: Tensor) -> Tensor:
        """Return the mean over levels of each cell's share of a row's squared error, times the number of cells."""
        total = torch.zeros_like(x)
        for errors in self.level_errors(x):
            total += errors / (errors.mean(1, keepdim=True) + 1e-6)
        return total / (LEVELS * len(self.signs))

    def level_errors(self, x: Tensor) -> list[Tensor]:
        """Return (x - x̂)²/σ² of cells x (B, C) at each level, and for each sign of the noise."""
        found = []
        for level, noise in zip(self.levels, self.noise, strict=True):
            for sign in self.signs:
                rebuilt = self.network.denoise(x + sign * level * noise, level.expand(len(x), 1))
                found.append(((x - rebuilt) / level).square())
        return found

    @classmethod
    def from_weights(cls, cells: RobustCells, device: torch.device, weights: Tensors) -> Self:
        """Rebuild a scorer."""
        network = NoiseConditioned(cells.count, Generator())
        prefix = "network."
        own = {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}
        network.load_state_dict(own)
        return cls(cells, device, network, weights["levels"], weights["noise"])


def middle_levels(span: tuple[float, float]) -> Tensor:
    """Return the middles of `LEVELS` equal parts of a span of noise levels, on a logarithmic scale, (LEVELS,)."""
    least, most = map(math.log, span)
    parts = (torch.arange(LEVELS) + 0.5) / LEVELS
    return (least + (most - least) * parts).exp()


def steps(training: Training, network: NoiseConditioned) -> int:
    """Return the number of training steps."""
    most = CONTAMINATED_STEPS if training.contaminated else CLEAN_STEPS
    by_rows = max(LEAST_STEPS, STEPS_PER_ROW * int(training.kept.sum()))
    by_work = max(LEAST_STEPS, int(OPERATIONS / step_operations(network)))
    return min(most, by_rows, by_work)


def step_operations(network: nn.Module) -> float:
    """Return the approximate number of floating-point operations of a training step."""
    return 6.0 * BATCH * sum(parameter.numel() for parameter in network.parameters())


def train(
    denoising: Denoising, x: Tensor, device: torch.device, count: int, generator: Generator, trim: bool
) -> History:
    """Train on rows of cells x (n, C) in about `count` steps; rows are drawn with replacement. Return the history.

    With `trim` the rows with the largest errors are left out half-way (`TrimHalfWay`).
    """
    # The draws of all steps are one epoch: an epoch of the rows themselves would be a handful of steps.
    epochs = 2 if trim else 1
    draws = BATCH * (count // epochs)
    rows = Rows(x.numpy(), device=device)
    plan = Plan(epochs, BATCH, LEARNING_RATE, schedule="one_cycle")
    callbacks = [TrimHalfWay(denoising, x.to(device), draws, generator)] if trim else []
    index = torch.randint(len(x), (draws,), generator=generator)
    nothing = torch.empty(0, dtype=torch.int64)
    with threads(devices.thread_count("auto", step_operations(denoising))):
        trainer = Trainer(denoising, rows, index, nothing, plan, generator, callbacks, whole=True)
        return trainer.fit()


class TrimHalfWay(Callback):
    """Leaves out the rows with the largest denoising errors after the first epoch.

    Parameters
    ----------
    denoising
        What is trained.
    x
        (n, C) the training rows as cells, on the network's device.
    draws
        Number of rows to draw for the second epoch.
    generator
        For the draws and the noise.
    """

    def __init__(self, denoising: Denoising, x: Tensor, draws: int, generator: Generator) -> None:
        self.denoising, self.x = denoising, x
        self.draws, self.generator = draws, generator

    def on_epoch_end(self, run: TrainingRun) -> None:
        """Draw the rows of the next epoch from those that are kept."""
        if run.epoch < run.epochs:
            kept = without_worst(self.denoising.network, self.x, self.denoising.span, self.generator)
            run.index = kept[torch.randint(len(kept), (self.draws,), generator=self.generator)]


@torch.no_grad()
def without_worst(network: NoiseConditioned, x: Tensor, span: tuple[float, float], generator: Generator) -> Tensor:
    """Return the indices of all rows of x (n, C) except the `TRIMMED` with the largest errors at a medium noise level.

    Parameters
    ----------
    network
        On the device of x.
    x
        Rows of cells.
    span
        The least and greatest noise level; the medium one is their geometric mean.
    generator
        For the noise, which is the same for every row.
    """
    level = torch.full((len(x), 1), (span[0] * span[1]) ** 0.5, device=x.device)
    noise = torch.randn(1, x.shape[1], generator=generator).to(x.device)
    errors = (x - network.denoise(x + level * noise, level)).square().mean(1)
    count = max(1, round((1 - TRIMMED) * len(x)))
    return errors.topk(count, largest=False).indices.sort().values.cpu()
