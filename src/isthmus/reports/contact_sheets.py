"""Contact sheets: many small images as one picture."""

import math
from dataclasses import dataclass

import numpy as np

from isthmus.data.images import RowShape
from isthmus.reports.page import address
from isthmus.reports.png import png_of

GAP = 2
"""Pixels between images."""
SIDE, COLOUR_SIDE = 64, 40
"""Greatest height and width of an image in grey levels, and in colours, which take three times the room."""
BETWEEN = 0.5
"""Grey level of the gaps, which is seen on white pages and on black ones."""


@dataclass(frozen=True)
class Sheet:
    """A picture of many images."""

    address: str
    """The PNG file, as an address that embeds it."""
    width: int
    height: int
    """In pixels."""
    alt: str
    """What it shows, in words."""


def is_coloured(shape: RowShape) -> bool:
    """Whether images of this shape are shown in colours."""
    return len(shape) > 2 and shape[2] >= 3


def side_for(shape: RowShape) -> int:
    """Return the greatest height and width at which images of a shape are shown.

    >>> side_for((28, 28)), side_for((32, 32, 3))
    (64, 40)
    """
    return COLOUR_SIDE if is_coloured(shape) else SIDE


def thumbnails(rows: np.ndarray, shape: RowShape, side: int, ends: tuple[float, float]) -> np.ndarray:
    """Return rows of pixels as small images of grey levels or colours from 0 to 1.

    Parameters
    ----------
    rows
        (n, F) pixels.
    shape
        (height, width) or (height, width, channels) of an image. Two channels are shown as their mean; of four, the
        last one, which is transparency, is left out.
    side
        Greatest height and width; larger images are averaged over blocks of pixels.
    ends
        The values that are shown as black and as white.

    Returns
    -------
    ndarray of shape (n, h, w) or (n, h, w, 3)
    """
    height, width = shape[:2]
    images = rows.reshape(len(rows), height, width, -1)
    block = max(1, math.ceil(max(height, width) / side))
    tall, wide = -(-height // block), -(-width // block)
    padding = ((0, 0), (0, tall * block - height), (0, wide * block - width), (0, 0))
    padded = np.pad(images.astype(np.float64), padding, mode="edge")
    small = padded.reshape(len(rows), tall, block, wide, block, -1).mean(axis=(2, 4))
    scaled: np.ndarray = (small - ends[0]) / (ends[1] - ends[0])
    channels = scaled.shape[-1]
    return scaled[..., :3] if channels >= 3 else scaled.mean(axis=-1)


def ends_of(rows: np.ndarray) -> tuple[float, float]:
    """Return the values to show as black and white: 0 and 1, or 0 and 255, if pixels are of that range, else theirs."""
    present = rows[np.isfinite(rows)]
    if not len(present):
        return 0.0, 1.0
    low, high = float(present.min()), float(present.max())
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    if low >= 0 and 16 < high <= 255:
        return 0.0, 255.0
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def sheet(images: np.ndarray, columns: int, alt: str, gap: int = GAP) -> Sheet:
    """Return images (n, h, w) or (n, h, w, 3) from 0 to 1 as one picture, line by line."""
    count, height, width = images.shape[:3]
    lines = -(-count // columns)
    size = (lines * (height + gap) - gap, columns * (width + gap) - gap)
    picture = np.full((*size, *images.shape[3:]), BETWEEN)
    for place, image in enumerate(images):
        top, left = place // columns * (height + gap), place % columns * (width + gap)
        picture[top : top + height, left : left + width] = image
    return Sheet(address(png_of(picture)), size[1], size[0], alt)


def heat(values: np.ndarray) -> np.ndarray:
    """Return numbers of at least 0, (..., h, w), as colours (..., h, w, 3): black for 0, light yellow for the most."""
    top = values.max() if values.size else 0.0
    share = values / top if top > 0 else np.zeros_like(values)
    return np.stack(
        [np.clip(1.6 * share, 0, 1), np.clip(1.6 * share - 0.5, 0, 1), 0.35 * np.clip(share, 0, 1)], axis=-1
    )
