"""Measures of how well images are reconstructed."""

import math
from typing import NamedTuple

import numpy as np

EPSILON = 1e-7
"""Reconstructions are clipped to [EPSILON, 1 - EPSILON] for the cross-entropy, so that it is finite."""


class ImageQuality(NamedTuple):
    """Measures of n reconstructed images of F pixels in [0, 1]."""

    mse: float
    """Mean squared error per pixel."""
    bce: float
    """Binary cross-entropy per pixel, in nats, of reconstructions clipped to (0, 1)."""
    psnr: float
    """Peak signal-to-noise ratio 10 log₁₀(1 / mse) in decibels, for a data range of 1."""
    explained_variance: float
    """1 - mse / variance around the mean image: 1 for perfect reconstructions, 0 for the mean image."""
    dead_outputs: int
    """Number of pixels that are exactly 0 in every reconstruction."""


def image_quality(images: np.ndarray, reconstructions: np.ndarray) -> ImageQuality:
    """Measure reconstructions (n, F) of images (n, F), both with the data range [0, 1].

    Raises
    ------
    ValueError
        If the two shapes differ.

    Examples
    --------
    >>> images = np.array([[0.0, 0.0], [1.0, 0.0]])
    >>> quality = image_quality(images, np.array([[0.1, 0.0], [0.9, 0.0]]))
    >>> round(quality.mse, 6), round(quality.psnr, 3), round(quality.explained_variance, 3), quality.dead_outputs
    (0.005, 23.01, 0.96, 1)
    """
    if images.shape != reconstructions.shape:
        raise ValueError(f"images {images.shape} and reconstructions {reconstructions.shape} must have the same shape")
    images = images.astype(np.float64)
    mse = float(np.square(images - reconstructions).mean())
    clipped = np.clip(reconstructions.astype(np.float64), EPSILON, 1 - EPSILON)
    bce = float(-(images * np.log(clipped) + (1 - images) * np.log1p(-clipped)).mean())
    variance = float(images.var(axis=0).mean())
    return ImageQuality(
        mse=mse,
        bce=bce,
        psnr=-10 * math.log10(mse) if mse > 0 else math.inf,
        explained_variance=1 - mse / variance if variance > 0 else math.nan,
        dead_outputs=int((reconstructions == 0).all(axis=0).sum()),
    )
