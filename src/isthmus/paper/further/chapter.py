"""`Chapter`: the text, table, figures and claims that one study adds to the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypedDict

import numpy as np

from isthmus.engine import Compute
from isthmus.estimators import AutoEncoder
from isthmus.paper import numbers
from isthmus.paper.claim import Claim
from isthmus.paper.colours import Whose
from isthmus.paper.findings import Finding
from isthmus.paper.images import Images
from isthmus.paper.networks import Run, estimator, wide_sizes
from isthmus.paper.picture import Picture
from isthmus.paper.plane import PlanePicture
from isthmus.paper.training import squared_errors
from isthmus.reports.metrics import image_quality


class Column(NamedTuple):
    """A column of a chapter's table: its heading and the decimal places of its numbers."""

    heading: str
    places: int


MSE = Column("test MSE", numbers.ERROR)
SECONDS = Column("seconds", numbers.SECONDS)


@dataclass(frozen=True)
class Chapter:
    """Text, a table, figures and claims, ready to be shown."""

    title: str
    paragraphs: Sequence[str]
    columns: Sequence[Column]
    """Columns of the table, after that of the models' names."""
    rows: Mapping[str, Mapping[str, float]]
    """Measured values by model name and heading: {name: {heading: value}}."""
    whose: Mapping[str, Whose]
    """Whose recipe each model follows."""
    pictures: Sequence[Picture]
    claims: Sequence[Claim]
    findings: Sequence[Finding] = ()
    planes: Sequence[PlanePicture] = ()
    about_images: bool = True
    """Whether the chapter is about the images of the run, and not about data of its own."""

    @property
    def cells(self) -> list[tuple[Whose, list[str]]]:
        """The table as text, with whose each row is; a value that was not measured is a dash."""
        return [
            (self.whose.get(name, ""), [name, *(cell(values, column) for column in self.columns)])
            for name, values in self.rows.items()
        ]


def cell(values: Mapping[str, float], column: Column) -> str:
    """Return one cell of the table as text."""
    if column.heading not in values:
        return "–"
    value = values[column.heading]
    return numbers.seconds(value) if column == SECONDS else numbers.decimal(value, column.places)


class Settings(TypedDict):
    """The parameters that every network with the library's defaults shares."""

    epochs: int
    compute: Compute
    random_state: int


def settings(epochs: int, seed: int) -> Settings:
    """Return the settings of networks with the library's defaults, for a report of that many epochs."""
    return {"epochs": half(epochs), "compute": Compute(threads=1), "random_state": seed}


def half(epochs: int) -> int:
    """Return half the epochs, at least 1: networks that start at PCA need no more."""
    return max(1, epochs // 2)


def paper_recipe(images: Images, epochs: int, seed: int, **changed: object) -> AutoEncoder:
    """Return the paper's sigmoid + MSE network, with the given parameters changed."""
    hidden, latent = wide_sizes(images)
    run = Run("", "paper", latent, hidden, epochs=epochs, seed=seed)
    model = estimator(run, images.pixels)
    model.set_params(**changed)
    return model


def reconstructed(model: AutoEncoder, rows: np.ndarray, images: Images) -> np.ndarray:
    """Reconstruct rows given in the data's own units; the result has grey levels around [0, 1]."""
    return images.bright(model.reconstruct(rows))


def held_out_error(model: AutoEncoder, images: Images) -> float:
    """Return the mean squared error per pixel on the test images."""
    return image_quality(images.bright(images.test), reconstructed(model, images.test, images)).mse


def training_error(model: AutoEncoder, images: Images) -> float:
    """Return the squared error per pixel in the last epoch, without penalties, as the paper's notebook prints it."""
    nats = model.history_["loss" if model.penalty is None else "nll"][-1:] / images.pixels
    return float(squared_errors(nats, model.likelihood_)[0])


def seconds(model: AutoEncoder) -> float:
    """Return the seconds that the training took."""
    return float(model.history_["seconds"][-1])
