"""`NoiseConditioned`: a denoising network that knows the noise level, and its training objective."""

import math

import torch
from torch import Generator, Tensor, nn

from isthmus.core.contract import Stochastic
from isthmus.core.modules import Stack
from isthmus.core.trainable import Trainable

HIDDEN, WAVES = 256, 8
"""Units in each of the two hidden layers, and number of sines and cosines that encode log σ."""


class NoiseConditioned(nn.Module):
    """x̂(x̃, σ) = x̃/(1+σ²) + σ/√(1+σ²) · F(x̃/√(1+σ²), log σ), with F a network of two hidden layers.

    Without F it is the best linear denoiser of independent cells with mean 0 and variance 1. Training starts there,
    since the last layer of F starts near zero (the preconditioning of Karras et al. 2022, for data of variance 1).

    Parameters
    ----------
    cells
        C.
    generator
        For the first weights.
    """

    def __init__(self, cells: int, generator: Generator) -> None:
        super().__init__()
        self.frequencies = nn.Buffer(torch.linspace(0.3, 3.0, WAVES))
        self.stack = Stack((cells + 2 * WAVES, HIDDEN, HIDDEN, cells), "silu")
        self.stack.initialise("torch", generator)
        with torch.no_grad():
            self.stack.weights[-1].mul_(0.01)
            self.stack.biases[-1].zero_()

    def forward(self, shrunk: Tensor, level: Tensor) -> Tensor:
        """Return F of x̃/√(1+σ²), (B, C), and σ, (B, 1)."""
        angle = level.log() * self.frequencies
        output: Tensor = self.stack(torch.cat([shrunk, angle.sin(), angle.cos()], dim=1))
        return output

    def denoise(self, noisy: Tensor, level: Tensor) -> Tensor:
        """Return x̂ of x̃ (B, C) and σ (B, 1)."""
        total = (1 + level.square()).sqrt()
        return noisy / total.square() + level / total * self(noisy / total, level)

    def loss(self, x: Tensor, noise: Tensor, level: Tensor) -> Tensor:
        """Return the mean squared error of F per row, (B,), where x̂ should be x.

        It is the error of F and not of x̂, so that all noise levels count alike.

        Parameters
        ----------
        x, noise
            (B, C) rows, and standard normal noise.
        level
            (B, 1) σ.
        """
        total = (1 + level.square()).sqrt()
        noisy = x + level * noise
        target = (x - noisy / total.square()) * total / level
        return (self(noisy / total, level) - target).square().mean(1)


class Denoising(Stochastic, Trainable):
    """The training objective of a denoising network, on noise that is drawn for every batch.

    Parameters
    ----------
    network
        To be trained.
    span
        The least and greatest noise level σ, above 0; a level is drawn per row, log-uniform between them.
    """

    def __init__(self, network: NoiseConditioned, span: tuple[float, float]) -> None:
        super().__init__()
        self.network, self.span = network, span

    def terms(self, x: Tensor, weight: Tensor | None = None) -> dict[str, Tensor]:
        """Return the loss of rows x (B, C), {"denoising": (B,)}."""
        least, most = map(math.log, self.span)
        uniform = torch.rand(len(x), 1, generator=self.generator, device=x.device)
        noise = torch.randn(x.shape, generator=self.generator, device=x.device)
        return {"denoising": self.network.loss(x, noise, (least + (most - least) * uniform).exp())}
