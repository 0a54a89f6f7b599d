"""Holes filled and noise removed on MNIST, beside the closed forms and a U-Net of plain torch.

python -m benchmarks.restoring {holes,noise} [--rows N] [--epochs N] [--without NAME ...] [--json FILE]

Holes. A block of 10 x 10 pixels is missing of each of the first 500 test images, its corner drawn from 5 to 13 (seed
0). PSNR within the holes, in dB, of reconstructions clipped to [0, 1]: the mean image; the mean of the 5 training
images that are nearest on the pixels that are seen; a normal distribution given these pixels (covariance of all
training images, noise of variance 0.01 added); `zoo.masked` with its defaults, and its dense layers.

Noise. Normal noise of σ = 0.5, not clipped, on all 10,000 test images (seed 0); PSNR of the mean squared error over all
of them, of outputs clipped to [0, 1]: principal components of the best number among 8, 16, ..., 128 on 2,000 training
images with noise of their own; the Wiener filter; `zoo.denoising` with its defaults, dense and with
``encoder="convolutional"``; and a U-Net with two halvings and 16, 32 and 64 channels, which trains as many seconds of
processor time as the convolutional network did, on new noise in every step, by Adam with a cosine schedule over these
seconds.

All of them see `--rows` training images (60,000) and one thread; seed 0.
"""

import argparse
import json
import math
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import Generator, Tensor, nn
from torch.nn.functional import silu

from isthmus import AutoEncoder, Compute, Dense, zoo
from isthmus.data import load_dataset

NOISE, HOLE, IMAGES, SIDE = 0.5, 10, 500, 28
RANKS = (8, 16, 32, 64, 128)
CHANNELS = (16, 32, 64)
BATCH, RATE = 128, 2e-3


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["holes", "noise"])
    parser.add_argument("--rows", type=int, default=60_000, help="training images (default: 60,000)")
    parser.add_argument("--epochs", type=int, default=None, help="epochs (default: the library's)")
    parser.add_argument("--without", nargs="+", default=[], metavar="NAME", help="contenders to leave out")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    mnist = load_dataset("mnist")
    train, test = grey(mnist.X[: given.rows]), grey(mnist.X_test)
    settings: dict[str, Any] = {"compute": Compute(threads=1), "random_state": 0}
    if given.epochs is not None:
        settings["epochs"] = given.epochs
    contest = holes(train, test, settings) if given.part == "holes" else noise(train, test, settings)
    found = {}
    for name, measure in contest.items():
        if name not in given.without:
            found[name] = measure()
            print(f"{name:<24}{found[name]:.2f} dB", flush=True)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))


def grey(X: np.ndarray) -> np.ndarray:
    """Return images as rows (n, 784) of grey levels in [0, 1]."""
    return (X.reshape(len(X), -1) / 255).astype(np.float32)


