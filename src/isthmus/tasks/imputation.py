"""`Imputer`: the gaps of a table filled by masked autoencoders."""

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted
from torch import Generator, Tensor

from isthmus.core.checks import whole_number
from isthmus.core.choices import refuse_unknown
from isthmus.core.network import Network
from isthmus.engine.compute import Compute
from isthmus.estimators import AutoEncoder, tabular, validation
from isthmus.estimators.rollback import rollback_on_error
from isthmus.parts.corruptions import Masking

RATE = 0.3
"""Share of a row's columns that are hidden in training."""
HIDDEN, LATENT, LEARNING_RATE = 256, 64, 3e-3
SPREAD_ROWS = 4096
"""Rows at most from which the spread of what was filled in is found."""


class Imputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Fill the missing cells of a table by what masked autoencoders expect, given the cells that are there.

    In training a random share of each row's columns is hidden, and the network is asked for what was hidden (a
    denoising autoencoder as in Gondara and Wang 2018, told what is missing, and scored on nothing else). Numbers get
    their conditional mean, categories, booleans and text their likeliest value; cells that are there stay as they are.

    Parameters
    ----------
    estimator : AutoEncoder, optional
        What is trained; its `random_state` and `columns` are set from here. None: 256 hidden units, a code of 64 and
        30 % of the columns hidden.
    members : int, default=5
        How many are trained, each from another seed and judged by other rows; their expectations are averaged.
    rounds : int, default=0
        How often the gaps of one half of the columns are filled again, given what the other half was filled with. With
        the network told what is missing, every round was measured to make numbers a little worse.
    fill : {"mean", "draw"}, default="mean"
        "draw": values drawn as they may have been, for multiple imputation; see `draws`.
    columns : dict, sequence or str, optional
        As in `AutoEncoder`. Columns of numbers are "real" where nothing is said of them.
    random_state : int, RandomState, Generator or None, default=None
        The same seed fills in the same.

    Attributes
    ----------
    members_ : list of AutoEncoder
        The trained ones.
    columns_ : Columns
        What each column was taken for.
    spread_ : ndarray of shape (cells,)
        Standard deviation of what was filled in for hidden cells about what was there, in the network's units.
    n_features_in_, feature_names_in_
        As in scikit-learn.

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
        estimator: Any = None,
        *,
        members: int = 5,
        rounds: int = 0,
        fill: str = "mean",
        columns: Any = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.members = members
        self.rounds = rounds
        self.fill = fill
        self.columns = columns
        self.random_state = random_state

    @rollback_on_error
    def fit(self, X: Any, y: Any = None) -> Self:
        """Train on a table with or without gaps.

        Parameters
        ----------
        X : frame or array of shape (n, F), n at least 2
            NaN, None or null where a cell is missing.
        y : ignored

        Raises
        ------
        ValueError
            For infinite values, columns of mixed types and so on, with the column's name.
        """
        refuse_unknown("fill", self.fill, ("mean", "draw"))
        whole_number("rounds", self.rounds, 0)
        seeds = np.random.SeedSequence(validation.seed(self.random_state))
        X = dense(X)
        columns = numbers_are_real(self.columns, X)
        self.members_ = []
        for sequence in seeds.spawn(whole_number("members", self.members, 1)):
            member = masked_autoencoder() if self.estimator is None else clone(self.estimator)
            member.set_params(columns=columns, random_state=int(sequence.generate_state(1)[0]))
            self.members_.append(member.fit(X))
        first = self.members_[0]
        self.columns_, self.n_features_in_ = first.columns_, first.n_features_in_
        if hasattr(first, "feature_names_in_"):
            self.feature_names_in_ = first.feature_names_in_
        self.spread_ = self._spread(first._known(X)[:SPREAD_ROWS])
        return self

    def transform(self, X: Any) -> Any:
        """Return the table with its gaps filled: the same kind of frame, or an array, (n, F).

        A column without any value in `fit` stays missing.
        """
        if self.fill == "draw":
            return next(self.draws(X, 1, random_state=self.random_state))
        X, numbers = self._known(X)
        return self._filled(X, numbers, self._expected(numbers))

    def draws(self, X: Any, n: int = 5, *, random_state: Any = None) -> Iterator[Any]:
        """Fill the gaps n times with values drawn as they may have been (multiple imputation, Rubin 1987).

        Each draw follows one of the members, chosen by chance: numbers their expectation and the spread that hidden
        cells had about it, categories the probabilities.

        Yields
        ------
        A table as `transform` returns it.
        """
        X, numbers = self._known(X)
        generator = np.random.default_rng(validation.seed(random_state))
        for _ in range(whole_number("n", n, 1)):
            chosen = int(generator.integers(len(self.members_)))
            yield self._filled(X, numbers, self._drawn(self._cells(numbers, self.members_[chosen]), generator))

    def _known(self, X: Any) -> tuple[Any, np.ndarray]:
        """Check a table against the columns of `fit`; return it, and as numbers (n, R), the same for all members."""
        check_is_fitted(self)
        refuse_unknown("fill", self.fill, ("mean", "draw"))
        X = dense(X)
        return X, self.members_[0]._known(X)

    def _expected(self, numbers: np.ndarray) -> np.ndarray:
        """Return the mean of the members' expectations of every cell, (n, cells), in the network's units."""
        total = self._cells(numbers, self.members_[0])
        for member in self.members_[1:]:
            total = total + self._cells(numbers, member)
        return total / len(self.members_)

    def _cells(self, numbers: np.ndarray, member: AutoEncoder) -> np.ndarray:
        """Return one member's expectation of every cell, (n, cells)."""
        member._ready()
        rows = member._rows(numbers, resident=False)
        group = member.scaling_.feature_group.to(rows.device)
        found = member._map(lambda x: expected(member.network_, x, group, self.rounds), rows, member.scaling_.cells)
        return found.astype(np.float64)

    def _drawn(self, cells: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Draw cells (n, cells) about their expectations."""
        drawn, start = cells.copy(), 0
        for name, sizes in self.members_[0].scaling_.groups:
            block = slice(start, start + sum(sizes))
            start += sum(sizes)
            if name == "bernoulli":
                drawn[:, block] = generator.random(cells[:, block].shape) < cells[:, block]
            elif name == "categorical":
                # The largest of log p + Gumbel noise is a draw from p.
                drawn[:, block] = np.log(cells[:, block].clip(1e-12)) + generator.gumbel(size=cells[:, block].shape)
            elif name in ("poisson", "negative_binomial"):
                drawn[:, block] = generator.poisson(cells[:, block].clip(0, 1e9))
            else:
                drawn[:, block] += self.spread_[block] * generator.normal(size=cells[:, block].shape)
        return drawn

    def _filled(self, X: Any, numbers: np.ndarray, cells: np.ndarray) -> Any:
        """Return the table X, numbers (n, R), with what is missing taken from cells (n, cells)."""
        first = self.members_[0]
        raw = first.scaling_.inverse(torch.from_numpy(cells), rounded=False).numpy()
        return tabular.as_given(first, np.where(np.isnan(numbers), raw, numbers), like=X)

    def _spread(self, numbers: np.ndarray) -> np.ndarray:
        """Return the root mean squared error of cells that are hidden on purpose in numbers (n, R), (cells,)."""
        first = self.members_[0]
        rows = first._rows(numbers, resident=False)
        feature_group = first.scaling_.feature_group
        generator = Generator().manual_seed(0)
        hidden = (torch.rand(len(numbers), int(feature_group.max()) + 1, generator=generator) < RATE)[:, feature_group]
        x = rows.scaled(rows.raw[:]).cpu()
        seen = torch.where(hidden, torch.nan, x).to(rows.device)
        guesses = [guess.cpu().double() for guess in self._guesses(seen, feature_group.to(rows.device))]
        errors = torch.where(hidden, (x.double() - torch.stack(guesses).mean(0)).square(), torch.nan)
        counted = (~errors.isnan()).sum(0).clamp_min(1)
        return (errors.nan_to_num(0).sum(0) / counted).sqrt().numpy()

    def _guesses(self, x: Tensor, feature_group: Tensor) -> Iterator[Tensor]:
        """Pass over the members' expectations of cells x (n, cells)."""
        for member in self.members_:
            with torch.no_grad():
                yield expected(member.network_, x, feature_group, self.rounds)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        return tags


def masked_autoencoder() -> AutoEncoder:
    """Return what is trained where nothing else is asked for."""
    return AutoEncoder(
        latent=LATENT,
        hidden=(HIDDEN,),
        corruption=Masking(RATE, value=None, score="hidden"),
        learning_rate=LEARNING_RATE,
        patience=None,
        compute=Compute(precision="float32"),
    )


def expected(network: Network, x: Tensor, feature_group: Tensor, rounds: int) -> Tensor:
    """Return what the network expects of every cell of x (B, F), NaN where missing.

    After the first guess each round fills one half of the columns again, given the guess for the other half.
    """
    missing = torch.isnan(x)
    guess = network.decode(network.encode(x).mean)
    for turn in range(rounds):
        hidden = missing & (feature_group % 2 == turn % 2)
        again = network.decode(
            network.encode(torch.where(missing & ~hidden, guess, torch.where(missing, torch.nan, x))).mean
        )
        guess = torch.where(hidden, again, guess)
    return guess


def dense(X: Any) -> Any:
    """Return a table as it is, or whatever else is given as an array."""
    return X if tabular.frames.is_frame(X) else validation.array_of_anything(X)


def numbers_are_real(columns: Any, X: Any) -> Any:
    """Return what is said of the columns, and "real" for columns of numbers of which nothing is said."""
    schema, _ = tabular.read(X)
    said = tabular.kinds_by_name(columns, schema)
    return {field.name: "real" for field in schema.fields if field.sort in ("float", "integer")} | said
