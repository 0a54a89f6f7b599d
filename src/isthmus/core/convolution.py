"""Convolutional encoders and decoders of flattened images: one layer of stride 2 per entry of `channels`."""

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from isthmus.core.contract import Backbone
from isthmus.core.modules import activation, affine, linear

KERNEL = 3


class Residual(nn.Module):
    """x + c₂(a(c₁(a(x)))) with convolutions c that keep the size (He et al. 2016)."""

    def __init__(self, channels: int, activation_name: str) -> None:
        super().__init__()
        self.first = nn.utils.skip_init(nn.Conv2d, channels, channels, KERNEL, padding=1)
        self.second = nn.utils.skip_init(nn.Conv2d, channels, channels, KERNEL, padding=1)
        self.function = activation(activation_name).function

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        return x + self.second(self.function(self.first(self.function(x))))


class ConvolutionalEncoder(Backbone):
    """An encoder of flattened images (H, W, C) to `outputs` numbers."""

    def __init__(
        self,
        shape: tuple[int, int, int],
        images: int,
        channels: Sequence[int],
        outputs: int,
        activation_name: str,
        residual: bool,
    ) -> None:
        super().__init__()
        self.shape = self.image = shape
        self.images = images
        self.function = activation(activation_name).function
        sizes = halvings(shape[:2], len(channels))
        before = [images * shape[2], *channels[:-1]]
        self.convolutions = nn.ModuleList(
            nn.utils.skip_init(nn.Conv2d, a, b, KERNEL, stride=2, padding=1)
            for a, b in zip(before, channels, strict=True)
        )
        self.blocks = nn.ModuleList(Residual(c, activation_name) if residual else nn.Identity() for c in channels)
        self.last = linear(channels[-1] * math.prod(sizes[-1]), outputs)

    def initialise(self, method: str, generator: Generator) -> None:
        """Write orthogonal kernels and matrices and zero biases, whatever the method."""
        orthogonal_kernels(self, generator)

    def forward(self, x: Tensor) -> Tensor:
        """(B, images·H·W·C) to (B, outputs)."""
        height, width, channels = self.image
        # One image, or an image and its mask as further channels; (H, W, C) is the memory order "channels last".
        h = x.view(len(x), self.images, height, width, channels).permute(0, 1, 4, 2, 3).flatten(1, 2)
        h = h.contiguous(memory_format=torch.channels_last)
        for convolution, block in zip(self.convolutions, self.blocks, strict=True):
            h = self.function(block(convolution(h)))
        return affine(h.flatten(1), self.last.weight, self.last.bias, self.training)


class ConvolutionalDecoder(Backbone):
    """A decoder of codes to `images` flattened images (H, W, C): one for each parameter of p(x|z)."""

    def __init__(
        self,
        shape: tuple[int, int, int],
        images: int,
        channels: Sequence[int],
        latent: int,
        activation_name: str,
        residual: bool,
    ) -> None:
        super().__init__()
        self.shape = self.image = shape
        self.images = images
        self.function = activation(activation_name).function
        self.sizes = halvings(shape[:2], len(channels))
        self.channels = channels[-1]
        after = [*reversed(channels[:-1]), images * shape[2]]
        steps = zip(reversed(channels), after, reversed(self.sizes[:-1]), strict=True)
        self.first = linear(latent, channels[-1] * math.prod(self.sizes[-1]))
        self.blocks = nn.ModuleList(
            Residual(c, activation_name) if residual else nn.Identity() for c in reversed(channels)
        )
        # From ⌈n/2⌉ back to n: an output padding of 1 where n is even.
        self.convolutions = nn.ModuleList(
            nn.utils.skip_init(
                nn.ConvTranspose2d, a, b, KERNEL, stride=2, padding=1, output_padding=(1 - h % 2, 1 - w % 2)
            )
            for a, b, (h, w) in steps
        )
        self.offset = nn.Parameter(torch.zeros(images * math.prod(shape)))

    def initialise(self, method: str, generator: Generator) -> None:
        """Write orthogonal kernels and matrices and zero biases, whatever the method."""
        orthogonal_kernels(self, generator)

    def set_output_bias(self, bias: Tensor) -> None:
        """Make the outputs start at `bias` (images·H·W·C,)."""
        self.offset.copy_(bias)

    def forward(self, z: Tensor) -> Tensor:
        """(B, K) to (B, images·H·W·C)."""
        h = affine(z, self.first.weight, self.first.bias, self.training)
        h = self.function(h).view(len(z), self.channels, *self.sizes[-1])
        h = h.contiguous(memory_format=torch.channels_last)
        last = len(self.convolutions) - 1
        for depth, (block, convolution) in enumerate(zip(self.blocks, self.convolutions, strict=True)):
            h = convolution(block(h))
            if depth < last:
                h = self.function(h)
        height, width, channels = self.image
        flat = h.view(len(z), self.images, channels, height, width).permute(0, 1, 3, 4, 2).reshape(len(z), -1)
        return flat + self.offset


def halvings(size: tuple[int, int], steps: int) -> list[tuple[int, int]]:
    """Return the height and width before the first and after each layer of stride 2, which rounds up."""
    sizes = [size]
    for _ in range(steps):
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    return sizes


@torch.no_grad()
def orthogonal_kernels(module: nn.Module, generator: Generator) -> None:
    """Write orthogonal kernels and matrices, scaled for activations that halve the signal, and zero biases."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.orthogonal_(layer.weight, gain=2**0.5, generator=generator)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
