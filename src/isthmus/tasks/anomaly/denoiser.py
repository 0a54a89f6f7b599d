"""`Denoiser`: a denoising autoencoder that is told the level of the noise, and scores rows at many levels."""

import math

import torch
from torch import Generator, Tensor, nn

from isthmus.core.modules import Stack
from isthmus.engine import devices
from isthmus.tasks.anomaly.cells import RobustCells
from isthmus.tasks.anomaly.scorer import CellScorer, Training

HIDDEN, WAVES = 256, 8
"""Units of each of two hidden layers, and sines and cosines that tell log σ."""
CLEAN_NOISE, CONTAMINATED_NOISE = (0.1, 2.0), (0.5, 4.0)
"""Least and greatest standard deviation of the noise, in those of a cell. Much noise hides what only a few rows are."""
CLEAN_STEPS, CONTAMINATED_STEPS, LEAST_STEPS = 1500, 750, 400
STEPS_A_ROW = 4
"""Steps at most for each training row: few rows would be learned by heart."""
OPERATIONS = 2.5e11
"""Floating-point operations of training at most, about; tables of many columns get fewer steps."""
BATCH, LEARNING_RATE, WARM_UP = 128, 2e-3, 100
TRIMMED = 0.1
"""Share of the rows that a contaminated setting leaves out half-way."""
LEVELS = 8
"""Noise levels at which rows are scored."""


class NoiseConditioned(nn.Module):
    """x̂(x̃, σ) = x̃/(1+σ²) + σ/√(1+σ²) · F(x̃/√(1+σ²), log σ), with F a network of two hidden layers.

    Without F it is the best linear denoiser of cells that are independent, of mean 0 and variance 1; as F ends in
    zeros, that is where training starts (the preconditioning of Karras et al. 2022, for data of variance 1).

    Parameters
    ----------
    cells
        C.
    generator
        For the first weights.
    """

    frequencies: Tensor

    def __init__(self, cells: int, generator: Generator) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.linspace(0.3, 3.0, WAVES))
        self.stack = Stack((cells + 2 * WAVES, HIDDEN, HIDDEN, cells), "silu")
        self.stack.initialise("torch", generator)
        with torch.no_grad():
            self.stack.weights[-1].mul_(0.01)
            self.stack.biases[-1].zero_()

    def forward(self, shrunk: Tensor, level: Tensor) -> Tensor:
        """F of x̃/√(1+σ²), (B, C), and σ, (B, 1)."""
        angle = level.log() * self.frequencies
        output: Tensor = self.stack(torch.cat([shrunk, angle.sin(), angle.cos()], dim=1))
        return output

    def denoise(self, noisy: Tensor, level: Tensor) -> Tensor:
        """Return x̂ of x̃ (B, C) and σ (B, 1)."""
        total = (1 + level.square()).sqrt()
        return noisy / total.square() + level / total * self(noisy / total, level)

    def loss(self, x: Tensor, noise: Tensor, level: Tensor) -> Tensor:
        """Return the mean squared error of F where x̂ is to be x: (B, C), standard normal noise (B, C), σ (B, 1).

        Of F and not of x̂, so that all levels count alike.
        """
        total = (1 + level.square()).sqrt()
        noisy = x + level * noise
        target = (x - noisy / total.square()) * total / level
        return (self(noisy / total, level) - target).square().mean()


