"""`Chapter`: what one study gives to the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from isthmus.estimators import AutoEncoder
from isthmus.paper.claims import Claim
from isthmus.paper.runs import Images, Run, estimator, squared_errors
from isthmus.reports.metrics import image_quality


class Picture(NamedTuple):
    """A figure of the report."""

    name: str
    """Of its file, without the ending."""
    png: bytes
    caption: str


@dataclass(frozen=True)
class Chapter:
    """Text, a table, figures and claims, ready to be shown."""

    title: str
    paragraphs: Sequence[str]
    columns: Sequence[str]
    """Headings of the table; the first is that of the names."""
    rows: Mapping[str, Mapping[str, float]]
    """Measured values by name and heading (short of the first): {name: {heading: value}}."""
    pictures: Sequence[Picture]
    claims: Sequence[Claim]

    @property
    def cells(self) -> list[list[str]]:
        """The table as text, a list a row."""
        return [
            [name, *(number(values[column]) if column in values else "–" for column in self.columns[1:])]
            for name, values in self.rows.items()
        ]


def number(value: float) -> str:
    """Write a number with four significant digits, a whole one with all of its own."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def half(epochs: int) -> int:
    """Return how many epochs a network of the library's own gets: it starts at PCA, and needs no more."""
    return max(1, epochs // 2)


def wide_sizes(images: Images) -> tuple[int, int]:
    """Return the hidden units and the code size of the paper's larger network, in proportion on smaller images."""
    return (128, 64) if images.pixels >= 784 else (images.pixels // 2, images.pixels // 4)


def paper_recipe(images: Images, epochs: int, seed: int, **changed: Any) -> AutoEncoder:
    """Return the paper's sigmoid + MSE network, with other parameters where they are given."""
    hidden, latent = wide_sizes(images)
    run = Run("", "paper", latent, hidden, epochs=epochs, seed=seed)
    return estimator(run, images.pixels).set_params(**changed)


def rebuilt(model: AutoEncoder, rows: np.ndarray, images: Images) -> np.ndarray:
    """Reconstruct rows given in the data's own units, with grey levels from 0 to 1."""
    return images.bright(model.reconstruct(rows))


def held_out_error(model: AutoEncoder, images: Images) -> float:
    """Mean squared error a pixel of the test images."""
    return image_quality(images.bright(images.test), rebuilt(model, images.test, images)).mse


def training_error(model: AutoEncoder, images: Images) -> float:
    """Squared error a pixel of the last epoch of the paper's recipe, as its notebook prints it; penalties left out."""
    nats = model.history_["loss" if model.penalty is None else "nll"][-1:] / images.pixels
    return float(squared_errors(nats, model.likelihood_, images.pixels)[0])
