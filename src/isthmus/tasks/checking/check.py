"""`check`: what is wrong, or worth knowing, about data before a fit, and about a fitted model and the data it meets."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

import isthmus.tasks.checking.rules  # noqa: F401  rules register themselves
from isthmus.core.choices import refuse_unknown
from isthmus.data.reading_columns import ColumnKinds
from isthmus.data.scaling import SCALES
from isthmus.data.schema import TableSchema
from isthmus.estimators.fitted_model import FittedModel
from isthmus.tasks.anomaly.detector import AnomalyDetector
from isthmus.tasks.checking.findings import Finding, Findings
from isthmus.tasks.checking.rows_in_use import RowsInUse, rows_in_use
from isthmus.tasks.checking.rule import RULES, Rule
from isthmus.tasks.checking.samples import SparseSample, TableSample
from isthmus.tasks.checking.taking import Asked, sample_to_fit


class HasModel(Protocol):
    """An estimator with an autoencoder."""

    def fitted_model(self) -> FittedModel | None:
        """Return the fitted model; None before `fit`."""


Checked = HasModel | AnomalyDetector
"""A fitted estimator that can be checked."""


def check(
    X: object = None,
    model: Checked | None = None,
    *,
    target: str | int | ArrayLike | None = None,
    columns: ColumnKinds = None,
    latent: int | float | str | None = None,
    scale: str = "auto",
    groups: ArrayLike | None = None,
    ignore: Sequence[str] = (),
) -> Findings:
    """Return what is wrong, or worth knowing, about data to fit on, about a fitted model, or about data that it meets.

    Without a model: what a fit would do with the columns of X, and what would harm it, such as identifiers, clocks,
    copies of the target, duplicates, numbers that stand for gaps, or too few rows. With a model: what its training
    told, and how X differs from the rows it was trained on. `docs/check.md` lists all rules.

    Nothing is changed, trained or printed. Tables of more than 4,000,000 cells are sampled, and `Findings.looked_at`
    says how many rows were looked at; what columns are is learned from all of them.

    Parameters
    ----------
    X : as in `AutoEncoder.fit`, optional
        Array, frame, sparse matrix, images or a source of rows. A source is read twice. None: the model alone.
    model : AutoEncoder, AnomalyDetector or Imputer, optional
        A fitted estimator.
    target : str, int or array-like of shape (n,), optional
        The column of X that is to be predicted or compared with later, or its values. It is no part of the data to fit
        on, and other columns are asked whether they give it away. With a model, a column that is left out.
    columns : dict, sequence or str, optional
        What columns are, as in `AutoEncoder`.
    latent : int, float or "auto", optional
        The size of the code that is planned.
    scale : str, default="auto"
        The scale that is planned, as in `AutoEncoder`.
    groups : array-like of shape (n,), optional
        Labels that are going to be given to `fit`: columns of subjects are then not told of.
    ignore : sequence of str, default=()
        Names of rules to leave out.

    Returns
    -------
    Findings
        Worst first.

    Raises
    ------
    ValueError
        If there is neither X nor a model, X is no table, there is no such target, or a name is unknown.
    FileNotFoundError
        If X is a path and nothing is there.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> X[:, 2] = X[:, 0]
    >>> found = check(X)
    >>> found.worst, [one.rule for one in found]
    ('warning', ['duplicate-column'])
    >>> print(found[0])
    columns 0, 2: all their cells are equal. What they say counts twice in errors and scores. Leave all but one of \
[0, 2] out of X.
    """
    for name in ignore:
        refuse_unknown("rule", name, RULES)
    refuse_unknown("scale", scale, ("auto", *SCALES))
    if X is None and model is None:
        raise ValueError("there is nothing to check: give X, a fitted model, or both")
    rules = [one for one in RULES.values() if one.name not in ignore]
    if model is None:
        sample = sample_to_fit(X, Asked(target, columns, latent, scale, groups))
        return Findings(asked(rules, [sample]), rows_in_words(sample))
    check_is_fitted(model)
    things, words = looked_at_in(model, X, target)
    return Findings(asked([one for one in rules if not one.fitting], things), words)


def asked(rules: Iterable[Rule], things: Sequence[object]) -> Iterable[Finding]:
    """Yield what rules find in the things that they look at."""
    for one in rules:
        for thing in things:
            if isinstance(thing, one.kind):
                yield from one.findings(thing)


def looked_at_in(model: Checked, X: object, target: object = None) -> tuple[list[object], str]:
    """Return what rules look at in a fitted model, and in rows that it meets; and which rows, in words."""
    things: list[object] = [model]
    fitted, schema = known_of(model)
    if fitted is not None:
        things.append(fitted)
    if X is None:
        return things, ""
    met = rows_in_use(X, model, schema, fitted, target)
    if isinstance(met, RowsInUse):
        return [*things, met, met.sample], rows_in_words(met.sample)
    return [*things, met], rows_in_words(met)


def known_of(model: Checked) -> tuple[FittedModel | None, TableSchema]:
    """Return the autoencoder of a fitted estimator, if it has one, and what it learned of the columns."""
    if isinstance(model, AnomalyDetector):
        detector = model.fitted_detector()
        assert detector is not None, "it was checked to be fitted"
        return None, detector.schema
    fitted = model.fitted_model()
    assert fitted is not None, "it was checked to be fitted"
    return fitted, fitted.schema


def rows_in_words(sample: TableSample | SparseSample) -> str:
    """Return how many rows were looked at, in words."""
    if isinstance(sample, SparseSample):
        return f"{sample.rows:,} rows of {sample.matrix.shape[1]:,} columns"
    columns = len(sample.columns) + len(sample.unreadable) + (sample.target is not None and sample.target.name != -1)
    many = f"{sample.rows:,} row{'s' * (sample.rows != 1)} of {columns:,} column{'s' * (columns != 1)}"
    return f"{sample.looked_at:,} of {many}" if sample.sampled else many
