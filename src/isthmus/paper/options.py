"""`Options`: how the reproduction was run, and what may be concluded from it."""

from collections.abc import Sequence
from typing import NamedTuple

from isthmus.paper.images import Images
from isthmus.paper.numbers import counted

EPOCHS = 20
"""Epochs in the paper."""
MNIST_ROWS = 60_000


class Options(NamedTuple):
    """How the reproduction was run. A property that is not empty says why some claims get no verdict."""

    epochs: int
    seeds: Sequence[int]
    quick: bool

    @property
    def too_quick(self) -> str:
        """Why even claims that need no images get no verdict."""
        return "a quick run" if self.quick else ""

    @property
    def too_short(self) -> str:
        """Why claims about trained networks get no verdict."""
        return counted(self.epochs, "epoch") if self.epochs < EPOCHS else self.too_quick

    def not_the_papers(self, images: Images) -> str:
        """Why claims that the paper and its notebooks make about MNIST get no verdict."""
        return self.too_short or ("" if is_whole_mnist(images) else counted(len(images.train), "image"))


def is_whole_mnist(images: Images) -> bool:
    """Return whether these are the images of the paper."""
    return images.name == "mnist" and len(images.train) == MNIST_ROWS
