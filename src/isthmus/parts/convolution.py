"""`Convolutional`: encoder and decoder of images and signals."""

import math
from dataclasses import dataclass, replace

from isthmus.core.checks import whole_number
from isthmus.core.contract import Backbone, Part
from isthmus.core.convolution import ConvolutionalDecoder, ConvolutionalEncoder
from isthmus.core.modules import activation
from isthmus.core.registry import register

MOST_CHANNELS = 4
"""Most channels of an image: red, green, blue and transparency."""


@register("encoder", "decoder")
@dataclass
class Convolutional(Part):
    """Convolutions of stride 2 down to the code, and transposed convolutions back up (Masci et al. 2011).

    Rows are images flattened in memory order, (H, W, C). Each layer halves height and width, rounding up; on the way
    back every size is restored exactly, odd ones too. A learned offset of every output lets training start at the mean
    image.

    Parameters
    ----------
    shape : tuple of int or "signal"
        (H, W), or (H, W, C) with 1 to 4 channels C; "signal" is one line of any length. None takes the shape of the
        images that `fit` is given, as arrays (n, H, W) or (n, H, W, C); with flat rows it must be given.
    channels : tuple of int
        Channels after each layer of the encoder; the decoder mirrors them.
    activation : str
        As in `Dense`.
    residual : bool
        Whether each layer is followed by a residual block of two convolutions (He et al. 2016).

    Raises
    ------
    ValueError
        In `fit`, without a shape, if the rows do not have that many numbers, or if the images have another shape.

    Examples
    --------
    >>> import torch
    >>> part = Convolutional((7, 5), channels=(4,))
    >>> encoder = part.build_encoder(35, 2)
    >>> encoder(torch.zeros(3, 35)).shape, part.build_decoder(2, 35, encoder)(torch.zeros(3, 2)).shape
    (torch.Size([3, 2]), torch.Size([3, 35]))
    """

    shape: tuple[int, ...] | str | None = None
    channels: tuple[int, ...] = (32, 64)
    activation: str = "silu"
    residual: bool = False

    def for_shape(self, row_shape: tuple[int, ...]) -> "Convolutional":
        """Return the part for images of this shape, unless it has a shape of its own."""
        if self.shape is None:
            return replace(self, shape=row_shape)
        if not isinstance(self.shape, str) and with_channels(self.shape) != with_channels(row_shape):
            raise ValueError(
                f"Convolutional has shape={self.shape!r}, and the images of X have the shape {row_shape}: leave shape "
                "out, or give flat rows, X.reshape(len(X), -1)"
            )
        return self

    def build_encoder(self, features: int, outputs: int) -> ConvolutionalEncoder:
        """Return a module from (B, features) to (B, outputs); features may be the image's twice: values and mask."""
        shape, images = self._images(features, (1, 2), "columns")
        return ConvolutionalEncoder(shape, images, self._channels(), outputs, self._activation(), bool(self.residual))

    def build_decoder(self, latent: int, outputs: int, encoder: Backbone) -> ConvolutionalDecoder:
        """Return a module from (B, latent) to (B, outputs); outputs may be a multiple of the image's size."""
        length = None if encoder.shape is None else math.prod(encoder.shape)
        shape, images = self._images(outputs, range(1, 64), "outputs", length)
        return ConvolutionalDecoder(shape, images, self._channels(), latent, self._activation(), bool(self.residual))

    def _images(
        self, numbers: int, allowed: range | tuple[int, ...], what: str, length: int | None = None
    ) -> tuple[tuple[int, int, int], int]:
        if self.shape is None:
            raise ValueError(
                f"Convolutional does not know the shape of the image in a row of {numbers} {what}: give "
                "images as an array (n, height, width) or (n, height, width, channels), or shape=(height, width), "
                "shape=(height, width, channels) or shape='signal'"
            )
        if isinstance(self.shape, str):
            if self.shape != "signal":
                raise ValueError(f"shape of Convolutional must be two or three sizes, or 'signal'; got {self.shape!r}")
            length = length or numbers
            return (1, length, 1), numbers // length
        try:
            sizes = [whole_number("size", size, 1) for size in self.shape]
        except (TypeError, ValueError):
            sizes = []
        if len(sizes) not in (2, 3) or (len(sizes) == 3 and sizes[2] > MOST_CHANNELS):
            raise ValueError(
                "shape of Convolutional must be (height, width) or (height, width, channels) with 1 to "
                f"{MOST_CHANNELS} channels; got {self.shape!r}"
            )
        pixels = math.prod(sizes)
        if numbers % pixels or numbers // pixels not in allowed:
            raise ValueError(
                f"shape {tuple(sizes)} of Convolutional has {pixels} numbers, but a row has {numbers} {what}"
            )
        return (sizes[0], sizes[1], sizes[2] if len(sizes) == 3 else 1), numbers // pixels

    def _channels(self) -> tuple[int, ...]:
        try:
            channels = tuple(whole_number("channels", count, 1) for count in self.channels)
        except (TypeError, ValueError):
            channels = ()
        if not channels:
            raise ValueError(f"channels of Convolutional must be whole numbers of at least 1; got {self.channels!r}")
        return channels

    def _activation(self) -> str:
        activation(self.activation)
        return self.activation


def with_channels(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape (H, W) as (H, W, 1); any other as it is."""
    return (*shape, 1) if len(shape) == 2 else tuple(shape)
