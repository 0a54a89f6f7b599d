"""`Images`: the images that the networks are trained and tested on."""

from dataclasses import dataclass, replace

import numpy as np

from isthmus.data import Dataset

CLASSES = 10
"""Digits 0 to 9; the figures show one test image of each."""


@dataclass(frozen=True)
class Images:
    """Images as rows of F pixels, with grey levels from 0 to `white`."""

    name: str
    source: str
    train: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray
    shape: tuple[int, int]
    white: float

    @property
    def whence(self) -> str:
        """Where the images came from, in words."""
        return self.source.replace("folder <ISTHMUS_DATA>", "a local folder")

    @property
    def pixels(self) -> int:
        """The number of pixels F of an image."""
        return self.train.shape[1]

    def first(self, rows: int) -> "Images":
        """Return the same images with only the first training rows."""
        return replace(self, train=self.train[:rows])

    def bright(self, rows: np.ndarray) -> np.ndarray:
        """Return rows with grey levels from 0 to 1, in float32."""
        return (rows / self.white).astype(np.float32)


def images_of(dataset: Dataset) -> Images:
    """Return the images of a data set. 8-bit grey levels are kept; other values are scaled to [0, 1]."""
    assert dataset.image_shape is not None
    eight_bit = dataset.X.dtype == np.uint8
    brightest = 1.0 if eight_bit else float(dataset.X.max())
    train, test = (rows if eight_bit else (rows / brightest).astype(np.float32) for rows in (dataset.X, dataset.X_test))
    white = 255.0 if eight_bit else 1.0
    return Images(dataset.name, dataset.source, train, test, dataset.y_test, dataset.image_shape, white)


def digit_rows(images: Images) -> np.ndarray:
    """Return the index of the first test image of each digit, (10,)."""
    return np.array([np.flatnonzero(images.test_labels == digit)[0] for digit in range(CLASSES)])


def pixel_deviations(images: Images) -> np.ndarray:
    """Return the standard deviation of each pixel over the training images, (F,), for grey levels from 0 to 1."""
    return images.train.std(axis=0, dtype=np.float64) / images.white
