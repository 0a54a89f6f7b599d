"""`AutoEncoder`: the scikit-learn estimator that every model of this library is a setting of."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from isthmus.core.checks import flag, whole_number
from isthmus.core.registry import register
from isthmus.core.undisturbed import undisturbed, undisturbed_items
from isthmus.data import frames
from isthmus.data.holes import dense_array, filled, with_holes
from isthmus.data.new_levels import with_new_levels
from isthmus.data.reading import ColumnKinds, learn_table, read_pieces, read_pieces_as_given, read_table
from isthmus.data.restoring import restore
from isthmus.data.table import Table
from isthmus.engine.callbacks import Callback
from isthmus.engine.compute import compute
from isthmus.engine.history import History
from isthmus.estimators import checks, generation, model_file, model_state, rules, streaming, training, validation
from isthmus.estimators.descriptors import FromModel, available
from isthmus.estimators.fitted_model import FittedModel
from isthmus.estimators.html import fitted_html, sections_of, with_html
from isthmus.estimators.inference import Inference
from isthmus.estimators.log_marginal import SAMPLES
from isthmus.estimators.parameter_checks import refuse_parameters_of_autoencoder
from isthmus.estimators.parameters import Backbone, Machine, RandomState, Slot
from isthmus.estimators.plain import Classes
from isthmus.estimators.state import State

Use = Callable[[Inference, Table], np.ndarray]
"""From a fitted model and a table to a result, one row per row."""


@register("estimator")
class AutoEncoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """An autoencoder: a short code for every row, from which the row can be reconstructed.

    The network encodes a row x of F numbers as a code z of K numbers, decodes z to the parameters of a distribution
    p(x|z), and is trained to minimise -log p(x|z) plus the penalties. If its parts allow it, training starts exactly at
    PCA (`init="pca"`). The weights of the best epoch on the validation rows are kept, so that the result is no worse
    there.

    *What* the model is: `latent` to `objective`. *How* it is trained: `init` to `patience`, and `callbacks`. *Where* it
    computes: `compute`. Parts are given by name, as objects, or as your own (see `docs/extending.md`).

    Parameters
    ----------
    latent : int, float or "auto", default=0.9
        Size K of the code. A share in (0, 1) takes as many numbers as the principal components that explain that share
        of the variance. "auto": the least size whose held-out log-density under a factor analysis is within one
        standard error of the best; `latent_curve_` shows all sizes.
    hidden : tuple of int, default=(128,)
        Units of each hidden layer of the encoder; the decoder mirrors them. ``()`` is a linear autoencoder.
    activation : str, default="silu"
        "relu", "silu", "gelu", "softplus", "elu", "tanh", "sigmoid" or "identity".
    encoder : part, torch module or str, optional
        Replaces `hidden` and `activation`: `Dense` (with normalisation and dropout), `Principal`, `Linear`,
        `Convolutional`, or a torch module from (B, F) to (B, inputs of the code). None: dense layers; but `Principal`,
        whose codes are the principal components of all rows, where nothing but reconstruction is asked for (all parts,
        `hidden` and `init` as they are by default, numbers in memory) and columns are standardised, or are of one unit
        with less than 10,000 rows and the components hold four fifths of the variance. ``"dense"`` trains an encoder
        there, too: less error, and codes that neighbours and linear models read less well.
    decoder : part, torch module or str, optional
        `Dense`, `Linear`, `Convolutional`, `Tied` (the encoder's weights transposed), or a torch module. None mirrors
        the encoder.
    code : part or str, default="deterministic"
        The bottleneck: `Deterministic` (with an activation), `GaussianCode`, `TopK`, `BatchTopK`, `LifetimeSparse`,
        `OrderedCode`, `VectorQuantizer` or `FSQ`.
    likelihood : part or str, default="auto"
        p(x|z): `Gaussian` ("mse"), `Bernoulli` ("bce"), `ContinuousBernoulli`, `Laplace`, `StudentT`, `Poisson`,
        `NegativeBinomial`, `Multinomial`, `Categorical`. "auto": Bernoulli for zeros and ones, `Gaussian` with a
        sigmoid on its mean for other values in [0, 1] after scaling, else `Gaussian`; for columns of several kinds
        `Mixed`, which gives each column the likelihood of its kind.
    penalty : part, str or list of these, optional
        Added to the objective: `L1`, `KLSparsity`, `WeightDecay`, `Contractive`, `KL`, `MMD`, `TotalCorrelation`,
        `Adversarial`.
    corruption : part, str or None, default="auto"
        Noise on the input in training, while the clean row is the target: `GaussianNoise`, `Masking`, `SaltAndPepper`,
        `Swap`. None: no noise. "auto": in tables with missing cells, a tenth of the columns of each row are hidden as
        well, so that codes do not depend on what is missing (``Masking(0.1, value=None)``); else no noise.
    objective : part or str, optional
        Replaces -log p(x|z) in the objective: `ImportanceWeighted`.
    init : {"pca", "orthogonal", "torch", "layerwise"}, default="pca"
        The first weights; `history_.init` says how near to PCA they could be. "layerwise" first trains each layer of a
        dense network by itself.
    scale : {"auto", "standard", "minmax", "global", "common", "none"}, default="auto"
        How columns are scaled for the network. "standard": each to mean 0 and standard deviation 1; "minmax": each to
        [0, 1]; "global": all to [0, 1] by one shift and one scale; "common": each to mean 0 and all to a mean variance
        of 1 by one scale. "auto": one scale for columns of one unit ("none" in [0, 1], "global" from a common least
        value such as black, else "common"), "none" for counts under a likelihood of counts, else "standard";
        `fit_report_.scale` says which and why.
    columns : dict, sequence or str, optional
        What columns are: a dict from names (positions, for arrays) to "real", "positive" (seen on a logarithmic scale),
        "count", "boolean", "category", "ordinal", "date-time" (the place in the day, week and year), "trend" (and the
        position on the line of times) or "ignored", or to any likelihood that is registered for columns, such as
        "student_t" or "negative_binomial"; or one of these per column; or one for all. Other columns are examined;
        `columns_` says what was found. "auto" examines an array as if it were a frame. None examines frames, and arrays
        with text, times, categories, missing cells (NaN) or a column that numbers the rows; other tables of numbers
        alone follow `scale` and `likelihood`.
    epochs : int or "auto"
        Greatest number of passes over the rows. "auto": 20, or as many as make 1,000 steps (200 steps without
        validation rows).
    batch_size : int or "auto"
        Rows per step. "auto": 128, or all rows if there are at most 256.
    learning_rate : float or "auto"
        The greatest learning rate of the schedule. "auto": 0.005.
    schedule : {"cosine", "constant", "one_cycle"}, default="cosine"
        How the learning rate changes during training.
    optimizer : {"adam", "adamw"} or Adam, default="adam"
        The optimiser.
    validation : float, "auto", "last", array-like or table
        The rows that are held out of training to validate it: a share in [0, 1), drawn at random; "last", the last
        tenth, for rows in the order of time; positions in X (whole numbers) or a mask of its rows; or other rows, as a
        table with the columns of X. "auto": a tenth at random, at most 2,000 rows; of fewer than 100 rows none, and
        cross-validation says for how many epochs the network gains over the closed form of `floor_`.
    patience : int or None, default=10
        Stop after that many epochs without a better validation loss, counted from the end of a warm-up or annealing.
        None: train for all epochs. The best weights are kept in any case.
    floor : {"auto", "return", "tell"}, default="auto"
        What happens where, on the validation rows of a table of numbers, as many principal components reconstruct
        better than the network. "return": they are returned in its place, with a warning; also where its gain is
        within chance. "tell": a warning says so if the difference is beyond one standard error. "auto": "return" for
        dense networks that only reconstruct (a deterministic code, a Gaussian likelihood, no penalty, objective or
        corruption), but not where the gain is within chance and the network makes these rows more probable beyond one
        standard error; else "tell".
    compute : str or Compute, default="auto"
        "auto", "cpu", "cuda" or the name of another device; or `Compute`, which also sets precision, threads,
        compilation and the library that multiplies matrices.
    random_state : int, RandomState, Generator or None, default=None
        The same seed gives the same model on the same machine. No global random state is read or written.
    verbose : int, default=0
        1 shows the progress of training.
    callbacks : sequence of Callback, default=()
        Called at seven moments of training; see `isthmus.Callback`.

    Attributes
    ----------
    latent_ : int
        Size of the code.
    history_ : History
        The losses of training, one row per epoch.
    fit_report_ : FitReport
        The settings that were chosen for training (batches, learning rate, device, precision, threads), and why.
    latent_curve_ : LatentCurve
        Held-out scores by the size of the code, with `to_frame` and `plot`; for ``latent="auto"``.
    network_ : Network
        The torch module.
    floor_ : Floor
        Error on the validation rows beside that of as many principal components, with a paired interval; for tables of
        numbers that have validation rows.
    columns_ : Columns
        What each column was taken for, and how it is scaled; prints as a table.
    scaling_ : Scaling
        From the data's units to the network's, and back.
    likelihood_ : part
        The likelihood that was used.
    n_iter_ : int
        Number of epochs trained.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of str
        Their names, if all are text.

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

    def __init__(
        self,
        latent: int | float | str = 0.9,
        hidden: tuple[int, ...] = (128,),
        *,
        activation: str = "silu",
        encoder: Backbone = None,
        decoder: Backbone = None,
        code: Slot = "deterministic",
        likelihood: Slot = "auto",
        penalty: Slot | Sequence[Slot] = None,
        corruption: Slot = "auto",
        objective: Slot = None,
        init: str = "pca",
        scale: str | None = "auto",
        columns: ColumnKinds = None,
        epochs: int | str = "auto",
        batch_size: int | str = "auto",
        learning_rate: float | str = "auto",
        schedule: str = "cosine",
        optimizer: Slot = "adam",
        validation: object = "auto",
        patience: int | None = 10,
        floor: str = "auto",
        compute: Machine = "auto",
        random_state: RandomState = None,
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
        self.validation = validation
        self.patience = patience
        self.floor = floor
        self.compute = compute
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks

    latent_ = FromModel(lambda model: model.latent)
    network_ = FromModel(lambda model: model.network)
    scaling_ = FromModel(lambda model: model.scaling)
    likelihood_ = FromModel(lambda model: model.likelihood)
    latent_curve_ = FromModel(lambda model: model.record.curve)
    floor_ = FromModel(lambda model: model.record.floor)
    columns_ = FromModel(lambda model: model.columns)
    history_ = FromModel(lambda model: model.record.history)
    fit_report_ = FromModel(lambda model: model.record.report)
    n_iter_ = FromModel(lambda model: model.record.epochs)
    n_features_in_ = FromModel(lambda model: model.schema.n_features)
    feature_names_in_ = FromModel(lambda model: model.schema.feature_names)

    def fitted_model(self) -> FittedModel | None:
        """Return the fitted model; None before `fit`."""
        return vars(self).get("model_")

    def check_parameters(self) -> None:
        """Raise a `ValueError` if a parameter is wrong whatever the data are; `fit` checks the others, too."""
        refuse_parameters_of_autoencoder(self)

    # -- training ---------------------------------------------------------------------------------------------------

    @undisturbed
    def fit(
        self, X: object, y: object = None, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Self:
        """Train on the rows of X.

        Parameters
        ----------
        X : array-like, frame or sparse matrix of shape (n, F), n at least 2; images; or a source of rows
            Numbers must be finite, in any units. Images are (n, height, width) or (n, height, width, channels); results
            in the data's units come back in that shape. A sparse matrix stays sparse: only batches become dense. Data
            larger than memory are given as a path (.npy, Parquet, a folder of Parquet files), a
            `pyarrow.dataset.Dataset`, an array of h5py or zarr, or a function that returns an iterator of batches each
            time it is called.
        y : ignored
        sample_weight : array-like of shape (n,), optional
            Weight of each row, at least 0. If one batch holds all rows, weight 2 equals having the row twice.
        groups : array-like of shape (n,), optional
            Labels, such as patients or speakers: rows of one label are never on both sides of a validation.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If data or parameters are invalid; raised before training starts, and the estimator stays as it was.
        """
        table, schema = learn_table(
            X,
            caller=type(self).__name__,
            columns=self.columns,
            obstacle=rules.obstacle_to_columns(self),
            least_rows=2,
            sample_weight=sample_weight,
        )
        beside = None
        if validation.has_rows(self.validation):
            validation.refuse_beside_groups(groups)
            caller = type(self).__name__
            table, sample_weight, beside = validation.with_rows(self.validation, table, schema, sample_weight, caller)
        self.model_ = training.fit(self, table, schema, sample_weight, groups, beside, density=True)
        return self

    @undisturbed
    def partial_fit(self, X: object, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Train once over one more chunk of rows.

        The optimiser keeps its state between chunks, and a saved model goes on as the unsaved one. Standard scalings,
        and those of tables of several kinds of columns, follow the stream: the outer layers of a dense network absorb
        small changes, and columns that change their nature are judged by the new rows. Where a start at PCA of the
        stream is clearly better on new rows than the network, training goes on from there, with shorter steps for a
        while (`docs/streaming.md`).

        Parameters
        ----------
        X : as in `fit`
            At least 2 rows in the first chunk.
        y : ignored
        sample_weight : array-like of shape (n,), optional

        Returns
        -------
        self
        """
        known, caller = self.fitted_model(), type(self).__name__
        if known is None:
            table, schema = learn_table(
                X,
                caller=caller,
                columns=self.columns,
                obstacle=rules.obstacle_to_columns(self),
                least_rows=2,
                sample_weight=sample_weight,
            )
        else:
            schema = with_new_levels(X, known.schema)
            table = read_table(X, schema, caller=caller, in_use=False)
        self.model_ = training.fit_more(self, known, table, schema, sample_weight)
        return self

    # -- use --------------------------------------------------------------------------------------------------------

    @undisturbed
    def transform(self, X: object) -> np.ndarray:
        """Return the noise-free codes of rows, (n, K).

        In this and every other use, numbers may be missing (NaN) although none were in `fit`, if the likelihood is
        "auto" and the layers are dense: the network sees what it reconstructs of them from the others. A cell that is
        too large for the network is seen at a limit. The columns of a frame may come in another order.
        """
        return self._applied(X, Inference.encode)

    @undisturbed
    def inverse_transform(self, Z: ArrayLike) -> Any:
        """Return the means of p(x|z) for codes Z (n, K), in the data's own units, (n, F).

        A frame if `fit` was given one: with its columns, types and categories, numbers rounded as they were, and the
        likeliest category or truth value. Images if `fit` was given images. Shares that add up to 1 under a multinomial
        likelihood, since a code does not know the total of the counts.
        """
        codes = checks.codes(Z, self._model().latent)
        return restore(self._inference().decode(codes), self._model().schema)

    @undisturbed
    def reconstruct(self, X: object, mask: ArrayLike | None = None) -> Any:
        """Return the reconstructions of rows, (n, F), in the data's own units, of all cells, also those that were seen.

        A frame if `fit` was given one, with the columns in the order of `fit` and the row labels of X; images of the
        shape of `fit` unless X is flat. Columns that cannot be rebuilt from a code come back as they are in X: ignored
        ones, and times of which only the calendar is learned. Under a multinomial likelihood, the counts that are
        expected given the row's total.

        Parameters
        ----------
        X : as in `fit`
            Cells may be missing (NaN): in images under any likelihood but one of counts, in other rows as `transform`
            says.
        mask : array-like of bool, optional
            True where a cell is hidden: what X holds there does not matter, as if it were NaN. Of the shape of X, an
            array, or one that broadcasts to it: (H, W) hides the same pixels of all images; of images with channels
            also (n, H, W).

        Raises
        ------
        ValueError
            If the mask has another type or shape.
        """
        inference, schema = self._inference(hides=mask is not None), self._model().schema
        rows = X if mask is None else with_holes(X, mask)
        pieces = read_pieces_as_given(rows, schema, caller=type(self).__name__)
        return streaming.joined_rows(((inference.reconstruct(given.table), given) for given in pieces), schema)

    @undisturbed
    def fill(self, X: Any, mask: ArrayLike | None = None) -> np.ndarray:
        """Return X with its missing (NaN) and hidden cells replaced by their reconstruction; all others as they are.

        `zoo.masked` is trained for this. Other networks guess the cells, reconstruct, and guess again.

        Parameters
        ----------
        X : array-like of shape (n, F), (n, H, W) or (n, H, W, C)
        mask : array-like of bool, optional
            As in `reconstruct`.

        Returns
        -------
        ndarray of the shape and number type of X
            Pixels that are whole numbers are rounded.

        Raises
        ------
        ValueError
            If X is no array, or the mask has another type or shape.
        """
        holed = dense_array(X) if mask is None else with_holes(X, mask)
        return filled(X, holed, np.asarray(self.reconstruct(X, mask)))

    @undisturbed
    def score_samples(self, X: object) -> np.ndarray:
        """Return log p(x|z) of each row given its own code, (n,), in nats: higher is more normal.

        For a Gaussian likelihood a log-density in the data's own units, which is comparable between models of the same
        columns; for a Bernoulli likelihood minus the binary cross-entropy. For columns of several kinds the sum of
        their log-likelihoods. Missing cells contribute nothing. Every finite number has a finite score.

        Raises
        ------
        ValueError
            If values are outside the support of the likelihood.
        """
        return self._applied(X, Inference.log_likelihood)

    @undisturbed
    def score_columns(self, X: object) -> np.ndarray:
        """Return the contribution of each column to `score_samples`, (n, columns), in nats."""
        return self._applied(X, Inference.column_log_likelihood)

    @undisturbed
    def score(self, X: object, y: object = None) -> float:
        """Return the mean of log p(x) over the rows, in nats: the score to choose `latent` and other settings by.

        `score_samples` knows each row's own code, and rises with every number that the code gets; here the code must be
        guessed from its distribution, so that numbers which only carry noise cost more than they bring. It is the mean
        of `log_likelihood` with 32 importance samples. Sparse and discrete codes, and models trained by `partial_fit`,
        have no such density: for them it is the mean of `score_samples`, which compares models of one size.
        """
        if not generation.has_density(self._model()):
            return float(self.score_samples(X).mean())
        return float(self.log_likelihood(X, SAMPLES).mean())

    @undisturbed
    def reconstruction_error(self, X: object) -> np.ndarray:
        """Return the reconstruction error of each row, (n,).

        The mean squared error over the columns that are there, in the data's own units squared. For columns of several
        kinds, which have no common unit, the mean deviance ratio: 0 for a perfect reconstruction, 1 for one that is as
        good as the columns' means.
        """
        return self._applied(X, Inference.error)

    def score_batches(self, batches: Iterable[object], columns: Sequence[str] | None = None) -> Iterator[Any]:
        """Score record batches as they come, for Spark's ``mapInArrow``, Dask, Ray and others.

        Parameters
        ----------
        batches : iterable of pyarrow.RecordBatch
            With the model's columns among any others; empty ones are fine.
        columns : sequence of str, optional
            The model's columns in their order. By default the names seen in `fit`; all columns if there were none.

        Yields
        ------
        pyarrow.RecordBatch
            Each batch with a column `score`: what `score_samples` returns.

        Raises
        ------
        ValueError
            If a column is missing or holds no numbers, or if a column is called `score` already.
        """
        inference, schema = self._inference(), self._model().schema
        name = type(self).__name__
        return undisturbed_items(streaming.scored_batches(inference.log_likelihood, batches, columns, schema, name))

    @undisturbed
    def write(self, X: object, path: str | Path, what: str = "transform") -> Path:
        """Compute a result for any number of rows, and write it to a Parquet file piece by piece.

        Parameters
        ----------
        X : as in `fit`
        path : str or Path
            The file; it appears whole or not at all, and replaces one that is there.
        what : {"transform", "reconstruct", "score_samples", "reconstruction_error"}, default="transform"
            The method whose result is written. Reconstructions have the columns and types of the table of `fit`. The
            row labels of X, pandas' index, are written as pandas writes them.

        Returns
        -------
        Path
            The file.
        """
        streaming.refuse_unwritten(what)
        inference, schema = self._inference(), self._model().schema
        pieces = read_pieces_as_given(X, schema, caller=type(self).__name__, cut=True)
        if what == "reconstruct":
            found = ((inference.reconstruct(given.table), given) for given in pieces)
            return streaming.write_rows(found, schema, Path(path))
        use, names = {
            "transform": (Inference.encode, list(self.get_feature_names_out())),
            "score_samples": (Inference.log_likelihood, [streaming.SCORE]),
            "reconstruction_error": (Inference.error, ["error"]),
        }[what]
        return streaming.write_codes(((use(inference, given.table), given) for given in pieces), names, Path(path))

    # -- models with a prior, a posterior or a codebook ---------------------------------------------------------------

    @available(
        lambda model: model.network.prior is not None,
        "a prior: take `zoo.variational`, or code='gaussian', penalty='kl'",
    )
    @undisturbed
    def sample(self, n: int = 1, *, random_state: RandomState = None, noise: bool = True) -> Any:
        """Draw new rows: z from the prior p(z), then x from p(x|z).

        Parameters
        ----------
        n : int
            Number of rows.
        random_state : int, RandomState, Generator or None
            The same seed draws the same rows.
        noise : bool, default=True
            False takes the mean of p(x|z) in place of a draw: smoother images, but rows that vary less than real ones.

        Returns
        -------
        ndarray or frame of shape (n, F), in the data's own units; images if `fit` was given images
            Under a multinomial likelihood, one count per row, or without noise the shares.

        Raises
        ------
        AttributeError
            If the model has no prior.
        """
        inference = self._inference()
        drawn = generation.sample(inference, whole_number("n", n, 1), random_state, noise)
        return restore(drawn, self._model().schema)

    @undisturbed
    def interpolate(self, a: Any, b: Any, steps: int = 8) -> Any:
        """Decode the points on the straight lines between the codes of rows a and b.

        Parameters
        ----------
        a, b : array-like of shape (F,) or (n, F), or frames; or images, if `fit` was given images
            The rows at either end.
        steps : int
            Points on each line, both ends included; at least 2.

        Returns
        -------
        ndarray of shape (steps, F) or (n, steps, F), in the data's own units
            If `fit` was given a frame, a frame of n · steps rows, line after line.
        """
        steps = whole_number("steps", steps, 2)
        row_shape = self._model().schema.row_shape
        alone = not frames.is_frame(a) and (np.ndim(a) == 1 or np.shape(a) == row_shape)
        ends = [
            self._applied(end if frames.is_frame(end) else np.asarray(end)[None] if alone else end, Inference.encode)
            for end in (a, b)
        ]
        if ends[0].shape != ends[1].shape:
            raise ValueError(f"a and b must have the same number of rows; got {len(ends[0])} and {len(ends[1])}")
        lines = generation.line(ends[0], ends[1], steps)
        decoded = self.inverse_transform(lines.reshape(-1, self._model().latent))
        if not isinstance(decoded, np.ndarray):
            return decoded
        decoded = decoded.reshape(len(lines), steps, *decoded.shape[1:])
        return decoded[0] if alone else decoded

    @available(
        generation.has_density,
        "a density of codes: take a dense code such as 'deterministic', trained by `fit`, or `zoo.variational`",
    )
    @undisturbed
    def log_likelihood(self, X: object, importance_samples: int = 100, *, random_state: RandomState = 0) -> np.ndarray:
        """Estimate log p(x) of each row, (n,), in nats, by importance sampling from its posterior.

        log p(x) ≈ logsumexp_s [log p(x|z_s) + log p(z_s) - log q(z_s|x)] - log S, z_s ~ q(z|x) (Burda, Grosse and
        Salakhutdinov 2016): on average a lower bound, which rises to log p(x) with S. With a posterior, p(z) = N(0, I).
        Other codes are functions of the encoder's outputs, whose p is the normal distribution with the mean and
        covariance of the training rows' and whose q is Laplace's approximation; a Gaussian likelihood gets a variance
        of each column, from held-out rows. For a linear decoder that is a factor analysis, and every S exact. The noise
        of a row depends on its own code alone, so that its estimate does not depend on the rows beside it.

        Parameters
        ----------
        X : as in `fit`
        importance_samples : int
            S; take thousands for estimates that are published.
        random_state : int, RandomState, Generator or None
            Seed of the noise.

        Raises
        ------
        AttributeError
            If codes have no density: sparse and discrete codes, and models trained by `partial_fit`.
        """
        count, seed = whole_number("importance_samples", importance_samples, 1), checks.seed(random_state)
        return self._applied(X, lambda inference, table: generation.log_likelihood(inference, table, count, seed))

    @available(lambda model: model.network.code.codewords > 0, "a codebook: take `zoo.vector_quantised`, or code='fsq'")
    @undisturbed
    def indices(self, X: object) -> np.ndarray:
        """Return which codewords stand for each row, (n, groups), whole numbers.

        Raises
        ------
        AttributeError
            If the code has no codebook.
        """
        return self._applied(X, generation.codewords)

    # -- files ------------------------------------------------------------------------------------------------------

    def save(self, path: str | Path, *, resume: bool = True) -> None:
        """Write the fitted model to one file: weights as safetensors, everything else as JSON in its header.

        The file appears whole or not at all; `isthmus.load` reads it. Callbacks and validation rows are not saved, and
        a `random_state` that is not a number is saved as None.

        Parameters
        ----------
        path : str or Path
        resume : bool, default=True
            Whether a model that was trained by `partial_fit` keeps the memory of its optimiser and of the stream, with
            which a loaded one goes on as the saved one does, bit for bit. False makes its file about a third as large.

        Raises
        ------
        TypeError
            If a part of your own cannot be saved; it is named.
        OSError
            If the file cannot be written; what was at `path` is still there.
        """
        model_file.save(self, Path(path), model_state.state_of(self._model(), flag("resume", resume)))

    def histories(self) -> dict[str, History]:
        """Return the history of the training by the name ""; estimators of several autoencoders name each."""
        return {"": self._model().record.history}

    def fitted_state(self) -> State:
        """Return the fitted model as facts and tensors, for a file."""
        return model_state.state_of(self._model())

    @undisturbed
    def restore_fitted(self, state: State, classes: Classes) -> None:
        """Take a fitted model from a file; `classes` are those of the parts that may occur in it."""
        self.model_ = model_state.model_of(state, classes)

    # -- inside -----------------------------------------------------------------------------------------------------

    def _model(self) -> FittedModel:
        """Return the fitted model, or raise scikit-learn's `NotFittedError`."""
        check_is_fitted(self)
        return self.model_

    def _inference(self, hides: bool = False) -> Inference:
        model = self._model()
        gaps = rules.takes_gaps_in_use(self, model) or (hides and not model.network.likelihood.whole)
        return Inference(model, compute(self.compute), gaps=gaps)

    def _applied(self, X: object, use: Use) -> np.ndarray:
        """Return the result of a use for all rows of X; a source is read piece by piece."""
        inference, schema = self._inference(), self._model().schema
        found = [use(inference, table) for table in read_pieces(X, schema, caller=type(self).__name__)]
        return found[0] if len(found) == 1 else np.concatenate(found)

    def _repr_html_inner(self) -> str:
        return str(super()._repr_html_inner()) + self._fitted_html()

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, object]:
        return with_html(super()._repr_mimebundle_(**kwargs), self._fitted_html())

    def _fitted_html(self) -> str:
        model = self.fitted_model()
        return "" if model is None else fitted_html(sections_of(model))

    @property
    def _n_features_out(self) -> int:
        return self._model().latent

    def __sklearn_is_fitted__(self) -> bool:
        return self.fitted_model() is not None

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = rules.takes_gaps(self)
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
