"""`AutoEncoder`: the scikit-learn estimator that every model of this library is a setting of."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from torch import Generator, Tensor

from isthmus.data.rows import Rows
from isthmus.engine.callbacks import Callback
from isthmus.engine.compute import compute
from isthmus.engine.history import History
from isthmus.engine.inference import BLOCK, map_rows
from isthmus.engine.progress import ProgressReport
from isthmus.engine.trainer import Trainer
from isthmus.estimators import health, model_file, rules, tabular, validation
from isthmus.estimators.building import Beginning
from isthmus.estimators.generative import Generative
from isthmus.estimators.rollback import rollback_on_error
from isthmus.estimators.streams import Checked, Streams
from isthmus.estimators.validation import Table


class AutoEncoder(Streams, Generative, Beginning, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """An autoencoder: a small code for every row, from which the row can be rebuilt.

    The network encodes a row x of F numbers to a code z of K, decodes z to the parameters of a distribution p(x|z), and
    is trained to make -log p(x|z) plus the penalties small. It starts, where its parts allow it, exactly at PCA
    (`init="pca"`), and with the best weights kept on validation rows it ends no worse.

    Parameters
    ----------
    latent : int or float, default=0.9
        Size K of the code. A share in (0, 1) takes as many numbers as principal components explain that share of the
        variance.
    hidden : tuple of int, default=(128,)
        Units of each hidden layer of the encoder; the decoder mirrors them. ``()`` is a linear autoencoder.
    activation : str, default="silu"
        "relu", "silu", "gelu", "softplus", "elu", "tanh", "sigmoid" or "identity".
    encoder : part or str, optional
        Instead of `hidden` and `activation`: `Dense` (with normalisation and dropout) or `Linear`.
    decoder : part or str, optional
        `Dense`, `Linear` or `Tied`; None mirrors the encoder.
    code : part or str, default="deterministic"
        The narrow place, for example ``Deterministic(activation="sigmoid")``.
    likelihood : part or str, default="auto"
        p(x|z): `Gaussian` or `Bernoulli`. "auto" takes Bernoulli for zeros and ones, `Gaussian` with a sigmoid on its
        mean for other values in [0, 1] after scaling, and plain `Gaussian` for the rest.
    penalty : part, list of parts or str, optional
        Added to the objective, for example ``L1(weight=0.01)``.
    corruption : part or str, default="auto"
        What is done to the input in training, for example ``GaussianNoise(scale=0.3)``: a denoising autoencoder; None:
        nothing. "auto": in tables with missing cells a tenth of the columns of each row are hidden too, so that codes
        do not depend on what is missing (``Masking(0.1, value=None)``); else nothing.
    objective : part or str, optional
        What stands in the place of -log p(x|z), for example `ImportanceWeighted`.
    init : {"pca", "orthogonal", "torch", "layerwise"}, default="pca"
        Where training starts; `history_.init` says what was possible. "layerwise" first trains each layer of a dense
        network by itself.
    scale : {"auto", "standard", "minmax", "global", "none"}, default="auto"
        How columns are brought to the network. "auto": as they are where every value is in [0, 1] and the greatest
        above 0.1, and counts under a likelihood of counts; divided by the greatest value for 8-bit unsigned integers
        (images); else each to mean 0 and standard deviation 1.
    columns : dict, sequence or str, optional
        What columns are: names (of arrays, places) to "real", "positive" (seen on a logarithmic scale), "count",
        "boolean", "category", "ordinal", "date-time" or "ignored", or to a likelihood: "student_t" (real), "poisson" or
        "negative_binomial" (count). The others are found by looking: `columns_` tells. "auto": look at an array as at a
        frame. None: so are frames and arrays with text, times, categories or missing cells (NaN); numbers alone are
        seen as one array, by `scale` and `likelihood`.
    epochs : int or "auto"
        Passes over the rows, at most. "auto": 20, or as many as make 1,000 steps (200 where no rows are
        kept out to judge the training).
    batch_size : int or "auto"
        Rows a step. "auto": 128; all of them up to 256.
    learning_rate : float or "auto"
        The schedule's greatest. "auto": 0.005.
    schedule : {"cosine", "constant", "one_cycle"}, default="cosine"
        How the learning rate changes during training.
    optimizer : {"adam", "adamw"} or Adam, default="adam"
        The optimiser.
    validation_fraction : float or "auto"
        Share of the rows that are kept out of training and judge it, in [0, 1). "auto": none of fewer than 100 rows;
        else a tenth, and at most 2,000 rows.
    patience : int or None, default=10
        Stop after that many epochs without a better validation loss, counted from the end of a warm-up or annealing.
        None: train for all epochs. The best weights are kept in any case.
    compute : str or Compute, default="auto"
        "auto", "cpu", "cuda" or the name of another device; or `Compute`, which also sets precision, threads,
        compilation and the library that multiplies matrices.
    random_state : int, RandomState, Generator or None, default=None
        The same seed gives the same model on the same machine. No global random state is read or written.
    verbose : int, default=0
        1 shows the progress of training.
    callbacks : sequence of Callback, default=()
        Called at five moments of training; see `isthmus.engine.Callback`.

    Attributes
    ----------
    latent_ : int
        Size of the code.
    history_ : History
        What happened in training, an epoch a row.
    fit_report_ : FitReport
        What was chosen for the training: batches, learning rate, device, precision, threads, and why.
    network_ : Network
        The torch module.
    columns_ : Columns
        What each column was taken for, where they are of several kinds or have gaps; prints as a table.
    scaling_ : Scaling or TableScaling
        Between the data's units and the network's.
    likelihood_ : part
        The likelihood that was used.
    n_iter_ : int
        Epochs trained.
    n_features_in_ : int
        Columns seen in `fit`.
    feature_names_in_ : ndarray of str
        Their names, if they had any.

    References
    ----------
    M. E. M. Dieye, P. D. Negho and R. K. M. Djaha, "AutoEncoders", AMMI, 2023.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X = load_digits().data
    >>> ae = AutoEncoder(latent=8, epochs=5, random_state=0).fit(X)
    >>> ae.transform(X).shape, ae.reconstruct(X).shape
    ((1797, 8), (1797, 64))
    """

    history_: History
    scaling_: Any
    likelihood_: Any
    _optimiser: torch.optim.Optimizer | None

    def __init__(
        self,
        latent: int | float = 0.9,
        hidden: tuple[int, ...] = (128,),
        *,
        activation: str = "silu",
        encoder: Any = None,
        decoder: Any = None,
        code: Any = "deterministic",
        likelihood: Any = "auto",
        penalty: Any = None,
        corruption: Any = "auto",
        objective: Any = None,
        init: str = "pca",
        scale: str | None = "auto",
        columns: Any = None,
        epochs: int | str = "auto",
        batch_size: int | str = "auto",
        learning_rate: float | str = "auto",
        schedule: str = "cosine",
        optimizer: Any = "adam",
        validation_fraction: float | str = "auto",
        patience: int | None = 10,
        compute: Any = "auto",
        random_state: Any = None,
        verbose: int = 0,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self.latent = latent
        self.hidden = hidden
        self.activation = activation
        self.encoder = encoder
        self.decoder = decoder
        self.code = code
        self.likelihood = likelihood
        self.penalty = penalty
        self.corruption = corruption
        self.objective = objective
        self.init = init
        self.scale = scale
        self.columns = columns
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.optimizer = optimizer
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.compute = compute
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks

    # -- training ---------------------------------------------------------------------------------------------------

    @rollback_on_error
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train on the rows of X.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, F), n at least 2
            Finite numbers, in any units. A sparse one stays sparse (CSR); a batch of it becomes dense at a time.
            What is larger than memory comes as a path (.npy, Parquet, a folder of it), a `pyarrow.dataset.Dataset`, an
            array of h5py or zarr, or a function that returns an iterator of batches each time it is called.
        y : ignored
        sample_weight : array-like of shape (n,), optional
            How much each row counts, at least 0. Where one batch holds all rows, weight 2 is the same as twice the row.

        Raises
        ------
        ValueError
            For data or parameters that cannot be, before any training.
        """
        array = self._table(X, reset=True, least_rows=2, sample_weight=sample_weight)
        array, weight = validation.weights(sample_weight, array, least=2)
        judged = rules.judges(self.validation_fraction, array.shape[0])
        plan = rules.plan(self, array.shape[0] - judged, judged)
        with self._threads_to_begin(array):
            rows, index, judges, generator = self._begin(array, weight, judged, plan)
        reports = [ProgressReport()] if self.verbose else []
        plan = dataclasses.replace(plan, threads=self._thread_counts(plan.batch_size))
        trainer = Trainer(self.network_, rows, index, judges, plan, generator, [*reports, *(self.callbacks or ())])
        trainer.history.init = self.history_.init
        self.history_ = trainer.fit()
        self.fit_report_ = trainer.report
        with self._threads(BLOCK):
            self._fix_variance(rows, judges if len(judges) else index)
            self.history_.health = health.report(self.network_, rows, judges if len(judges) else index)
        self.n_iter_ = max(trainer.epoch, 1)
        self._generator, self._optimiser = generator.get_state(), None
        return self

    @rollback_on_error
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train on one more chunk of rows, once over; the first chunk decides the initialisation.

        The learning rate is constant at `learning_rate`, and the optimiser remembers the chunks before. Columns that
        are scaled to mean 0 and standard deviation 1 are so over all rows seen: when these change, the outer layers of
        a dense network with a Gaussian likelihood take it up, so that what the network does stays the same. Other
        networks, and other scales, stay with those of the first chunk.

        Parameters
        ----------
        X : array-like of shape (n, F)
            At least 2 rows in the first chunk.
        y : ignored
        sample_weight : array-like of shape (n,), optional
        """
        first = not hasattr(self, "network_")
        least = 2 if first else 1
        array = self._table(X, reset=first, least_rows=least, sample_weight=sample_weight)
        array, weight = validation.weights(sample_weight, array, least)
        plan = dataclasses.replace(rules.plan(self, array.shape[0], 0), epochs=1, schedule="constant", open_ended=True)
        if first:
            with self._threads_to_begin(array):
                judged = rules.judges(self.validation_fraction, array.shape[0])
                _, _, _, generator = self._begin(array, weight, judged, plan)
            self.n_iter_, self._optimiser = 0, None
        else:
            if not self.network_.likelihood.density:
                self._refuse_outside(Rows(array).summary(), self.network_.likelihood)
            generator = Generator()
            generator.set_state(self._generator)
            self._follow(Rows(array, weight))
        rows = self._rows(array, weight)
        index, none = rows.all(), torch.empty(0, dtype=torch.int64)
        plan = dataclasses.replace(plan, threads=self._thread_counts(plan.batch_size))
        trainer = Trainer(self.network_, rows, index, none, plan, generator, self.callbacks or (), self._optimiser)
        epochs = trainer.fit()
        self.fit_report_ = trainer.report
        self.n_iter_ += 1
        for row in epochs:  # none if it was interrupted
            self.history_.append(row | {"epoch": self.n_iter_})
        self.history_.stopped, self.history_.best_epoch = "partial_fit", self.n_iter_
        self._generator, self._optimiser = generator.get_state(), trainer.optimiser
        return self

    # -- use --------------------------------------------------------------------------------------------------------

    def transform(self, X: Any, *, to: str | Path | None = None) -> Any:
        """Encode: (n, F) to the noise-free codes, (n, K); written to the Parquet file `to`, if given."""
        if self._in_pieces(X, to):
            return self._piecewise("transform", X, to)
        rows = self._rows(self._known(X), resident=False)
        return self._as_came(self._map(lambda x: self.network_.encode(x).mean, rows, self.latent_), rows)

    def inverse_transform(self, Z: Any) -> Any:
        """Decode: codes (n, K) to the mean of p(x|z) in the data's own units, (n, F).

        A frame, where `fit` was given one: with its columns, types and categories, its values rounded as they were, and
        of categories and booleans the likeliest.
        """
        on = self._ready()
        rows = Rows(validation.codes(Z, self.latent_), dtype=self._dtype, device=on, resident=False)
        numbers = self.scaling_.numbers
        decoded = self._map(lambda z: self.scaling_.inverse(self.network_.decode(z).cpu()), rows, numbers)
        return tabular.as_given(self, self._as_came(decoded, rows))

    def reconstruct(self, X: Any, *, to: str | Path | None = None) -> Any:
        """Encode and decode: (n, F) to (n, F), in the data's own units; a frame, where `fit` was given one.

        Written to the Parquet file `to`, if given.
        """
        if self._in_pieces(X, to):
            return self._piecewise("reconstruct", X, to)
        rows = self._rows(self._known(X), resident=False)
        decoded = self._as_came(self._map(self._mean, rows, self.scaling_.numbers), rows)
        return decoded if isinstance(X, Checked) else tabular.as_given(self, decoded, like=X)

    def score_samples(self, X: Any, *, to: str | Path | None = None) -> Any:
        """Return log p(x|z) of each row given its own code, (n,), in nats: higher is more normal.

        With a Gaussian likelihood a log-density in the data's own units, comparable between models of the same columns;
        with a Bernoulli one, minus the binary cross-entropy. Of a table of several kinds of columns, the sum of the
        columns' log-likelihoods; missing cells count for nothing. Written to the Parquet file `to`, if given.

        Raises
        ------
        ValueError
            For values that the likelihood does not allow.
        """
        if self._in_pieces(X, to):
            return self._piecewise("score_samples", X, to)
        rows, volume = self._scored(X)
        nll = self._map(lambda x: self.network_.likelihood.nll(x, self.network_(x).theta), rows, None)
        return -nll.astype(np.float64) - volume

    def score_columns(self, X: Any) -> np.ndarray:
        """Return what each column has in `score_samples`, (n, columns), in nats.

        Raises
        ------
        ValueError
            For values that the likelihood does not allow.
        """
        rows, _ = self._scored(X)
        likelihood, columns = self.network_.likelihood, self.n_features_in_

        def by_column(x: Tensor) -> Tensor:
            cells = -likelihood.columns(x, self.network_(x).theta).double()
            if likelihood.density:
                cells = cells + self.scaling_.log_derivatives(x)
            return self.scaling_.by_column(cells)

        return self._map(by_column, rows, columns)

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean of `score_samples`."""
        return float(self.score_samples(X).mean())

    def reconstruction_error(self, X: Any) -> np.ndarray:
        """Return the mean squared error of each row over its columns, (n,), in the data's own units (squared).

        Of a table of several kinds of columns, which have no unit in common: the mean share of a column that stays
        unexplained, 0 for none, 1 for as much as by the columns' means alone.
        """
        if self._in_pieces(X):
            return self._piecewise("reconstruction_error", X)
        array = self._known(X)
        rows = self._rows(array, resident=False)
        if hasattr(self, "columns_"):
            likelihood: Any = self.network_.likelihood
            return self._map(lambda x: likelihood.deviance_ratios(x, self.network_(x).theta), rows, None).astype(
                np.float64
            )

        def error(x: Tensor) -> Tensor:
            return (self.scaling_.inverse(x.cpu()) - self._mean(x)).square().mean(1)

        return self._map(error, rows, None).astype(np.float64)

    def save(self, path: str | Path) -> None:
        """Write the fitted model to one file: weights as safetensors, the rest as JSON in its header.

        The file appears whole or not at all. Callbacks are not saved, and a `random_state` that is not a number is
        saved as None.

        Raises
        ------
        OSError
            If the file cannot be written; what was at `path` is still there.
        """
        check_is_fitted(self)
        model_file.save(self, Path(path))

    # -- inside -----------------------------------------------------------------------------------------------------

    @property
    def _n_features_out(self) -> int:
        return self.latent_

    def _known(self, X: Any) -> Table:
        """Check rows against the columns seen in `fit`."""
        self._ready()
        return self._table(X, reset=False)

    def _scored(self, X: Any) -> tuple[Rows, Any]:
        """Check rows that are to be scored; return them, and what a log-density loses on the way to their own units."""
        array = self._known(X)
        likelihood = self.network_.likelihood
        if not likelihood.density:
            self._refuse_outside(Rows(array).summary(), likelihood)
        rows = self._rows(array, resident=False)
        return rows, self._map(self.scaling_.log_volume, rows, None) if likelihood.density else 0.0

    def _ready(self) -> torch.device:
        """Bring the network to where it shall compute; return where that is."""
        check_is_fitted(self)
        on = compute(self.compute).on
        self.network_.to(on)
        return on

    def _mean(self, x: Tensor) -> Tensor:
        return self.scaling_.inverse(self.network_.decode(self.network_.encode(x).mean).cpu())

    def _map(self, function: Callable[[Tensor], Tensor], rows: Rows, columns: int | None) -> np.ndarray:
        with self._threads(BLOCK):
            return map_rows(function, rows, columns)

    def _as_came(self, result: np.ndarray, rows: Rows) -> np.ndarray:
        """Return the result in float32 where that held the rows as they came, else in float64."""
        return result.astype(np.float32 if rows.narrow else np.float64, copy=False)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = rules.takes_gaps(self)
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
