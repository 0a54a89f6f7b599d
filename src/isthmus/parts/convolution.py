"""`Convolutional`: encoder and decoder of images and signals."""

import math
from dataclasses import dataclass

from torch import nn

from isthmus.core.checks import whole_number
from isthmus.core.contract import Part
from isthmus.core.convolution import ConvolutionalDecoder, ConvolutionalEncoder
from isthmus.core.modules import activation

MOST_CHANNELS = 4


@dataclass
class Convolutional(Part):
    """Convolutions of stride 2 down to the code and transposed ones back up (Masci et al. 2011).

    Rows are images flattened as they lie in memory, (H, W, C). Each step halves height and width, rounding up; on the
    way back every size is met exactly, odd ones too. A learned offset of every output lets training start at the mean
    image.

    Parameters
    ----------
    shape : tuple of int or "signal"
        (H, W), or (H, W, C) with 1 to 4 channels C; "signal" is one line of any length. It has to be given.
    channels : tuple of int
        Channels after each step of the encoder; the decoder mirrors them.
    activation : str
        As of `Dense`.
    residual : bool
        Whether each step is followed by a residual block of two convolutions (He et al. 2016).

    Raises
    ------
    ValueError
        In `fit`, without a shape, or for rows of another number of columns.

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

    def build_encoder(self, features: int, outputs: int) -> ConvolutionalEncoder:
        """Return a module (B, features) to (B, outputs); features may be twice the image's, values and mask."""
        # Values alone, or values and a mask of as many.
        shape, images = self._images(features, (1, 2), "columns")
        return ConvolutionalEncoder(shape, images, self._channels(), outputs, self._activation(), bool(self.residual))

    def build_decoder(self, latent: int, outputs: int, encoder: nn.Module) -> ConvolutionalDecoder:
        """Return a module (B, latent) to (B, outputs); outputs may be several of the image's size."""
        features = getattr(encoder, "shape", None)
        shape, images = self._images(outputs, range(1, 64), "outputs", math.prod(features) if features else None)
        return ConvolutionalDecoder(shape, images, self._channels(), latent, self._activation(), bool(self.residual))

    def _images(
        self, numbers: int, allowed: range | tuple[int, ...], what: str, length: int | None = None
    ) -> tuple[tuple[int, int, int], int]:
        if self.shape is None:
            raise ValueError(
                f"Convolutional does not know the shape of the image in a row of {numbers} {what}: give "
                "shape=(height, width) or shape=(height, width, channels), or shape='signal'"
            )
        if isinstance(self.shape, str):
            if self.shape != "signal":
                raise ValueError(
                    f"shape of Convolutional has to be two or three sizes, or 'signal'; got {self.shape!r}"
                )
            length = length or numbers
            return (1, length, 1), numbers // length
        try:
            sizes = [whole_number("size", size, 1) for size in self.shape]
        except (TypeError, ValueError):
            sizes = []
        if len(sizes) not in (2, 3) or (len(sizes) == 3 and sizes[2] > MOST_CHANNELS):
            raise ValueError(
                "shape of Convolutional has to be (height, width) or (height, width, channels) with 1 to "
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
            raise ValueError(f"channels of Convolutional have to be whole numbers of at least 1; got {self.channels!r}")
        return channels

    def _activation(self) -> str:
        activation(self.activation)
        return self.activation
