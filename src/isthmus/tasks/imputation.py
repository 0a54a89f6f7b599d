"""`Imputer`: the gaps of a table, filled by masked autoencoders."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted
from torch import Generator

from isthmus.core.checks import whole_number
from isthmus.core.choices import refuse_unknown
from isthmus.core.registry import register
from isthmus.data import frames
from isthmus.data.dense import DenseTable
from isthmus.data.images import dimensions, flattened
from isthmus.data.reading import learn_table, read_table
from isthmus.data.reading_columns import ColumnKinds, kinds_by_name, take_apart
from isthmus.data.reading_numbers import any_array
from isthmus.data.restoring import restore
from isthmus.data.schema import TableSchema
from isthmus.data.sources import is_source, memory_mapped
from isthmus.engine.compute import Compute, compute
from isthmus.estimators import checks, model_file, model_state, rules, training
from isthmus.estimators.autoencoder import AutoEncoder
from isthmus.estimators.descriptors import FromModel
from isthmus.estimators.fitted_model import FittedModel
from isthmus.estimators.html import fitted_html, sections_of, with_html
from isthmus.estimators.inference import Inference
from isthmus.estimators.parameters import RandomState
from isthmus.estimators.plain import Classes
from isthmus.estimators.state import State, members, nest
from isthmus.parts.corruptions import Masking
from isthmus.tasks.hidden_cells import RATE, Read, drawing, filled_in, hidden_cell_errors, scaling_of

HIDDEN, LATENT, LEARNING_RATE = 256, 64, 3e-3
SPREAD_ROWS = 4096
"""Rows at most from which the errors of filled cells are found."""


@register("estimator")
class Imputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Fills the missing cells of a table with what masked autoencoders expect, given the cells that are there.

    In training a random share of each row's columns is hidden, and the network predicts the hidden cells: a denoising
    autoencoder as in Gondara and Wang (2018) that is told which cells are missing and is scored on hidden cells only.
    Numbers get their conditional mean; categories, booleans and text their likeliest value. Observed cells stay as they
    are.

    Parameters
    ----------
    estimator : AutoEncoder, optional
        The autoencoder to train; its `random_state` and `columns` are set by the imputer. None: 256 hidden units, codes
        of 64 numbers, 30 % of the columns hidden.
    members : int, default=5
        Number of autoencoders, each trained with another seed and other validation rows; their expectations are
        averaged.
    rounds : int, default=0
        How often the gaps of one half of the columns are filled again, given the filled other half. The network is told
        what is missing; every round was measured to make numbers slightly worse.
    fill : {"mean", "draw"}, default="mean"
        "draw": `transform` returns a draw as `draws` does, for multiple imputation.
    columns : dict, sequence or str, optional
        As in `AutoEncoder`, except that columns of numbers are "real" unless stated otherwise.
    random_state : int, RandomState, Generator or None, default=None
        The same seed fills in the same values.

    Attributes
    ----------
    models_ : list of FittedModel
        The trained autoencoders.
    columns_ : Columns
        What each column was taken for.
    spread_ : ndarray of shape (cells,)
        Root mean squared error of the filled values of hidden cells, in the network's units.
    n_features_in_ : int
        Columns seen in `fit`.
    feature_names_in_ : ndarray of str
        Their names, if they had any.

    References
    ----------
    L. Gondara and K. Wang, "MIDA: Multiple Imputation Using Denoising Autoencoders", PAKDD, 2018.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> whole = rng.normal(size=(300, 1)) * np.ones(3) + 0.1 * rng.normal(size=(300, 3))
    >>> X = whole.copy(); X[rng.random(X.shape) < 0.2] = np.nan
    >>> filled = Imputer(members=1, random_state=0).fit_transform(X)
    >>> gaps = np.isnan(X)
    >>> bool(np.abs(filled - whole)[gaps].mean() < 0.4), bool((filled == X)[~gaps].all())
    (True, True)
    """

    def __init__(
        self,
        estimator: AutoEncoder | None = None,
        *,
        members: int = 5,
        rounds: int = 0,
        fill: str = "mean",
        columns: ColumnKinds = None,
        random_state: RandomState = None,
    ) -> None:
        self.estimator = estimator
        self.members = members
        self.rounds = rounds
        self.fill = fill
        self.columns = columns
        self.random_state = random_state

    columns_ = FromModel(lambda model: model.schema.columns)
    n_features_in_ = FromModel(lambda model: model.schema.n_features)
    feature_names_in_ = FromModel(lambda model: model.schema.feature_names)

    def fitted_model(self) -> FittedModel | None:
        """Return the first of the fitted models, which all have the same columns; None before `fit`."""
        return self.models_[0] if "models_" in vars(self) else None

    def fit(self, X: object, y: object = None) -> Self:
        """Train on a table with or without gaps.

        Parameters
        ----------
        X : frame or array of shape (n, F), n at least 2
            NaN, None or null where a cell is missing.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a column cannot be learned from, for example because of infinite values; it is named.
        """
        self._check_parameters()
        seeds = np.random.SeedSequence(checks.seed(self.random_state))
        member = clone_of(self.estimator)
        X = in_memory(X)
        table, schema = learn_table(
            X,
            caller=type(self).__name__,
            columns=numbers_are_real(self.columns, X),
            obstacle=rules.obstacle_to_columns(member),
            least_rows=2,
        )
        models = []
        for sequence in seeds.spawn(whole_number("members", self.members, 1)):
            member.set_params(random_state=int(sequence.generate_state(1)[0]))
            models.append(training.fit(member, table, schema))
        numbers = read_table(X, schema, caller=type(self).__name__).drawn(np.arange(min(len(table), SPREAD_ROWS)))
        self.models_, self.spread_ = models, hidden_cell_errors(models, np.asarray(numbers), self.rounds)
        return self

    def transform(self, X: object) -> Any:
        """Return the table with its gaps filled: a frame of the same kind, or an array, (n, F).

        A column without any value in `fit` stays missing.
        """
        if self.fill == "draw":
            return next(self.draws(X, 1, random_state=self.random_state))
        X, numbers = self._read(X)
        total = self._filled_cells(0, numbers, None)
        for member in range(1, len(self.models_)):
            total = total + self._filled_cells(member, numbers, None)
        return self._restored(X, numbers, total / len(self.models_))

    def draws(self, X: object, n: int = 5, *, random_state: RandomState = None) -> Iterator[Any]:
        """Fill the gaps n times with plausible values, for multiple imputation (Rubin 1987).

        Each draw takes one of the autoencoders at random and draws every missing cell from its likelihood; the spread
        of numbers about their expectation is the one that hidden cells had in `fit`.

        Parameters
        ----------
        X : as in `fit`
        n : int
            Number of draws.
        random_state : int, RandomState, Generator or None
            The same seed draws the same values.

        Yields
        ------
        A table as `transform` returns it.
        """
        X, numbers = self._read(X)
        generator = np.random.default_rng(checks.seed(random_state))
        for _ in range(whole_number("n", n, 1)):
            chosen = int(generator.integers(len(self.models_)))
            cells = self._filled_cells(chosen, numbers, int(generator.integers(2**62)))
            yield self._restored(X, numbers, cells)

    def save(self, path: str | Path) -> None:
        """Write the fitted imputer to one file, as `AutoEncoder.save` does; `isthmus.load` reads it."""
        check_is_fitted(self)
        model_file.save(self, Path(path))

    def fitted_state(self) -> State:
        """Return what was fitted as facts and tensors, for a file."""
        models = {f"model{place}": model_state.state_of(model) for place, model in enumerate(self.models_)}
        return nest(models, None, {"spread": torch.from_numpy(self.spread_)})

    def restore_fitted(self, state: State, classes: Classes) -> None:
        """Take what was fitted from a file; `classes` are those of the parts that may occur in it."""
        self.models_ = [model_state.model_of(saved, classes) for saved in members("model", *state)]
        self.spread_ = state.tensors["spread"].numpy()

    # -- inside -----------------------------------------------------------------------------------------------------

    def _check_parameters(self) -> None:
        refuse_unknown("fill", self.fill, ("mean", "draw"))
        whole_number("rounds", self.rounds, 0)

    def _read(self, X: object) -> tuple[Any, np.ndarray]:
        """Check a table against the columns of `fit`; return it, and as numbers (n, R)."""
        check_is_fitted(self)
        self._check_parameters()
        X = in_memory(X)
        table = read_table(X, self._schema, caller=type(self).__name__)
        return X, np.asarray(table.drawn(np.arange(len(table))))

    @property
    def _schema(self) -> TableSchema:
        return self.models_[0].schema

    def _filled_cells(self, member: int, numbers: np.ndarray, seed: int | None) -> np.ndarray:
        """Return what a model puts into every cell of numbers (n, R), (n, cells): its expectations, or a draw."""
        model = self.models_[member]
        inference = Inference(model, self._machine)
        scaling, network, rounds = scaling_of(model), model.network, self.rounds
        rows = inference.rows(DenseTable(numbers))
        group = scaling.feature_group.to(rows.device)
        read: Read = network.likelihood.mean
        if seed is not None:
            read = drawing(network.likelihood, torch.from_numpy(self.spread_), Generator(rows.device).manual_seed(seed))
        found = inference.map(lambda x: filled_in(network, x, group, rounds, read), rows, scaling.cells)
        return found.astype(np.float64)

    @property
    def _machine(self) -> Compute:
        return compute("auto") if self.estimator is None else compute(self.estimator.compute)

    def _restored(self, X: object, numbers: np.ndarray, cells: np.ndarray) -> Any:
        """Return the table X, numbers (n, R), with missing numbers taken from cells (n, cells)."""
        raw = scaling_of(self.models_[0]).inverse(torch.from_numpy(cells), rounded=False).numpy()
        return restore(np.where(np.isnan(numbers), raw, numbers), self._schema, like=X)

    def _repr_html_inner(self) -> str:
        return str(super()._repr_html_inner()) + self._fitted_html()

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, object]:
        return with_html(super()._repr_mimebundle_(**kwargs), self._fitted_html())

    def _fitted_html(self) -> str:
        model = self.fitted_model()
        return "" if model is None else fitted_html(sections_of(model))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        return tags


