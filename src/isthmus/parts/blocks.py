"""`Blocks`: parts of images hidden in training, so that a network learns to fill holes."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.core.checks import is_number, no_negative_number
from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Part
from isthmus.core.corruption import Corrupted, CorruptionModule
from isthmus.core.registry import register

SIDES = 2
"""Straight lines of a stroke."""
STROKE = (0.05, 0.15)
"""Least and greatest width of a stroke, as a share of the longer side of an image."""


class HiddenBlocks(CorruptionModule):
    """Blocks, strokes or single entries of images set to a value; see `Blocks`."""

    marks = True

    def __init__(
        self,
        shape: tuple[int, int, int],
        odds: tuple[float, float, float],
        size: tuple[float, float],
        rate: tuple[float, float],
        hidden_only: bool,
    ) -> None:
        super().__init__()
        self.height, self.width, self.channels = shape
        self.odds = torch.tensor(odds).cumsum(0) / sum(odds)
        self.size, self.rate = size, rate
        self.weighs = hidden_only

    def remove(self) -> None:
        """Make hidden entries missing (NaN) instead of marking them."""
        self.hidden_value, self.removes, self.marks = math.nan, True, False

    def forward(self, x: Tensor) -> Corrupted:
        """Return images with holes for x (B, H·W·C), the mask of the holes, and the weight of each entry."""
        mask = self.holes(x).to(x)
        # Each image counts as much as without holes, however large its own is.
        cells = mask * (x.shape[1] / mask.sum(1, keepdim=True).clamp_min(1)) if self.weighs else None
        seen = torch.where(mask > 0, self.hidden_value, x)
        return Corrupted(seen, mask if self.marks else None, cells)

    def holes(self, x: Tensor) -> Tensor:
        """Draw which entries of images x (B, H·W·C) are hidden, (B, H·W·C) booleans; the same in all channels."""
        blocks, strokes, _ = self.odds.tolist()
        kind = self.uniform(x, 1)[:, :, None]
        found = self.block(x)
        if blocks < 1:
            found = torch.where(kind < blocks, found, self.stroke(x))
        if strokes < 1:
            found = torch.where(kind < strokes, found, self.pixels(x))
        return found[..., None].expand(*found.shape, self.channels).flatten(1)

    def uniform(self, x: Tensor, *size: int) -> Tensor:
        """Draw numbers in [0, 1), (B, *size)."""
        return x.new_empty(len(x), *size, dtype=torch.float32).uniform_(generator=self.generator)

    def block(self, x: Tensor) -> Tensor:
        """Draw a rectangle in each image, (B, H, W)."""
        across = self.stretch(x, self.width)[:, None, :]
        return self.stretch(x, self.height)[:, :, None] & across

    def stretch(self, x: Tensor, side: int) -> Tensor:
        """Draw which of the places along a side a block covers, (B, side)."""
        low, high = self.size
        length = (side * (low + (high - low) * self.uniform(x, 1))).round().clamp(1, side)
        begin = (self.uniform(x, 1) * (side - length + 1)).floor()
        place = torch.arange(side, device=x.device)
        return (place >= begin) & (place < begin + length)

    def stroke(self, x: Tensor) -> Tensor:
        """Draw a broken line of random width in each image, (B, H, W)."""
        longer = max(self.height, self.width)
        low, high = STROKE
        # A stroke of a line of pixels still covers one of them.
        half = (0.5 * longer * (low + (high - low) * self.uniform(x, 1, 1))).clamp_min(0.5)
        sides = torch.tensor([self.height - 1.0, self.width - 1.0], device=x.device)
        corners = self.uniform(x, SIDES + 1, 2) * sides
        down, across = (torch.arange(side, device=x.device) for side in (self.height, self.width))
        place = torch.stack(torch.meshgrid(down, across, indexing="ij"), -1).flatten(0, 1).to(corners)
        near = torch.stack([distance(place, corners[:, n], corners[:, n + 1]) for n in range(SIDES)]).amin(0)
        return near.view(len(x), self.height, self.width) <= half

    def pixels(self, x: Tensor) -> Tensor:
        """Draw a share, and that share of the pixels of each image, (B, H, W)."""
        low, high = self.rate
        return self.uniform(x, self.height, self.width) < low + (high - low) * self.uniform(x, 1, 1)


def distance(place: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Return the distance of places (N, 2) from the lines between points a and b (B, 2), (B, N)."""
    along = (b - a)[:, None, :]
    away = place - a[:, None, :]
    share = (away * along).sum(-1) / along.square().sum(-1).clamp_min(1e-12)
    return (away - share.clamp(0, 1)[..., None] * along).square().sum(-1).sqrt()


