"""`AnomalyDetector`: which rows do not belong, how sure that is, and which columns say so."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from isthmus.core.checks import flag
from isthmus.core.interrupts import uninterrupted
from isthmus.core.registry import register
from isthmus.core.undisturbed import undisturbed, undisturbed_items
from isthmus.data.columns import number_columns
from isthmus.data.reading import ColumnKinds, learn_table, read_pieces, read_pieces_as_given, read_table
from isthmus.data.reading_sources import Given
from isthmus.data.schema import TableSchema
from isthmus.data.table import Numbers, Table
from isthmus.engine.compute import Compute
from isthmus.engine.compute import compute as compute_settings
from isthmus.engine.history import History
from isthmus.estimators import AutoEncoder, model_file, rules, streaming
from isthmus.estimators.checks import seed
from isthmus.estimators.html import Section, fitted_html, with_html
from isthmus.estimators.parameter_checks import refuse_kinds
from isthmus.estimators.plain import Classes
from isthmus.estimators.state import State
from isthmus.tasks.anomaly import checks, choice, explanation
from isthmus.tasks.anomaly.autoencoders import fitted_model, refuse_other
from isthmus.tasks.anomaly.decisions import Decision, DecisionRule
from isthmus.tasks.anomaly.drift import Drift, watch
from isthmus.tasks.anomaly.explaining import Explaining
from isthmus.tasks.anomaly.fitted_detector import FittedDetector, decision_of, schema_of
from isthmus.tasks.anomaly.known_anomalies import known_anomalies
from isthmus.tasks.anomaly.never_seen import reading_any_value
from isthmus.tasks.anomaly.odd_rows import OddRows, odd_rows
from isthmus.tasks.anomaly.probabilities import Probability
from isthmus.tasks.anomaly.pyod_detector import as_pyod
from isthmus.tasks.anomaly.recipe import Recipe, sample_places
from isthmus.tasks.anomaly.report import report
from isthmus.tasks.anomaly.row_groups import group_codes
from isthmus.tasks.anomaly.stored_rows import StoredRows, stored_rows
from isthmus.tasks.anomaly.trained_detector import TrainedDetector

if TYPE_CHECKING:
    import pandas
    import polars
    from pyod.models.base import BaseDetector


@register("estimator")
class AnomalyDetector(OutlierMixin, BaseEstimator):
    """Find rows that do not belong: scores, decisions with known error rates, and the columns responsible.

    Rows are scored by one or several methods, autoencoders and their relatives (`method`). A score is a surprisal:
    minus the log of the share of training rows that are as odd, averaged over the methods, so that 4.6 is one row in a
    hundred; larger ones are extrapolated. Rows that are held out of training turn scores into p-values.

    Parameters
    ----------
    setting : {"contaminated", "clean"}, default="contaminated"
        Whether rows given to `fit` may be anomalies, or are known to be normal. In a contaminated setting networks do
        not learn from the oddest quarter of the rows, and much noise keeps them from learning single rows.
    method : str, object, callable or tuple of these, default="auto"
        How rows are scored. Of the surprisals of several methods the root mean square is taken.

        - "denoiser": a denoising autoencoder that knows the noise level, scored at four levels.
        - "residual": a bottleneck autoencoder, scored by the Mahalanobis distance of [residual, code].
        - "likelihood": an autoencoder's own log-likelihood; for mixed tables and sparse rows too.
        - "mahalanobis": the distance from the more normal rows: a linear denoising autoencoder in closed form.
        - "neighbours": the distances to the five nearest training rows.
        - "ranks": the same, with the normal scores of each column's ranks in the place of its values.
        - "rarity": how rare a value is among those of its column, where values recur.
        - "histogram": rare values, column by column (HBOS).
        - "ensemble": the best known combination for the setting.
        - "auto": the ensemble; "likelihood" for sparse rows and if an `estimator` is given.
        - An object with ``fit(X)`` and ``score_samples(X)``, higher is more normal, such as scikit-learn's
          ``IsolationForest()``. A copy of it is trained.
        - A function that is given the training rows (n, R) and returns a function of rows (m, R) to scores (m,), higher
          is odder. No row may affect the score of another.

        Your own methods get rows as finite float64 numbers: the numbers themselves, or the cells of a table of several
        kinds of columns or with gaps (numbers standardised, one column per category, gaps at the mean). They are given
        all training rows in either setting. `method_` and `reason_` say what was taken, and why.
    fdr : float in (0, 1), optional
        False discovery rate: among the rows that `predict` calls anomalies, on average at most this share is normal
        (Benjamini and Hochberg over the rows of one call).
    alpha : float in (0, 1), optional
        `predict` calls a row an anomaly if its p-value is at most this, which happens to that share of normal rows.
    contamination : float in (0, 0.5], optional
        `predict` calls this share of the training rows anomalies. At most one of `fdr`, `alpha` and `contamination` can
        be given. Without any, the threshold is where the scores of the training rows part (`score_gap.ScoreGap`: a
        valley between two groups, or a tail longer than that of normal rows). Where they do not, and in a clean
        setting, it is the score that one normal row in a hundred is above.
    calibration_fraction : float in (0, 1), "auto" or None, default="auto"
        Share of the rows that are held out of training to calibrate p-values. "auto": a fifth of 1,000 rows or more, at
        most 2,000; all rows in turn if there are fewer (cross-conformal: five more models are trained, in `fit` if
        `fdr` or `alpha` is given or the setting is clean, else when p-values are first asked for). None: there are no
        p-values, and the threshold of a clean setting follows the training rows, which score lower than new ones.
    estimator : AutoEncoder, optional
        The autoencoder to train for "likelihood" or "residual": any setting of `AutoEncoder` or preset of `zoo`. A
        fitted one is used as it is; the rows given to `fit` should then be others than it was trained on.
    columns : dict, sequence or str, optional
        As in `AutoEncoder`.
    compute : str or Compute, default="auto"
        As in `AutoEncoder`.
    random_state : int, RandomState, Generator or None, default=None
        The same seed gives the same detector on the same machine. No global random state is read or written.

    Attributes
    ----------
    method_ : tuple of str
        The names of the methods; of your own ones, the name of the function or class.
    reason_ : str
        Why these methods.
    decision_scores_ : ndarray of shape (n,)
        Scores of the training rows, higher is odder. If the rows do not fit into memory, scores of the sample that was
        looked at.
    threshold_ : float
        Training rows with a higher score are called anomalies. With `fdr`, the lowest score that can be called one.
    decision_ : Decision
        What was decided about the training rows, by which rule, and why; prints as sentences.
    n_anomalies_ : AnomalyCount
        `estimate`, `low` and `high`: how many of the training rows are anomalies by where their scores part, with an
        interval; the known ones among them. Anomalies that score like normal rows are not counted.
    labels_ : ndarray of shape (n,)
        1 for training rows above the threshold, 0 for others.
    offset_ : float
        -`threshold_`: what `decision_function` subtracts from `score_samples`.
    n_features_in_, feature_names_in_
        As in scikit-learn.
    columns_ : Columns
        What each column was taken for; prints as a table.
    floor_ : DetectorFloor or None
        How well the best single classical method tells held-out rows from anomalies that are made of them, beside the
        detector; None if no rows were held out of training, or they are sparse.

    References
    ----------
    S. Bates, E. Candès, L. Lei, Y. Romano and M. Sesia, "Testing for outliers with conformal p-values", Annals of
    Statistics, 2023. P. Vincent, "A connection between score matching and denoising autoencoders", 2011.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 1)) * [1.0, 2.0, -1.0] + 0.1 * rng.normal(size=(500, 3))
    >>> detector = AnomalyDetector("clean", "mahalanobis", random_state=0).fit(X)
    >>> odd = [[1.0, 2.0, 3.0]]
    >>> detector.predict(odd).tolist(), detector.explain(odd).top(1).tolist()
    ([-1], [['x2']])
    """

    def __init__(
        self,
        setting: str = "contaminated",
        method: choice.MethodChoice = "auto",
        *,
        fdr: float | None = None,
        alpha: float | None = None,
        contamination: float | None = None,
        calibration_fraction: float | str | None = "auto",
        estimator: AutoEncoder | None = None,
        columns: ColumnKinds = None,
        compute: str | Compute = "auto",
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
    ) -> None:
        self.setting = setting
        self.method = method
        self.fdr = fdr
        self.alpha = alpha
        self.contamination = contamination
        self.calibration_fraction = calibration_fraction
        self.estimator = estimator
        self.columns = columns
        self.compute = compute
        self.random_state = random_state

    def check_parameters(self) -> None:
        """Raise a `ValueError` if a parameter is wrong whatever the data are; `fit` checks the others, too."""
        choice.refuse_unknown_setting(self.setting)
        self._rule.check()
        checks.refuse_fraction(self.calibration_fraction)
        refuse_other(self.estimator)
        given = self.estimator is not None
        choice.choose(self.method, self.setting, mixed=False, sparse=False, with_estimator=given)
        compute_settings(self.compute).on  # noqa: B018
        refuse_kinds(self.columns)
        if self.estimator is not None:
            self.estimator.check_parameters()

    def fitted_detector(self) -> FittedDetector | None:
        """Return what was fitted; None before `fit`."""
        return vars(self).get("_fitted")

    # -- training ---------------------------------------------------------------------------------------------------

    @undisturbed
    def fit(self, X: object, y: object = None, groups: ArrayLike | None = None) -> Self:
        """Learn what is normal from the rows of X.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n, F), n at least 2; or a source of rows
            As `AutoEncoder.fit` takes it. If X has more rows, a random sample of 50,000 is used.
        y : array-like of shape (n,), optional
            1 for known anomalies, -1 for rows of which nothing is known (as in scikit-learn's semi-supervised
            learning). Known anomalies are not learned from; they weigh the methods, and in a contaminated setting the
            threshold suits them as well as the scores. Other labels are ignored, with a warning if there are one or
            two of them.
        groups : array-like of shape (n,), optional
            Labels of rows that belong together, such as the overlapping windows of one block of a series, or the rows
            of one patient. Whole groups are held out for calibration, and each counts as one row: p-values hold for
            rows of new groups, and are at least 1/(groups + 1).

        Raises
        ------
        ValueError
            If the data, labels or parameters are invalid; raised before training starts, except where a method of
            your own returns scores of a wrong shape or that are not finite. The detector then stays as it was.
        TypeError
            If a method of your own lacks a method, or returns no function.
        """
        choice.refuse_unknown_setting(self.setting)
        self._rule.check()
        checks.refuse_fraction(self.calibration_fraction)
        refuse_other(self.estimator)
        table, schema = self._read_first(X)
        known = known_anomalies(y, len(table))
        rng = np.random.default_rng(seed(self.random_state))
        codes = None if groups is None else group_codes(groups, len(table))
        places = sample_places(len(table), rng, known)
        rows = table.drawn(places)
        checks.refuse_identical(rows)
        chosen = self._chosen(schema, sparse=table.sparse)
        trained = TrainedDetector.trained(
            replace(self._recipe(chosen, schema), known=None if known is None else table.drawn(np.flatnonzero(known))),
            rows,
            int(rng.integers(2**31)),
            self.calibration_fraction,
            fitted=fitted_model(self.estimator) is not None,
            groups=None if codes is None else codes[places],
        )
        looked_at = rows if table.streamed else numbers_of(table)
        known = None if table.streamed else known
        self._keep(FittedDetector.of(trained, chosen, looked_at, known, sparse=table.sparse))
        return self

    @undisturbed
    def calibrate(self, X: object, groups: ArrayLike | None = None) -> Self:
        """Calibrate p-values on rows known to be normal that were not given to `fit`.

        Use it for p-values and false discovery rates if training rows may be anomalies. The threshold of `predict` is
        set anew, unless it is set by `contamination`.

        Parameters
        ----------
        X, groups : as in `fit`
        """
        fitted, numbers = self._ready(), self._read(X)
        codes = None if groups is None else group_codes(groups, numbers.shape[0])
        self._keep(replace(fitted, trained=fitted.trained.calibrated(numbers, codes)))
        return self

    def _read_first(self, X: object) -> tuple[Table, TableSchema]:
        """Read the rows to learn from, and learn their columns, or take over those of a fitted estimator."""
        caller, known = type(self).__name__, fitted_model(self.estimator)
        if known is None:
            obstacle = "" if self.estimator is None else rules.obstacle_to_columns(self.estimator)
            table, schema = learn_table(X, caller=caller, columns=self.columns, obstacle=obstacle, least_rows=2)
            return table, reading_any_value(schema)
        try:
            table = read_table(X, known.schema, caller=caller, in_use=False)
            return table, reading_any_value(known.schema)
        except ValueError as error:
            raise ValueError(f"X does not suit the columns that the fitted estimator knows: {error}") from error

    def _chosen(self, schema: TableSchema, *, sparse: bool) -> choice.Choice:
        """Return the methods to train on a table."""
        chosen = choice.choose(
            self.method,
            self.setting,
            mixed=schema.columns is not None,
            sparse=sparse,
            with_estimator=self.estimator is not None,
        )
        if fitted_model(self.estimator) is not None:
            choice.refuse_trained(chosen, self.method)
        return chosen

    def _recipe(self, chosen: choice.Choice, schema: TableSchema) -> Recipe:
        """Return how to train those methods."""
        device = compute_settings(self.compute).on
        return Recipe(chosen.methods, chosen.weights, self.setting == "contaminated", device, schema, self.estimator)

    @property
    def _rule(self) -> DecisionRule:
        return DecisionRule(self.fdr, self.alpha, self.contamination)

    def _keep(self, fitted: FittedDetector, decision: Decision | None = None) -> None:
        """Decide, unless the decision is given, and store what was fitted."""
        decision = self._rule.decide(fitted.evidence) if decision is None else decision
        with uninterrupted():
            self._store(fitted, decision)

    def _store(self, fitted: FittedDetector, decision: Decision) -> None:
        schema, threshold = fitted.schema, decision.threshold
        self._fitted, self.decision_, self.n_anomalies_ = fitted, decision, fitted.evidence.count
        self.floor_ = fitted.trained.floor
        self.method_, self.reason_, self.decision_scores_ = fitted.names, fitted.reason, fitted.scores
        self.threshold_, self.offset_ = threshold, -threshold
        self.labels_ = (fitted.scores > threshold).astype(np.int64)
        self.n_features_in_ = schema.n_features
        self.columns_ = schema.columns
        if self.columns_ is None:
            self.columns_ = number_columns(schema.labels, "", ["by each method"] * schema.n_features)
        self.__dict__.pop("feature_names_in_", None)
        if schema.feature_names is not None:
            self.feature_names_in_ = schema.feature_names

    # -- reading ----------------------------------------------------------------------------------------------------

    def _read(self, X: object) -> Numbers:
        """Return rows as numbers (n, R), checked against the columns of `fit`."""
        return numbers_of(read_table(X, self._schema, caller=type(self).__name__))

    def _read_pieces(self, X: object) -> Iterator[Numbers]:
        """Yield rows as numbers, piece by piece if X is a source, else all at once."""
        return map(numbers_of, read_pieces(X, self._schema, caller=type(self).__name__))

    def _read_as_given(self, X: object) -> Iterator[Given]:
        """Yield rows as a table, and as they came, piece by piece if X is a source."""
        return read_pieces_as_given(X, self._schema, caller=type(self).__name__)

    @property
    def _schema(self) -> TableSchema:
        """What was learned of the table's columns."""
        return self._ready().schema

    # -- use --------------------------------------------------------------------------------------------------------

    @undisturbed
    def score_samples(self, X: object) -> np.ndarray:
        """Return minus the surprisal of each row, (n,): higher is more normal, as everywhere in scikit-learn.

        A row with a cell missing in a column that had no gap in `fit` scores below every training row.

        Parameters
        ----------
        X : as in `fit`
        """
        trained = self._ready().trained
        return -np.concatenate([trained.score(numbers) for numbers in self._read_pieces(X)])

    def score_batches(self, batches: Iterable[object], columns: Sequence[str] | None = None) -> Iterator[object]:
        """Score record batches of pyarrow's as they come, as `AutoEncoder.score_batches` does.

        Parameters
        ----------
        batches : iterable of pyarrow.RecordBatch
            With the detector's columns among any others; empty ones are fine.
        columns : sequence of str, optional
            The detector's columns in their order. By default the names seen in `fit`.

        Yields
        ------
        pyarrow.RecordBatch
            Each batch with a column `score`: what `score_samples` returns.
        """
        trained, schema = self._ready().trained, self._schema
        return undisturbed_items(
            streaming.scored_batches(
                lambda table: -trained.score(numbers_of(table)), batches, columns, schema, type(self).__name__
            )
        )

    @undisturbed
    def decision_function(self, X: object) -> np.ndarray:
        """Return `score_samples` minus `offset_`, (n,): below 0 for anomalies.

        Parameters
        ----------
        X : as in `fit`
        """
        return self.score_samples(X) - self.offset_

    @undisturbed
    def predict(self, X: object) -> np.ndarray:
        """Return -1 for anomalies and 1 for normal rows, (n,).

        Parameters
        ----------
        X : as in `fit`

        Raises
        ------
        ValueError
            With `fdr` or `alpha`, if the calibration rows are too few or too contaminated for that level.
        """
        rule = self._rule
        if rule.level is None:
            return np.where(self.decision_function(X) >= 0, 1, -1)
        calibration = self._ready().trained.calibration
        rule.refuse_impossible(calibration, rule.level)
        return np.where(rule.anomalies(self.pvalues(X), calibration), -1, 1)

    @undisturbed
    def pvalues(self, X: object, *, weighted: bool = False) -> np.ndarray:
        """Return the probability that a normal row is at least as odd as each row, (n,), in (0, 1].

        With n rows held out of training (split-conformal), and as long as normal rows are exchangeable with these,
        P(p ≤ a) is at most a for every a, and p is a multiple of 1/(n + 1). If there are fewer than 1,000 rows, each is
        held out in turn (cross-conformal): the same then holds in practice, and in theory up to a factor of about two.
        If a share e of the calibration rows are anomalies, P(p ≤ a) is at most a/(1 - e), and less if they are odd.
        P-values within a batch are dependent through the calibration rows they share.

        Parameters
        ----------
        X : as in `fit`
        weighted : bool, default=False
            Whether normal rows of X may be distributed differently from the calibration rows (covariate shift,
            Tibshirani et al. 2019). Calibration rows are then weighted by how much they are like the rows of X,
            according to a logistic regression.

        Raises
        ------
        ValueError
            If no rows were held out of training; with `weighted`, if too few calibration rows are like the rows of X.
        """
        calibration = self._ready().trained.calibration
        if weighted:
            return calibration.weighted_pvalues(self._read(X))
        return np.concatenate([calibration.pvalues(numbers) for numbers in self._read_pieces(X)])

    @undisturbed
    def probability(self, X: object) -> Probability:
        """Return how sure it is that rows are anomalies: two numbers per row that answer two questions.

        `as_odd` are the p-values of `pvalues`: the share of normal rows that score at least as high. `anomaly` is the
        probability that a row is an anomaly, if anomalies are as frequent in X as they seem to be among the training
        rows (`n_anomalies_`) and score as they do there; if rows known to be normal are held out, in a clean setting
        or after `calibrate`, it says how far beyond chance a row lies outside of them.

        Neither is the other. One normal row in a hundred has an `as_odd` of at most 0.01, however many anomalies there
        are; do not compare `anomaly` between detectors, or use it where anomalies have become more or less frequent.

        Parameters
        ----------
        X : as in `fit`

        Returns
        -------
        Probability
            `as_odd` and `anomaly`, (n,) each, in [0, 1].

        Raises
        ------
        ValueError
            As `pvalues`.
        """
        as_odd = self.pvalues(X)
        return Probability(as_odd, self._ready().probability(-self.score_samples(X)))

    @undisturbed
    def explain(self, X: object, *, depth: int = explanation.DEPTH) -> explanation.Explanation:
        """Return the contribution of each column to the scores of rows, and the values that were expected.

        Parameters
        ----------
        X : as in `fit`
            Pieces of a file or another source are explained one after the other; the result is as long as X.
        depth : int, default=5
            Greatest number of columns per row that are replaced one after the other.

        Returns
        -------
        Explanation
            `contributions` (n, columns) add up to `scores`; `expected` has the values that the model expects given the
            other columns, beside those `seen`, in the data's units; `top`, `frame` and, for images, `map`. For each
            anomaly, `counterfactuals` says which cells would have to be others for it to be normal.
        """
        return self._explaining(depth).pieces(self._read_as_given(X))

    @undisturbed
    def report(self, X: object, n: int = 10, *, columns: int = 3) -> "pandas.DataFrame | polars.DataFrame":
        """Return the n oddest rows as a frame: row, score, p-value, columns with seen and expected values, and a mend.

        It has p-values if rows were held out of training for them, or `fdr` or `alpha` was given. `row` is the position
        of the row in X, from 0; the index of the report is that of X, or the same positions. `normal_if` says which
        cells would have to be others for an anomaly to be normal; it was tried.

        Parameters
        ----------
        X : as in `fit`
            No more than a piece of a file or another source, and n rows, are in memory at a time.
        n : int, default=10
            Number of rows.
        columns : int, default=3
            Number of columns to name per row, those with the greatest contributions.
        """
        found = self.odd_rows(X, n)
        return report(found.explanation, found.places, found.pvalues, columns)

    @undisturbed
    def odd_rows(self, X: object, n: int = 10) -> OddRows:
        """Return the n oddest rows, explained, and a sample of all rows beside them: what a page of them shows.

        Parameters
        ----------
        X, n : as in `report`
        """
        return odd_rows(self._read_as_given(X), self._explaining(explanation.DEPTH), checks.row_count(n))

    @undisturbed
    def drift(self, X: object, *, after: Drift | None = None, false_alarm: float = 0.01) -> Drift:
        """Return whether rows have changed since `fit`: a conformal test martingale over the batches of a stream.

        Parameters
        ----------
        X : as in `fit`, in memory
            The next batch.
        after : Drift, optional
            What this method returned for the batches before.
        false_alarm : float in (0, 1), default=0.01
            The probability of ever raising an alarm on a stream that does not change, however long it is.

        Raises
        ------
        ValueError
            If no rows were held out of training.
        """
        trained, numbers = self._ready().trained, self._read(X)
        before = trained.unchanged(self._schema.labels, false_alarm) if after is None else after
        return watch(before, trained.score(numbers), trained.repeated(numbers))

    def to_pyod(self) -> "BaseDetector":
        """Return the detector as a `BaseDetector` of PyOD: a higher score is odder, anomalies are 1, others 0.

        A fitted detector stays fitted: `decision_scores_`, `threshold_` and `labels_` are its own, and `contamination`
        is the share of its labels. Where PyOD or a pipeline fits it again, a copy is trained, and the threshold follows
        `contamination`, by default 0.1.

        Raises
        ------
        MissingExtraError
            If PyOD is not installed.
        """
        return as_pyod(self, self.__sklearn_is_fitted__())

    def table_schema(self) -> TableSchema:
        """Return what was learned of the table's columns: names, kinds, and the type of each."""
        return self._schema

    # -- files ------------------------------------------------------------------------------------------------------

    @property
    def stored_rows_(self) -> StoredRows:
        """How many training rows the detector, and a file of it, holds as they are, and what holds them.

        What a method of your own holds is not known.
        """
        trained = self._ready().trained
        return stored_rows(trained.ensemble, trained.calibration)

    def save(self, path: str | Path, *, rows: bool = True) -> None:
        """Write the fitted detector to one file, as `AutoEncoder.save` does; `isthmus.load` reads it.

        Parameters
        ----------
        path : str or Path
        rows : bool, default=True
            Whether the file may hold training rows (`stored_rows_`). Without those of the calibration, `pvalues` and
            `predict` give what they gave, and ``pvalues(weighted=True)`` and `drift` refuse. Models for p-values of few
            rows, which are trained when first needed, are trained before rows are left out.

        Raises
        ------
        ValueError
            If ``rows=False`` and a method scores by the training rows, such as "neighbours"; it is named.
        TypeError
            If a method of your own cannot be saved: it must have ``state() -> (facts, tensors)`` and a class method
            ``from_state(facts, tensors)``.
        OSError
            If the file cannot be written; what was at `path` is still there.
        """
        fitted = self._ready() if flag("rows", rows) else self._ready().without_rows()
        model_file.save(self, Path(path), fitted.state(self.decision_))

    def histories(self) -> dict[str, History]:
        """Return the history of each method that trained a network, by the name of the method.

        A file keeps those of autoencoders, not that of "denoiser".
        """
        fitted = self._ready()
        scorers = zip(fitted.names, fitted.trained.ensemble.scorers, strict=True)
        return {name: scorer.history for name, scorer in scorers if scorer.history is not None}

    def fitted_state(self) -> State:
        """Return what was fitted as facts and tensors, for a file."""
        return self._ready().state(self.decision_)

    @undisturbed
    def restore_fitted(self, state: State, classes: Classes) -> None:
        """Take what was fitted from a file; `classes` are those of the parts that may occur in it."""
        choice.refuse_unknown_setting(self.setting)
        self._rule.check()
        schema = schema_of(state, classes)
        chosen = self._chosen(schema, sparse=bool(state.facts["sparse"]))
        refuse_other(self.estimator)
        fitted = FittedDetector.from_state(state, self._recipe(chosen, schema), chosen, classes)
        self._keep(fitted, decision_of(state))

    # -- inside -----------------------------------------------------------------------------------------------------

    def _explaining(self, depth: int) -> Explaining:
        """Return what explains rows."""
        return Explaining(self._ready().trained, self._schema, self.threshold_, depth)

    def _ready(self) -> FittedDetector:
        """Return what was fitted."""
        check_is_fitted(self)
        return self._fitted

    def _repr_html_inner(self) -> str:
        return str(super()._repr_html_inner()) + self._fitted_html()

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, object]:
        return with_html(super()._repr_mimebundle_(**kwargs), self._fitted_html())

    def _fitted_html(self) -> str:
        if not self.__sklearn_is_fitted__():
            return ""
        sections: list[Section] = [("methods", self._ready().html(self.decision_))]
        columns = self._schema.columns
        return fitted_html(sections if columns is None else [*sections, ("columns", columns._repr_html_())])

    def __sklearn_is_fitted__(self) -> bool:
        return "_fitted" in vars(self)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = choice.takes_sparse(self.method)
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        return tags


def numbers_of(table: Table) -> Numbers:
    """Return all rows of a table in memory, (n, R)."""
    return table.drawn(slice(None))