class Denoiser(CellScorer):
    """Scores rows by how badly they are told from noise, at `LEVELS` levels of it: Σ log(‖x - x̂_σ(x)‖²/σ²).

    Around training rows x̂_σ(x) - x is σ² ∇log p_σ(x), the slope of the density blurred by σ (Tweedie's formula, Vincent
    2011): rows far from all others are pulled far, at small noise by what is near, at large noise by the whole. In a
    contaminated setting rows are scored with noise added, the same to every row and with both signs.

    Parameters
    ----------
    cells, device
        As in `CellScorer`.
    network
        Trained.
    levels
        (LEVELS,) noise levels.
    noise
        (LEVELS, C) what is added to rows, in units of the level; zeros for nothing.
    """

    levels: Tensor
    noise: Tensor

    def __init__(
        self, cells: RobustCells, device: torch.device, network: NoiseConditioned, levels: Tensor, noise: Tensor
    ) -> None:
        super().__init__(cells, device)
        self.network = network
        self.register_buffer("levels", levels)
        self.register_buffer("noise", noise)
        self.signs = (1.0, -1.0) if bool(noise.any()) else (0.0,)

    def of_cells(self, x: Tensor) -> Tensor:
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


def denoiser(training: Training) -> Denoiser:
    """Train on the rows that are kept; in a contaminated setting leave the worst out once more half-way."""
    x, device, seed = training.x, training.device, Generator().manual_seed(training.seed)
    network = NoiseConditioned(training.cells.count, seed).to(device)
    span = CONTAMINATED_NOISE if training.contaminated else CLEAN_NOISE
    levels = torch.logspace(math.log10(span[0]), math.log10(span[1]), LEVELS)
    noise = torch.randn(LEVELS, training.cells.count, generator=seed) * float(training.contaminated)
    train(network, x[training.kept].to(device), span, steps(training, network), seed, training.contaminated)
    return Denoiser(training.cells, device, network, levels, noise).to(device).eval()


def steps(training: Training, network: NoiseConditioned) -> int:
    """Return how many steps to train for."""
    most = CONTAMINATED_STEPS if training.contaminated else CLEAN_STEPS
    by_rows = max(LEAST_STEPS, STEPS_A_ROW * int(training.kept.sum()))
    by_work = max(LEAST_STEPS, int(OPERATIONS / step_operations(network)))
    return min(most, by_rows, by_work)


def step_operations(network: NoiseConditioned) -> float:
    """Floating-point operations of a step of training, about."""
    return 6.0 * BATCH * sum(parameter.numel() for parameter in network.parameters())


def train(
    network: NoiseConditioned, x: Tensor, span: tuple[float, float], many: int, generator: Generator, trim: bool
) -> None:
    """Train on rows of cells x (n, C), in so many steps; rows, levels (log-uniform in `span`) and noise are drawn.

    With `trim` the rows that fit worst half-way are left out from there on.
    """
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, fused=True)
    least, most = map(math.log, span)
    with devices.threads(devices.thread_count("auto", step_operations(network))):
        for step in range(many):
            if trim and step == many // 2:
                x = without_the_worst(network, x, span, generator)
            rows = torch.randint(len(x), (BATCH,), generator=generator)
            level = (least + (most - least) * torch.rand(BATCH, 1, generator=generator)).exp()
            noise = torch.randn(BATCH, x.shape[1], generator=generator)
            optimiser.param_groups[0]["lr"] = LEARNING_RATE * rate(step, many)
            optimiser.zero_grad()
            network.loss(x[rows.to(x.device)], noise.to(x.device), level.to(x.device)).backward()
            optimiser.step()


@torch.no_grad()
def without_the_worst(network: NoiseConditioned, x: Tensor, span: tuple[float, float], generator: Generator) -> Tensor:
    """Return rows of cells x (n, C) but for the `TRIMMED` that are told worst from noise of the middle level."""
    level = torch.full((len(x), 1), (span[0] * span[1]) ** 0.5, device=x.device)
    noise = torch.randn(1, x.shape[1], generator=generator).to(x.device)
    errors = (x - network.denoise(x + level * noise, level)).square().mean(1)
    stay = errors.topk(max(1, round((1 - TRIMMED) * len(x))), largest=False).indices
    return x[stay.sort().values]


def rate(step: int, many: int) -> float:
    """Return what a step's learning rate is of the greatest: a warm-up, and half a cosine's fall to 0."""
    return min(1.0, (step + 1) / WARM_UP) * 0.5 * (1 + math.cos(math.pi * step / many))
