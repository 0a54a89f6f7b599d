"""`ByShape`: one part for rows of columns, another for images."""

from dataclasses import dataclass, field
from typing import Any

from torch import nn

from isthmus.core.contract import Backbone, Part
from isthmus.core.corruption import CorruptionModule
from isthmus.core.registry import register
from isthmus.parts.backbones import Dense
from isthmus.parts.composition import part
from isthmus.parts.convolution import Convolutional


@register("choice")
@dataclass
class ByShape(Part):
    """One part for rows of columns, another for images: an encoder, a decoder or a corruption.

    Which one is used follows from the data of `fit`: `images` for arrays (n, H, W) or (n, H, W, C), and for flat rows
    that are evidently images of one channel (`isthmus.data.found_shape`).

    Parameters
    ----------
    rows : part
        For rows of columns without an order; by default the encoder `Dense()`.
    images : part
        For images, such as `Convolutional()`, the default, or `Blocks()`.

    Examples
    --------
    >>> from isthmus import Blocks, Masking
    >>> holes = ByShape(Masking(0.5), Blocks())
    >>> holes.for_shape((28, 28)).shape
    (28, 28)
    >>> holes.build(features=3).rate
    0.5
    """

    rows: Any = field(default_factory=Dense)
    images: Any = field(default_factory=Convolutional)

    seeks_shape = True

    def for_shape(self, row_shape: tuple[int, ...]) -> Any:
        """Return the part for images of this shape."""
        return self.images.for_shape(row_shape) if isinstance(self.images, Part) else self.images

    def build_encoder(self, features: int, outputs: int) -> nn.Module:
        """Return the encoder of rows of columns."""
        return part("encoder", self.rows).build_encoder(features, outputs)

    def build_decoder(self, latent: int, outputs: int, encoder: Backbone) -> nn.Module:
        """Return the decoder of rows of columns."""
        return part("decoder", self.rows).build_decoder(latent, outputs, encoder)

    def build(self, features: int) -> CorruptionModule:
        """Return the corruption of rows of columns."""
        return part("corruption", self.rows).build(features)