def psnr(squares: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio, in dB, of squared errors at a peak of 1."""
    return -10 * math.log10(squares.mean())


# -- holes -------------------------------------------------------------------------------------------------------------


def holes(train: np.ndarray, test: np.ndarray, settings: dict[str, Any]) -> dict[str, Callable[[], float]]:
    """Return what fills holes, by name, as functions that measure it."""
    images, rng = test[:IMAGES], np.random.default_rng(0)
    hidden = np.zeros((IMAGES, SIDE, SIDE), dtype=bool)
    for one in hidden:
        top, left = rng.integers(5, 14, 2)
        one[top : top + HOLE, left : left + HOLE] = True
    hidden = hidden.reshape(IMAGES, -1)

    def measured(filled: np.ndarray) -> float:
        return psnr((np.clip(filled[hidden], 0, 1) - images[hidden]) ** 2)

    def by(model: AutoEncoder) -> float:
        return measured(model.fit(train).fill(np.where(hidden, np.nan, images)))

    return {
        "mean": lambda: measured(np.broadcast_to(train.mean(0), images.shape)),
        "5-NN": lambda: measured(by_neighbours(train, images, hidden)),
        "normal distribution": lambda: measured(by_normal_distribution(train, images, hidden)),
        "masked, dense": lambda: by(
            zoo.masked(encoder=Dense((512,)), corruption=zoo.masked().corruption.images, **settings)
        ),
        "masked": lambda: by(zoo.masked(**settings)),
    }


def by_neighbours(train: np.ndarray, images: np.ndarray, hidden: np.ndarray, count: int = 5) -> np.ndarray:
    """Return the mean of the training images nearest to each image (n, F) on the pixels that are seen."""
    seen = (~hidden).astype(np.float32)
    distances = seen @ (train**2).T - 2 * (seen * images) @ train.T
    nearest = np.argpartition(distances, count, axis=1)[:, :count]
    return train[nearest].mean(1)


def by_normal_distribution(train: np.ndarray, images: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Return what a normal distribution expects of hidden pixels, given those that are seen, (n, F)."""
    mean, filled = train.mean(0), images.copy()
    covariance = np.cov(train.T, bias=True) + 0.01 * np.eye(train.shape[1])
    for row, mask in zip(filled, hidden, strict=True):
        seen = ~mask
        regression = np.linalg.solve(covariance[np.ix_(seen, seen)], (row - mean)[seen])
        row[mask] = mean[mask] + covariance[np.ix_(mask, seen)] @ regression
    return filled


# -- noise -------------------------------------------------------------------------------------------------------------


def noise(train: np.ndarray, test: np.ndarray, settings: dict[str, Any]) -> dict[str, Callable[[], float]]:
    """Return what removes noise, by name, as functions that measure it; the U-Net is timed by the one before it."""
    noisy = with_noise(test, 0)
    seconds = [60.0]

    def by(model: AutoEncoder, shape: tuple[int, ...]) -> float:
        start = time.process_time()
        model.fit(train.reshape(-1, *shape))
        seconds[0] = time.process_time() - start
        return measured(model.reconstruct(noisy.reshape(-1, *shape)).reshape(test.shape))

    def measured(restored: np.ndarray) -> float:
        return psnr((np.clip(restored, 0, 1) - test) ** 2)

    image, flat = (SIDE, SIDE), (SIDE * SIDE,)
    return {
        "PCA": lambda: measured(by_components(train, noisy)),
        "Wiener filter": lambda: measured(by_wiener_filter(train, noisy)),
        "denoising, dense": lambda: by(zoo.denoising(noise=NOISE, **settings), flat),
        "denoising, convolutional": lambda: by(zoo.denoising(noise=NOISE, encoder="convolutional", **settings), image),
        "U-Net": lambda: measured(by_unet(train, noisy, seconds[0])),
    }


def with_noise(rows: np.ndarray, seed: int) -> np.ndarray:
    """Return rows with normal noise."""
    drawn = np.random.default_rng(seed).standard_normal(rows.shape)
    return (rows + NOISE * drawn).astype(np.float32)


def by_components(train: np.ndarray, noisy: np.ndarray) -> np.ndarray:
    """Return noisy rows (n, F) projected on the number of principal components that is best on training rows."""
    some = train[-2000:]
    models = [PCA(rank, svd_solver="covariance_eigh").fit(train) for rank in RANKS]
    tried = with_noise(some, 1)
    best = min(models, key=lambda pca: float(((pca.inverse_transform(pca.transform(tried)) - some) ** 2).mean()))
    return best.inverse_transform(best.transform(noisy))


def by_wiener_filter(train: np.ndarray, noisy: np.ndarray) -> np.ndarray:
    """Return the best linear estimate of the rows without noise, (n, F)."""
    mean, covariance = train.mean(0), np.cov(train.T, bias=True)
    return (noisy - mean) @ np.linalg.solve(covariance + NOISE**2 * np.eye(len(covariance)), covariance) + mean


class UNet(nn.Module):
    """A U-Net with two halvings (Ronneberger, Fischer and Brox 2015): (B, 1, H, W) to the same shape."""

    def __init__(self) -> None:
        super().__init__()
        low, middle, high = CHANNELS
        self.first = nn.Conv2d(1, low, 3, padding=1)
        self.down = nn.ModuleList([nn.Conv2d(low, middle, 3, 2, 1), nn.Conv2d(middle, high, 3, 2, 1)])
        self.deepest = nn.Conv2d(high, high, 3, padding=1)
        self.up = nn.ModuleList(
            [nn.ConvTranspose2d(high, middle, 3, 2, 1, 1), nn.ConvTranspose2d(middle, low, 3, 2, 1, 1)]
        )
        self.join = nn.ModuleList([nn.Conv2d(2 * middle, middle, 3, padding=1), nn.Conv2d(2 * low, low, 3, padding=1)])
        self.last = nn.Conv2d(low, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, H, W) to (B, 1, H, W), in [0, 1]."""
        whole = silu(self.first(x.contiguous(memory_format=torch.channels_last)))
        half = silu(self.down[0](whole))
        h = silu(self.deepest(silu(self.down[1](half))))
        for up, join, beside in zip(self.up, self.join, (half, whole), strict=True):
            h = silu(join(torch.cat([silu(up(h)), beside], 1)))
        return torch.sigmoid(self.last(h))


def by_unet(train: np.ndarray, noisy: np.ndarray, seconds: float) -> np.ndarray:
    """Return noisy rows (n, F) through a U-Net that was trained for so many seconds of processor time."""
    generator = Generator().manual_seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = UNet()
    rows, optimiser = torch.from_numpy(train).view(-1, 1, SIDE, SIDE), torch.optim.Adam(network.parameters(), RATE)
    start = time.process_time()
    while (done := (time.process_time() - start) / seconds) < 1:
        optimiser.param_groups[0]["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * done))
        x = rows[torch.randint(len(rows), (BATCH,), generator=generator)]
        seen = x + NOISE * torch.empty_like(x).normal_(generator=generator)
        optimiser.zero_grad()
        (network(seen) - x).square().mean().log().backward()
        optimiser.step()
    with torch.no_grad():
        blocks = torch.from_numpy(noisy).view(-1, 1, SIDE, SIDE).split(500)
        return torch.cat([network(block) for block in blocks]).view(len(noisy), -1).numpy()


if __name__ == "__main__":
    main()
