"""`AnomalyDetector`: which rows do not belong, how sure that is, and which columns say so."""

from typing import Any, Self

import numpy as np
import scipy.sparse
import torch
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted

from isthmus.data.chunks import ChunkedTable
from isthmus.engine.compute import compute
from isthmus.estimators import tabular, validation
from isthmus.estimators.rollback import rollback_on_error
from isthmus.estimators.streams import Streams
from isthmus.tasks.anomaly import checks, choice, explanation, learning, thresholds
from isthmus.tasks.anomaly.calibration import Calibration, CrossCalibration, SplitCalibration, refuse, threshold
from isthmus.tasks.anomaly.conformal import rejected, warn_too_few_for_one
from isthmus.tasks.anomaly.drift import Drift, unchanged, watch
from isthmus.tasks.anomaly.ensemble import Ensemble
from isthmus.tasks.anomaly.models import LEARNED
from isthmus.tasks.anomaly.scorer import Training

RARE = 0.01
"""Share of the rows that is called anomalies at least, where nothing else is asked for."""


class AnomalyDetector(OutlierMixin, Streams, BaseEstimator):
    """Finds rows that do not belong: a score, a decision whose errors are known, and the columns that say so.

    Rows are scored by one or several autoencoders and relatives of theirs (`method`). A score is the surprise of a
    row: minus the log of the share of training rows that are as odd, averaged over the methods, so that 4.6 is one in
    a hundred; larger ones are extrapolated. Rows that are held out of training turn scores into p-values.

    Parameters
    ----------
    estimator : AutoEncoder, optional
        What is trained to score rows: any setting of `AutoEncoder` or preset of `zoo`. A fitted one is used as it is;
        the rows given to `fit` should then be other ones than it was trained on.
    method : str or tuple of str, default="auto"
        "denoiser": a denoising autoencoder that is told the level of the noise, scored at eight levels.
        "mahalanobis": a bottleneck autoencoder, scored by the Mahalanobis distance of [residual, code].
        "likelihood": an autoencoder's own log-likelihood, for mixed tables and sparse rows too.
        "linear": the linear denoising autoencoder in closed form, fitted to the more normal rows.
        "neighbours": the distance to the five nearest training rows. "marginals": rare values, column by column.
        "ensemble", or several names: their surprises are averaged. "auto": the ensemble of the setting; "likelihood"
        for sparse rows and where an `estimator` is given. `method_` and `reason_` tell what was taken, and why.
    fdr : float, optional
        `predict` calls rows anomalies such that of those called so, on average at most this share is normal
        (Benjamini and Hochberg over the rows of one call).
    alpha : float, optional
        `predict` calls a row an anomaly where its p-value is at most this: so often a normal row is called one.
    contamination : float, optional
        `predict` calls this share of the training rows anomalies, in (0, 0.5]. At most one of the three can be given;
        without any, the oddest hundredth and all beyond the fence of a boxplot that takes account of skewness, and of
        up to a quarter of anomalies, are called so (`thresholds.boxplot_threshold`).
    calibration_fraction : float, "auto" or None, default="auto"
        Share of the rows that are held out of training to calibrate p-values. "auto": of 1,000 rows and more a fifth,
        at most 2,000; for fewer rows, all of them in turn (cross-conformal: five more models are trained, in `fit`
        where `fdr` or `alpha` is given, else when p-values are first asked for). None: there are no p-values.
    random_state : int, RandomState, Generator or None, default=None
        The same seed gives the same detector on the same machine. No global random state is read or written.
    setting : {"contaminated", "clean"}, default="contaminated"
        Whether rows given to `fit` may be anomalies, or are known to be normal. In a contaminated setting the most odd
        quarter of the rows is no model for networks, and much noise keeps them from learning single rows.
    columns : dict, sequence or str, optional
        As in `AutoEncoder`.
    compute : str or Compute, default="auto"
        As in `AutoEncoder`.

    Attributes
    ----------
    method_ : tuple of str
        The methods that were taken.
    reason_ : str
        Why.
    decision_scores_ : ndarray of shape (n,)
        Scores of the training rows, higher for anomalies; of what was looked at of rows that do not fit into memory.
    threshold_ : float
        Training rows are called anomalies above it. With `fdr`, the least score that can be called so.
    labels_ : ndarray of shape (n,)
        1 for training rows above the threshold, 0 for others.
    offset_ : float
        -`threshold_`: what `decision_function` subtracts from `score_samples`.
    n_features_in_, feature_names_in_
        As in scikit-learn.
    columns_ : Columns
        What each column was taken for, where they are of several kinds or have gaps.

    References
    ----------
    S. Bates, E. Candès, L. Lei, Y. Romano and M. Sesia, "Testing for outliers with conformal p-values", Annals of
    Statistics, 2023. P. Vincent, "A connection between score matching and denoising autoencoders", 2011.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 1)) * [1.0, 2.0, -1.0] + 0.1 * rng.normal(size=(500, 3))
    >>> detector = AnomalyDetector(method="linear", setting="clean", random_state=0).fit(X)
    >>> odd = [[1.0, 2.0, 3.0]]
    >>> detector.predict(odd).tolist(), detector.explain(odd).top(1).tolist()
    ([-1], [['x2']])
    """

    # What reading a table of several kinds of columns asks of an estimator.
    likelihood = "auto"
    encoder = decoder = None
    init = "pca"

    def __init__(
        self,
        estimator: Any = None,
        method: Any = "auto",
        fdr: float | None = None,
        alpha: float | None = None,
        contamination: float | None = None,
        calibration_fraction: float | str | None = "auto",
        random_state: Any = None,
        *,
        setting: str = "contaminated",
        columns: Any = None,
        compute: Any = "auto",
    ) -> None:
        self.estimator = estimator
        self.method = method
        self.fdr = fdr
        self.alpha = alpha
        self.contamination = contamination
        self.calibration_fraction = calibration_fraction
        self.random_state = random_state
        self.setting = setting
        self.columns = columns
        self.compute = compute

    # -- training ---------------------------------------------------------------------------------------------------

    @rollback_on_error
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn what is normal from the rows of X.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n, F), n at least 2; or a source of rows
            As `AutoEncoder.fit` takes it. Of more than 50,000 rows as many are drawn.
        y : ignored
            A warning says so where it looks like labels.

        Raises
        ------
        ValueError
            For parameters or data that cannot be, before any training.
        """
        checks.refuse_parameters(self)
        checks.warn_of_labels(y)
        table = self._first_table(X)
        rng = np.random.default_rng(validation.seed(self.random_state))
        rows = learning.drawn(table, rng)
        checks.refuse_identical(rows)
        sparse = scipy.sparse.issparse(rows)
        given = self.estimator is not None
        self.method_, self.reason_ = choice.choose(
            self.method, self.setting, mixed=hasattr(self, "columns_"), sparse=sparse, given=given
        )
        checks.refuse_fitted(self)
        held = self._held(rows.shape[0])
        self._seed = int(rng.integers(2**31))
        training = self._training(rows[held:], self._seed)
        self._ensemble = learning.ensemble(self.method_, training)
        self._reasons = learning.reasons(self._ensemble, training)
        self._few = rows if held == 0 and self.calibration_fraction == "auto" else None
        self._calibration: Calibration | None = None
        if held:
            self._calibration = SplitCalibration(self._ensemble, rows[:held], known=self.setting == "clean")
        if self.fdr is not None or self.alpha is not None:
            self._calibrated()
        self.decision_scores_ = self._ensemble.score(rows if isinstance(table, ChunkedTable) else table)
        self._decide()
        return self

    def calibrate(self, X: Any) -> Self:
        """Take rows known to be normal, which were not in `fit`, for the calibration of p-values.

        The way to p-values and false-discovery rates where training rows may be anomalies. The threshold of `predict`
        follows, unless it goes by `contamination`.
        """
        self._ready()
        self._calibration = SplitCalibration(self._ensemble, self._table(X, reset=False), known=True)
        self._decide()
        return self

    def _first_table(self, X: Any) -> Any:
        """Return the rows, and learn what their columns are, or take them for those of a fitted estimator."""
        if not checks.is_fitted(self.estimator):
            return self._table(X, reset=True, least_rows=2)
        tabular.forget(self)
        for name in LEARNED:
            if hasattr(self.estimator, name):
                setattr(self, name, getattr(self.estimator, name))
        try:
            return self._table(X, reset=False)
        except ValueError as error:
            raise ValueError(f"X does not go with the columns the fitted estimator knows: {error}") from error

    def _held(self, rows: int) -> int:
        """Return how many rows to hold out for calibration."""
        if self.calibration_fraction is None:
            return 0
        if isinstance(self.calibration_fraction, str):
            enough = rows >= learning.MANY or (checks.is_fitted(self.estimator) and rows > 1)
            return min(rows // 5, learning.MOST_HELD) if enough else 0
        return min(max(1, round(self.calibration_fraction * rows)), rows - 2)

    def _training(self, rows: Any, seed: int) -> Training:
        contaminated = self.setting == "contaminated"
        return Training(rows, contaminated, seed, compute(self.compute).on, self, self.estimator)

    def _trained(self, rows: Any, seed: int) -> Ensemble:
        return learning.ensemble(self.method_, self._training(rows, seed))

    def _calibrated(self) -> Calibration:
        """Return what turns scores into p-values; for few rows it is trained now, if it is not there yet."""
        if self._calibration is None:
            if self._few is None or self._few.shape[0] < 4:
                raise ValueError(
                    "no rows were held out to calibrate p-values (calibration_fraction="
                    f"{self.calibration_fraction!r}); fit with a share such as 0.2, or give rows known to be normal to "
                    "calibrate(X)"
                )
            clean = self.setting == "clean"
            self._calibration = CrossCalibration(self._trained, self._few, self._seed, known=clean)
        return self._calibration

    def _decide(self) -> None:
        """Set the threshold, and label the training rows by it."""
        self.threshold_ = self._threshold()
        self.offset_ = -self.threshold_
        self.labels_ = (self.decision_scores_ > self.threshold_).astype(np.int64)

    def _threshold(self) -> float:
        """Return the score above which rows are anomalies."""
        if self.contamination is not None:
            return thresholds.share_threshold(self.decision_scores_, self.contamination)
        level = self.fdr if self.alpha is None else self.alpha
        if level is not None:
            return threshold(self._calibrated(), level)
        scores = self.decision_scores_ if self._calibration is None else self._calibration.scores
        return min(thresholds.boxplot_threshold(scores), float(np.quantile(scores, 1 - RARE)))

    # -- use --------------------------------------------------------------------------------------------------------

    def score_samples(self, X: Any) -> Any:
        """Return minus the surprise of each row, (n,): higher is more normal, as everywhere in scikit-learn."""
        if self._in_pieces(X):
            return self._piecewise("score_samples", X)
        self._ready()
        return -self._ensemble.score(self._table(X, reset=False))

    def decision_function(self, X: Any) -> Any:
        """Return `score_samples` less `offset_`, (n,): below 0 for anomalies."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> Any:
        """Return -1 for anomalies and 1 for normal rows, (n,).

        Raises
        ------
        ValueError
            With `fdr` or `alpha`, where the calibration rows are too few or too contaminated for that.
        """
        level = self.fdr if self.alpha is None else self.alpha
        if level is None:
            return np.where(self.decision_function(X) >= 0, 1, -1)
        calibration = self._calibrated()
        refuse(calibration, level)
        found = rejected(self.pvalues(X), fdr=self.fdr, alpha=self.alpha)
        if self.fdr is not None and not found.any():
            warn_too_few_for_one(len(calibration.scores), len(found), self.fdr)
        return np.where(found, -1, 1)

    def pvalues(self, X: Any, *, weighted: bool = False) -> np.ndarray:
        """Return how likely a normal row is to be at least as odd as each row, (n,), in (0, 1].

        With rows held out of training (split-conformal), and as long as normal rows are exchangeable with these,
        P(p <= a) is at most a for every a, and a whole number over n + 1. For fewer than 1,000 rows all are held out
        in turn (cross-conformal), where that holds in practice, and in theory up to a factor of about two. Where a
        share e of the calibration rows are anomalies, P(p <= a) is at most a/(1 - e), and less where these are odd.

        Parameters
        ----------
        X : as in `fit`
        weighted : bool, default=False
            Whether normal rows of X may be distributed otherwise than the calibration rows (covariate shift, Tibshirani
            et al. 2019): these then count as much as they are like the rows of X, by a logistic regression.
        """
        self._ready()
        calibration = self._calibrated()
        if weighted:
            return calibration.weighted_pvalues(self._table(X, reset=False))
        if self._in_pieces(X):
            return np.concatenate([calibration.pvalues(block) for block in self._blocks(X)])
        return calibration.pvalues(self._table(X, reset=False))

    def explain(self, X: Any, *, depth: int = explanation.DEPTH) -> explanation.Explanation:
        """Say what each column has in the scores of rows, and which value was to be expected of it.

        Parameters
        ----------
        X : as in `fit`, in memory
        depth : int, default=5
            Columns at most of which a row's score is followed as they are mended one after the other.

        Returns
        -------
        Explanation
            `contributions` (n, columns) add up to `scores`; `expected` has the values that the model expects given the
            other columns, beside those `seen`, in the data's own units; `top`, `frame` and, for images, `map`.
        """
        self._ready()
        return self._explained(X, self._table(X, reset=False), depth)

    def report(self, X: Any, n: int = 10, *, columns: int = 3) -> Any:
        """Return the n most anomalous rows as a frame: row, score, p-value, and columns with what was expected.

        p-values are there where rows were held out for them, or `fdr` or `alpha` was given.
        """
        self._ready()
        numbers = self._table(X, reset=False)
        order = np.argsort(-self._ensemble.score(numbers), kind="stable")[:n]
        p = None if self._calibration is None else self._calibration.pvalues(numbers[order])
        return explanation.report(
            self._explained(_safe_indexing(X, order), numbers[order], explanation.DEPTH), order, p, columns
        )

    def drift(self, X: Any, *, after: Drift | None = None, false_alarm: float = 0.01) -> Drift:
        """Say whether rows have changed since `fit`: a conformal test martingale over the batches of a stream.

        Parameters
        ----------
        X : as in `fit`, in memory
            The next batch.
        after : Drift, optional
            What this returned for the batches before.
        false_alarm : float, default=0.01
            The chance of ever raising an alarm on a stream that does not change, however long it is.

        Raises
        ------
        ValueError
            If no rows were held out of training.
        """
        self._ready()
        numbers = self._table(X, reset=False)
        before = self._unchanged(false_alarm) if after is None else after
        return watch(before, self._ensemble.score(numbers), self._reasons.values(numbers))

    # -- inside -----------------------------------------------------------------------------------------------------

    def _explained(self, X: Any, numbers: Any, depth: int) -> explanation.Explanation:
        """Explain rows X, as numbers (n, R)."""
        scores, contributions, expected = self._reasons.explained(numbers, depth)
        return explanation.Explanation(
            scores,
            contributions,
            X.toarray() if scipy.sparse.issparse(X) else X,
            tabular.as_given(self, expected, like=X),
            self._names(),
        )

    def _names(self) -> list[Any]:
        """Return the names of the columns; x0, x1, ... if they have none."""
        return self._columns() or [f"x{j}" for j in range(self.n_features_in_)]

    def _unchanged(self, false_alarm: float) -> Drift:
        """Return what is known of a stream before its first batch."""
        held = self._calibration
        if not isinstance(held, SplitCalibration) or scipy.sparse.issparse(held.numbers):
            raise ValueError(
                "a drift is told by rows that were held out of training, and there are none (fewer than 1,000 rows, "
                "calibration_fraction=None, or sparse rows); fit with a calibration_fraction such as 0.3"
            )
        return unchanged(held.scores, self._reasons.values(held.numbers), self._names(), false_alarm, self._seed)

    def _ready(self) -> torch.device:
        check_is_fitted(self)
        return compute(self.compute).on

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "offset_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.method in ("auto", "likelihood", ("likelihood",))
        tags.input_tags.allow_nan = True
        return tags
