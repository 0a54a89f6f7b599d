"""`Imputer`: the gaps of a table, filled column by column by what fills hidden cells best."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from isthmus.core.checks import whole_number
from isthmus.core.choices import refuse_unknown
from isthmus.core.interrupts import uninterrupted
from isthmus.core.registry import register
from isthmus.core.undisturbed import undisturbed, undisturbed_items
from isthmus.data import frames
from isthmus.data.column_survey import MEASURED
from isthmus.data.dense import DenseTable
from isthmus.data.filling import fill_gaps
from isthmus.data.images import flattened
from isthmus.data.reading import learn_table, read_table
from isthmus.data.reading_columns import ColumnKinds
from isthmus.data.restoring import restore
from isthmus.data.schema import TableSchema
from isthmus.data.table import Table
from isthmus.engine.compute import Compute, compute
from isthmus.engine.history import History
from isthmus.estimators import checks, model_file, model_state, rules, training
from isthmus.estimators.autoencoder import AutoEncoder
from isthmus.estimators.descriptors import FromModel
from isthmus.estimators.fitted_model import FittedModel
from isthmus.estimators.html import fitted_html, sections_of, with_html
from isthmus.estimators.parameter_checks import refuse_kinds
from isthmus.estimators.parameters import RandomState
from isthmus.estimators.plain import Classes
from isthmus.estimators.state import State, member, members, nest
from isthmus.tasks.imputation.drawing import drawn_counts, drawn_outcomes
from isthmus.tasks.imputation.filling import AUTOENCODER, GAUSSIAN, LOG_GAUSSIAN, SHRUNK, TREES
from isthmus.tasks.imputation.fitting import fit_filling, sample_of
from isthmus.tasks.imputation.given_table import gaps_of, in_memory
from isthmus.tasks.imputation.members import clone_of, expected_cells, mean_cells
from isthmus.tasks.imputation.relations import unrelated_columns
from isthmus.tasks.imputation.saved_filling import filling_of
from isthmus.tasks.imputation.table_cells import TableCells

CHOICES = (GAUSSIAN, SHRUNK, LOG_GAUSSIAN, AUTOENCODER, TREES)
"""What a user may choose to fill columns with, beside the mean."""
LEAST_VALIDATED = 20
"""Tables with fewer rows train autoencoders on all of them, and do not ask these."""
MOST_VALIDATION = 1000
"""Rows at most that validate an autoencoder."""


@register("estimator")
class Imputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Fills the missing cells of a table with what is expected of them, given the cells that are there.

    Several methods are fitted and asked about cells that were there but hidden from them: the mean or most frequent
    value, the conditional mean of a multivariate normal distribution (what chained ridge regressions approach), masked
    autoencoders, and trees that predict a column from all others. Each column is filled by the mixture of them that was
    best on its hidden cells (stacked regression, Breiman 1996): but for the noise of that comparison it is no worse
    than the best of them. `floor_` says which column is filled by what, and what each method would have cost.

    The autoencoders see rows of which a random share of the columns is hidden, are told which, and are scored on hidden
    cells only: a denoising autoencoder as in Gondara and Wang (2018).

    Every cell that is there comes back as it was, whatever its column is taken for.

    Parameters
    ----------
    estimator : AutoEncoder, optional
        The autoencoder to train; its `random_state`, `columns` and validation rows are set by the imputer. None: 256
        hidden units, codes of 64 numbers, 30 % of the columns hidden.
    members : int, default=4
        Number of autoencoders, each trained with another seed and other validation rows; their expectations are
        averaged.
    methods : sequence of str, default=("gaussian", "shrunk gaussian", "log gaussian", "autoencoder", "trees")
        What may fill columns, beside the mean. Tables of more than 256 cells per row (a category has one for each of
        its values) use the autoencoders alone.
    fill : {"value", "mean", "draw"}, default="value"
        "value": whole numbers where a column has whole numbers, 0 or 1 where it has these two, the likeliest category.
        "mean": expectations, with which the squared error is smallest, also in such columns where their type has room
        for fractions. "draw": `transform` returns a draw as `draws` does, for multiple imputation.
    columns : dict, sequence or str, optional
        As in `AutoEncoder`, except that columns of counts are "real" (or "positive" if skewed) unless stated otherwise.
    random_state : int, RandomState, Generator or None, default=None
        The same seed fills in the same values.

    Attributes
    ----------
    models_ : list of FittedModel
        The trained autoencoders.
    filling_ : Filling
        What fills each column.
    floor_ : ImputationFloor
        For each column the error of every method on hidden cells, and the share of each in what fills it.
    columns_ : Columns
        What each column was taken for.
    n_features_in_ : int
        Columns seen in `fit`.
    feature_names_in_ : ndarray of str
        Their names, if they had any.

    References
    ----------
    L. Breiman, "Stacked Regressions", Machine Learning 24, 1996.
    A. P. Dempster, N. M. Laird and D. B. Rubin, "Maximum Likelihood from Incomplete Data via the EM Algorithm", JRSS B
    39, 1977.
    L. Gondara and K. Wang, "MIDA: Multiple Imputation Using Denoising Autoencoders", PAKDD, 2018.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> whole = rng.normal(size=(300, 1)) * np.ones(3) + 0.1 * rng.normal(size=(300, 3))
    >>> X = whole.copy(); X[rng.random(X.shape) < 0.2] = np.nan
    >>> filled = Imputer(members=1, random_state=0).fit_transform(X)
    >>> gaps = np.isnan(X)
    >>> bool(np.abs(filled - whole)[gaps].mean() < 0.2), bool((filled == X)[~gaps].all())
    (True, True)
    """

    def __init__(
        self,
        estimator: AutoEncoder | None = None,
        *,
        members: int = 4,
        methods: Sequence[str] = CHOICES,
        fill: str = "value",
        columns: ColumnKinds = None,
        random_state: RandomState = None,
    ) -> None:
        self.estimator = estimator
        self.members = members
        self.methods = methods
        self.fill = fill
        self.columns = columns
        self.random_state = random_state

    columns_ = FromModel(lambda model: model.schema.columns)
    n_features_in_ = FromModel(lambda model: model.schema.n_features)
    feature_names_in_ = FromModel(lambda model: model.schema.feature_names)

    def fitted_model(self) -> FittedModel | None:
        """Return the first of the fitted models, which all have the same columns; None before `fit`."""
        return self.models_[0] if "models_" in vars(self) else None

    def check_parameters(self) -> None:
        """Raise a `ValueError` if a parameter is wrong whatever the data are."""
        self._check_parameters()
        whole_number("members", self.members, 1)
        clone_of(self.estimator, 2).check_parameters()
        refuse_kinds(self.columns)

    @undisturbed
    def fit(self, X: object, y: object = None) -> Self:
        """Fit all methods to a table with or without gaps, and compare them on hidden cells.

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
        count = whole_number("members", self.members, 1)
        seeds = np.random.SeedSequence(checks.seed(self.random_state))
        X = in_memory(X)
        table, schema = self._learned(X, clone_of(self.estimator, 2))
        autoencoder = clone_of(self.estimator, len(table))
        numbers = np.asarray(table.drawn(np.arange(len(table))))
        view = TableCells(schema)
        *own, drawn = seeds.spawn(count + 1)
        generator = np.random.default_rng(drawn)
        sample = sample_of(numbers, view, count, generator)
        unrelated = unrelated_columns(view, sample.cells, generator)
        if unrelated:
            table = DenseTable(view.hiding(unrelated, numbers, np.empty((0, view.width)))[0])
        models = []
        for place, sequence in enumerate(own):
            autoencoder.set_params(random_state=int(sequence.generate_state(1)[0]))
            validation = sample.chosen[sample.fold == place][:MOST_VALIDATION]
            few = len(table) < LEAST_VALIDATED
            validated = validation[:0] if few else validation
            models.append(training.fit(autoencoder, table, schema, validation=validated, compare=False, whole=True))
        seed = int(drawn.generate_state(1)[0])
        filling = fit_filling(view, sample, models, self._machine, tuple(self.methods), unrelated, seed)
        with uninterrupted():
            self.filling_, self.models_, self.floor_ = filling, models, filling.floor
        return self

    @undisturbed
    def transform(self, X: object) -> Any:
        """Return the table with its gaps filled: a frame of the same kind, or an array, (n, F).

        A column without any value in `fit`, and one that only identifies rows, stays missing.
        """
        if self.fill == "draw":
            return next(self._draws(X, 1, self.random_state))
        X, gaps, numbers = self._read(X)
        view, machine = self._view, self._machine
        network = partial(mean_cells, self.models_, machine=machine)
        outcomes = self.filling_.expected(view, numbers, network)
        return self._restored(X, gaps, numbers, outcomes)

    def draws(self, X: object, n: int = 5, *, random_state: RandomState = None) -> Iterator[Any]:
        """Fill the gaps n times with plausible values, for multiple imputation (Rubin 1987).

        Each draw takes one of the autoencoders at random in place of their mean. Numbers are drawn about their
        expectation with the spread that errors on hidden cells had in `fit`, choices by their probabilities, and counts
        from the autoencoder's likelihood.

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
        return undisturbed_items(self._draws(X, n, random_state))

    def _draws(self, X: object, n: int, random_state: RandomState) -> Iterator[Any]:
        X, gaps, numbers = self._read(X)
        generator = np.random.default_rng(checks.seed(random_state))
        view, machine = self._view, self._machine
        for _ in range(whole_number("n", n, 1)):
            model = self.models_[int(generator.integers(len(self.models_)))]
            outcomes = self.filling_.expected(view, numbers, partial(expected_cells, model, machine=machine))
            drawn = drawn_outcomes(self.filling_, view, outcomes, generator)
            if view.counted.size:
                seed = int(generator.integers(2**62))
                drawn[:, view.counted] = drawn_counts(view, model, numbers, outcomes, machine, seed)
            yield self._restored(X, gaps, numbers, drawn, whole=True)

    def save(self, path: str | Path) -> None:
        """Write the fitted imputer to one file, as `AutoEncoder.save` does; `isthmus.load` reads it."""
        check_is_fitted(self)
        model_file.save(self, Path(path))

    def histories(self) -> dict[str, History]:
        """Return the history of each autoencoder: "member 1", "member 2", ..."""
        check_is_fitted(self)
        return {f"member {number}": model.record.history for number, model in enumerate(self.models_, 1)}

    def fitted_state(self) -> State:
        """Return what was fitted as facts and tensors, for a file."""
        parts = {f"model{place}": model_state.state_of(model) for place, model in enumerate(self.models_)}
        return nest(parts | {"filling": self.filling_.state()})

    @undisturbed
    def restore_fitted(self, state: State, classes: Classes) -> None:
        """Take what was fitted from a file; `classes` are those of the parts that may occur in it."""
        self.models_ = [model_state.model_of(saved, classes) for saved in members("model", *state)]
        if not self.models_:
            raise ValueError("it has no autoencoder")
        first = self.models_[0].schema
        if first.columns is None or any(model.schema != first for model in self.models_):
            raise ValueError("its autoencoders know other columns than each other, or none")
        self.filling_ = filling_of(member("filling", *state), self._view)
        self.floor_ = self.filling_.floor

    # -- inside -----------------------------------------------------------------------------------------------------

    def _check_parameters(self) -> None:
        refuse_unknown("fill", self.fill, ("value", "mean", "draw"))
        if isinstance(self.methods, str):
            raise ValueError(f"methods must be a sequence of names, such as ({self.methods!r},); got a single text")
        for method in self.methods:
            refuse_unknown("methods", method, CHOICES)

    def _learned(self, X: object, autoencoder: AutoEncoder) -> tuple[Table, TableSchema]:
        """Read the table and learn its columns; counts are numbers like others unless the user says so."""
        return learn_table(
            X,
            caller=type(self).__name__,
            columns=self.columns,
            obstacle=rules.obstacle_to_columns(autoencoder),
            least_rows=2,
            numbers=MEASURED,
        )

    def _read(self, X: object) -> tuple[Any, list[np.ndarray], np.ndarray]:
        """Check a table against the columns of `fit`; return it, the gaps of its columns, and it as numbers (n, R)."""
        check_is_fitted(self)
        self._check_parameters()
        X = in_memory(X)
        table = read_table(X, self._schema, caller=type(self).__name__)
        return X, gaps_of(X, self._schema), np.asarray(table.drawn(np.arange(len(table))))

    @property
    def _schema(self) -> TableSchema:
        return self.models_[0].schema

    @property
    def _view(self) -> TableCells:
        return TableCells(self._schema)

    @property
    def _machine(self) -> Compute:
        return compute("auto") if self.estimator is None else compute(self.estimator.compute)

    def _restored(
        self, X: Any, gaps: list[np.ndarray], numbers: np.ndarray, outcomes: np.ndarray, whole: bool | None = None
    ) -> Any:
        """Return the table X, numbers (n, R), with the outcomes (n, F) in its gaps."""
        raw = self._view.numbers(outcomes, whole=self.fill != "mean" if whole is None else whole)
        rows = flattened(X)[0]
        filled = restore(np.where(np.isnan(numbers), raw, numbers), self._schema, like=rows)
        found = fill_gaps(rows, filled, gaps)
        return found if frames.is_frame(X) else found.reshape(X.shape)

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