@register("corruption")
@dataclass
class Blocks(Part):
    """A hole in each image: a block, a stroke or single pixels (context encoders, Pathak et al. 2016).

    The encoder sees 0 in the hole, in units of the scaled data, and beside the values which of them are hidden: a
    convolutional one as further channels, a dense one as further inputs. A network that is trained so fills the missing
    cells (NaN) of images in use.

    Parameters
    ----------
    blocks, strokes, pixels : float
        Odds of each kind of hole, at least 0 and not all 0. A block is a rectangle anywhere in the image; a stroke is a
        broken line, a twentieth to three twentieths of the longer side wide.
    size : (float, float)
        Least and greatest side of a block, as a share of the image's, in (0, 1].
    rate : (float, float)
        Least and greatest share of single pixels that are hidden, in [0, 1).
    score : {"hidden", "all"}
        Which entries count in the reconstruction loss. "hidden": those in the hole alone, each image as much as any
        other.
    shape : tuple of int, optional
        (H, W) or (H, W, C). None takes the shape of the images that `fit` is given, or, where flat rows are evidently
        images of one channel, theirs.

    Raises
    ------
    ValueError
        In `fit`, if a parameter is not one of these, or if the rows are no images of that shape.

    Examples
    --------
    >>> import torch
    >>> module = Blocks(strokes=0, pixels=0, size=(0.5, 0.5), shape=(4, 4)).build(features=16)
    >>> module.generator = torch.Generator().manual_seed(0)
    >>> int(module(torch.ones(1, 16)).mask.sum())
    4
    """

    blocks: float = 0.6
    strokes: float = 0.2
    pixels: float = 0.2
    size: tuple[float, float] = (0.2, 0.5)
    rate: tuple[float, float] = (0.1, 0.9)
    score: str = "hidden"
    shape: tuple[int, ...] | None = None

    seeks_shape = True

    def for_shape(self, row_shape: tuple[int, ...]) -> "Blocks":
        """Return the part for images of this shape, unless it has a shape of its own."""
        return self if self.shape is not None else replace(self, shape=tuple(row_shape))

    def build(self, features: int) -> HiddenBlocks:
        """Return the module for rows of `features` numbers."""
        refuse_unknown("score of Blocks", self.score, ("hidden", "all"))
        given = {"blocks": self.blocks, "strokes": self.strokes, "pixels": self.pixels}
        odds = [no_negative_number(f"{name} of Blocks", value) for name, value in given.items()]
        if not sum(odds) > 0:
            raise ValueError("blocks, strokes and pixels of Blocks must not all be 0")
        size, rate = shares("size", self.size), shares("rate", self.rate)
        if size[0] == 0 or rate[1] == 1:
            raise ValueError(f"size of Blocks must be above 0, and rate below 1; got {self.size!r} and {self.rate!r}")
        return HiddenBlocks(self.sizes(features), (odds[0], odds[1], odds[2]), size, rate, self.score == "hidden")

    def sizes(self, features: int) -> tuple[int, int, int]:
        """Return height, width and channels; a `ValueError` if rows of that many numbers are no such images."""
        if self.shape is None:
            raise ValueError(
                f"Blocks does not know the shape of the images in rows of {features} numbers: give images (n, height, "
                "width), or shape=(height, width); for other rows take Masking"
            )
        sizes = tuple(self.shape) if len(self.shape) == 3 else (*self.shape, 1)
        whole = all(is_number(size) and size == int(size) and size > 0 for size in sizes)
        if len(sizes) != 3 or not whole or math.prod(sizes) != features:
            raise ValueError(
                f"shape of Blocks must be (height, width) or (height, width, channels) of the {features} numbers of a "
                f"row; got {self.shape!r}"
            )
        return int(sizes[0]), int(sizes[1]), int(sizes[2])


def shares(name: str, given: tuple[float, float]) -> tuple[float, float]:
    """Return two shares in [0, 1], the second at least the first; a `ValueError` names what is wrong with them."""
    try:
        low, high = given
        fits = is_number(low) and is_number(high) and 0 <= low <= high <= 1
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise ValueError(f"{name} of Blocks must be two shares in [0, 1], the least first; got {given!r}")
    return float(low), float(high)
