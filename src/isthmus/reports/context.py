"""`Context`: what the sections of a report may look at. Whatever several of them need is computed once, on demand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np

from isthmus.data.columns import Columns
from isthmus.data.images import RowShape
from isthmus.data.schema import TableSchema
from isthmus.estimators.autoencoder import AutoEncoder
from isthmus.estimators.fitted_model import FittedModel
from isthmus.parts.convolution import Convolutional
from isthmus.reports.column_values import column_values
from isthmus.reports.cut import cut
from isthmus.reports.findings import Finding
from isthmus.reports.sampling import Sample
from isthmus.reports.targets import Target
from isthmus.tasks.anomaly.detector import AnomalyDetector
from isthmus.tasks.anomaly.odd_rows import OddRows
from isthmus.tasks.imputation.imputer import Imputer

MOST_REBUILT = 2000
"""Rows at most that are encoded and reconstructed."""

Kind = TypeVar("Kind")


@runtime_checkable
class HasModel(Protocol):
    """An estimator that has a fitted autoencoder."""

    def fitted_model(self) -> FittedModel | None:
        """Return it; None before `fit`."""
        ...


@runtime_checkable
class HasSchema(Protocol):
    """An estimator that knows the columns of its table without an autoencoder of its own."""

    def table_schema(self) -> TableSchema:
        """Return what was learned of the columns."""
        ...


@runtime_checkable
class HasColumns(Protocol):
    """An estimator that says what its columns were taken for."""

    columns_: Columns


@dataclass(frozen=True, eq=False)
class Rebuilt:
    """Rows of the sample beside their codes and reconstructions.

    Attributes
    ----------
    index : ndarray of shape (d,)
        Which rows of the sample these are.
    rows : frame, array or CSR matrix
        As they came.
    decoded : frame or array
        Their reconstructions, in the data's units.
    values, decoded_values : ndarray of shape (d, columns)
        Both as one number per column.
    codes : ndarray of shape (d, K)
        Their codes.
    errors : ndarray of shape (d,)
        The reconstruction error of each.
    """

    index: np.ndarray
    rows: Any
    decoded: Any
    values: np.ndarray
    decoded_values: np.ndarray
    codes: np.ndarray
    errors: np.ndarray


@dataclass(frozen=True, eq=False)
class Context:
    """The fitted models of a report, a sample of the rows, and what the caller says about both.

    Attributes
    ----------
    models : tuple
        Fitted estimators, one of each kind.
    sample : Sample
        Rows of the table.
    schema : TableSchema
        Its columns.
    labels : tuple of str
        What each row of the sample is called.
    target : Target or None
        What the rows are known to be.
    findings : tuple of Finding
        What was found before, the worst first.
    image_shape : tuple of int or None
        (height, width) or (height, width, channels) of each row, if rows are images.
    anomalies : int
        Anomalies to show.
    files : tuple of str
        The file of each model, as far as they are known.
    source : str
        Where the table came from, such as the name of a file; "" if that is not known.
    """

    models: tuple[object, ...]
    sample: Sample
    schema: TableSchema
    labels: tuple[str, ...]
    target: Target | None = None
    findings: tuple[Finding, ...] = ()
    image_shape: RowShape | None = None
    anomalies: int = 20
    files: tuple[str, ...] = ()
    source: str = ""

    def first(self, kind: type[Kind]) -> Kind | None:
        """Return the model of this kind; None if there is none."""
        return next((model for model in self.models if isinstance(model, kind)), None)

    @property
    def autoencoder(self) -> AutoEncoder | None:
        """The autoencoder, if the report is about one."""
        return self.first(AutoEncoder)

    @property
    def detector(self) -> AnomalyDetector | None:
        """The detector, if the report is about one."""
        return self.first(AnomalyDetector)

    @property
    def imputer(self) -> Imputer | None:
        """The imputer, if the report is about one."""
        return self.first(Imputer)

    @cached_property
    def model(self) -> FittedModel | None:
        """The autoencoder's fitted model."""
        return None if self.autoencoder is None else self.autoencoder.fitted_model()

    @cached_property
    def columns(self) -> Columns:
        """What the columns were taken for."""
        if self.schema.columns is not None:
            return self.schema.columns
        if self.model is not None:
            return self.model.columns
        return next(model for model in self.models if isinstance(model, HasColumns)).columns_

    @cached_property
    def names(self) -> list[str]:
        """The names of the columns, cut where they are long."""
        return [cut(str(name)) for name in self.schema.labels]

    @cached_property
    def values(self) -> np.ndarray:
        """The rows of the sample as one number per column, (s, columns)."""
        return column_values(self.sample.rows, self.schema)

    @cached_property
    def rebuilt(self) -> Rebuilt | None:
        """Rows of the sample beside their reconstructions; None without an autoencoder."""
        model = self.autoencoder
        if model is None:
            return None
        count = len(self.sample.places)
        index = np.unique(np.linspace(0, count - 1, min(count, MOST_REBUILT)).round().astype(np.int64))
        rows = self.sample.part(index).rows
        decoded = model.reconstruct(rows)
        return Rebuilt(
            index,
            rows,
            decoded,
            self.values[index],
            column_values(decoded, self.schema),
            model.transform(rows),
            model.reconstruction_error(rows),
        )

    @cached_property
    def odd_rows(self) -> OddRows | None:
        """The oddest rows of the sample; None without a detector."""
        if self.detector is None:
            return None
        found = self.detector.odd_rows(self.sample.rows, self.anomalies)
        return replace(found, places=self.sample.places[found.places])


def schema_of(models: Sequence[object]) -> TableSchema:
    """Return the columns that the models know; those of an autoencoder or imputer, if there is one."""
    for model in models:
        if isinstance(model, HasModel) and (fitted := model.fitted_model()) is not None:
            return fitted.schema
    known = next(model for model in models if isinstance(model, HasSchema))
    return known.table_schema()


def shape_of_images(schema: TableSchema, models: Sequence[object]) -> RowShape | None:
    """Return the shape of images: that of `fit`, or that of a convolutional encoder; None if rows are no images."""
    if schema.row_shape is not None:
        return schema.row_shape
    for model in models:
        fitted = model.fitted_model() if isinstance(model, HasModel) else None
        encoder = None if fitted is None else fitted.composition.encoder
        if isinstance(encoder, Convolutional) and isinstance(encoder.shape, tuple) and len(encoder.shape) > 1:
            return encoder.shape
    return None