def clone_of(estimator: AutoEncoder | None) -> AutoEncoder:
    """Return an unfitted copy of the estimator, or the default one for None."""
    if estimator is None:
        return masked_autoencoder()
    if not isinstance(estimator, AutoEncoder):
        raise ValueError(f"estimator must be an AutoEncoder or None; got {estimator!r}")
    copy: AutoEncoder = clone(estimator)
    return copy


def masked_autoencoder() -> AutoEncoder:
    """Return the default autoencoder of an imputer."""
    return AutoEncoder(
        latent=LATENT,
        hidden=(HIDDEN,),
        corruption=Masking(RATE, value=None, score="hidden"),
        learning_rate=LEARNING_RATE,
        patience=None,
        compute=Compute(precision="float32"),
    )


def in_memory(X: object) -> Any:
    """Return a frame as it is, the array of a .npy file memory-mapped, and anything else as an array.

    Raises
    ------
    ValueError
        If X is read a piece at a time.
    """
    X = memory_mapped(X)
    if frames.is_frame(X):
        return X
    if isinstance(X, str | Path) or is_source(X):
        raise ValueError(
            f"Imputer takes rows in memory, and X is a source of rows ({type(X).__name__}): read it first, for "
            "example with pandas.read_parquet"
        )
    return X if dimensions(X) > 2 else any_array(X)


def numbers_are_real(columns: ColumnKinds, X: object) -> dict[Any, str]:
    """Return what is said of columns, and "real" for columns of numbers of which nothing is said."""
    schema, _ = take_apart(flattened(X)[0])
    said = kinds_by_name(columns, schema)
    return {field.name: "real" for field in schema.fields if field.sort in ("float", "integer")} | said
