"""What an autoencoder with a prior can do besides encoding: draw rows, walk between rows, weigh a row's likelihood."""

import math
from collections.abc import Callable
from typing import Any, TypeGuard

import numpy as np
import torch
from sklearn.utils.metaestimators import available_if
from torch import Generator, Tensor
from torch.distributions import Normal

from isthmus.core.checks import whole_number
from isthmus.core.network import Network
from isthmus.data.rows import Rows
from isthmus.estimators import tabular, validation

DIGITS = 1e4
LEAST = 1e-9


def fitted_with(condition: Callable[[Network], Any], needed: str) -> Callable[[Any], bool]:
    """Let a method exist where the fitted network meets the condition; say otherwise what is needed."""

    def holds(estimator: Any) -> bool:
        if hasattr(estimator, "network_") and not condition(estimator.network_):
            raise AttributeError(f"this {type(estimator).__name__} has no such method: it needs {needed}")
        return True

    return holds


def has_codewords(network: Network) -> TypeGuard[Any]:
    """Whether codes are chosen from a codebook."""
    return network.code.codewords > 0


class Generative:
    """The methods of `AutoEncoder` that need no rows, or more than a row's own code."""

    network_: Any
    scaling_: Any
    latent_: int
    n_features_in_: int
    _dtype: torch.dtype
    _ready: Callable[[], torch.device]
    _known: Callable[[Any], np.ndarray]
    _rows: Callable[..., Rows]
    _map: Callable[..., np.ndarray]
    _scored: Callable[[Any], tuple[Rows, float]]
    inverse_transform: Callable[[Any], Any]
    transform: Callable[[Any], np.ndarray]

    @available_if(fitted_with(lambda network: network.prior is not None, "a penalty with a prior, such as KL"))
    def sample(self, n: int = 1, *, random_state: Any = None, noise: bool = False) -> Any:
        """Draw rows from the model: z ~ p(z), then the mean of p(x|z), in the data's own units.

        Parameters
        ----------
        n : int
            How many.
        random_state : int, RandomState, Generator or None
            The same seed draws the same rows.
        noise : bool
            Whether to draw from p(x|z) instead of taking its mean.

        Returns
        -------
        ndarray of shape (n, F)

        Raises
        ------
        AttributeError
            If no part of the model has a prior.
        """
        on = self._ready()
        count = whole_number("n", n, 1)
        generator = Generator().manual_seed(validation.seed(random_state))
        assert self.network_.prior is not None
        codes = self.network_.prior.sample(count, self.latent_, generator, torch.empty(0, dtype=self._dtype))
        if not noise:
            return self.inverse_transform(codes.numpy())
        draw = Generator(on).manual_seed(int(torch.randint(2**62, (), generator=generator)))
        rows = Rows(codes.numpy(), dtype=self._dtype, device=on, resident=False)

        def drawn(z: Tensor) -> Tensor:
            return self.scaling_.inverse(self.network_.likelihood.sample(self.network_.decoder(z), draw).cpu())

        return tabular.as_given(self, self._map(drawn, rows, self.scaling_.numbers))

    def interpolate(self, a: Any, b: Any, steps: int = 8) -> Any:
        """Decode the points on the straight lines between the codes of rows a and b.

        Parameters
        ----------
        a, b : array-like of shape (F,) or (n, F), or frames
            The rows at either end.
        steps : int
            Points on each line, both ends included; at least 2.

        Returns
        -------
        ndarray of shape (steps, F) or (n, steps, F), in the data's own units. Where `fit` was given a frame, one of
        n · steps rows, line after line.
        """
        steps = whole_number("steps", steps, 2)
        alone = not tabular.frames.is_frame(a) and np.ndim(a) == 1
        ends = [
            self.transform(end if tabular.frames.is_frame(end) else np.atleast_2d(np.asarray(end))) for end in (a, b)
        ]
        if ends[0].shape != ends[1].shape:
            raise ValueError(f"a and b have to be as many rows; got {len(ends[0])} and {len(ends[1])}")
        share = np.linspace(0, 1, steps, dtype=ends[0].dtype)[:, None]
        lines = ends[0][:, None] * (1 - share) + ends[1][:, None] * share
        decoded = self.inverse_transform(lines.reshape(-1, self.latent_))
        if not isinstance(decoded, np.ndarray):
            return decoded
        decoded = decoded.reshape(len(lines), steps, -1)
        return decoded[0] if alone else decoded

    @available_if(
        fitted_with(lambda network: network.prior is not None and network.code.has_posterior, "GaussianCode and KL")
    )
    def log_likelihood(self, X: Any, importance_samples: int = 100, *, random_state: Any = 0) -> np.ndarray:
        """Estimate log p(x) of each row, (n,), in nats, by importance sampling from its posterior.

        log p(x) ≈ logsumexp_s [log p(x|z_s) + log p(z_s) - log q(z_s|x)] - log S, z_s ~ q(z|x), for p(z) = N(0, I)
        (Burda, Grosse and Salakhutdinov 2016): a lower bound on average, which rises to log p(x) with S. A row's noise
        depends on its own code alone, so that its number does not depend on the rows beside it.

        Parameters
        ----------
        X : array-like of shape (n, F)
        importance_samples : int
            S; thousands where the estimate is to be published.
        random_state : int, RandomState, Generator or None
            Of the noise.

        Raises
        ------
        AttributeError
            If the code has no posterior or the model no prior.
        """
        samples = whole_number("importance_samples", importance_samples, 1)
        rows, volume = self._scored(X)
        generator = Generator().manual_seed(validation.seed(random_state))
        uniform = torch.empty(samples, self.latent_, dtype=torch.float64).uniform_(generator=generator).to(rows.device)
        log_weights = self._map(lambda x: importance_weighted(self.network_, x, uniform), rows, None)
        return log_weights.astype(np.float64) - volume

    @available_if(fitted_with(has_codewords, "a code with a codebook: VectorQuantizer or FSQ"))
    def indices(self, X: Any) -> np.ndarray:
        """Return which codewords stand for each row, (n, groups), whole numbers.

        Raises
        ------
        AttributeError
            If the code has no codebook.
        """
        rows = self._rows(self._known(X), resident=False)
        network: Any = self.network_
        groups = network.code.indices(network.activate(rows.scaled(rows.raw[:1]))).shape[1]
        chosen = self._map(lambda x: network.code.indices(network.activate(x)), rows, groups)
        return chosen.astype(np.int64)


def importance_weighted(network: Network, x: Tensor, uniform: Tensor) -> Tensor:
    """Return the importance-weighted log-likelihood (B,) of rows x (B, F) with S points `uniform` (S, K) in [0, 1)."""
    posterior = network.encode(x).posterior
    assert isinstance(posterior, Normal)
    # Every row moves the points around the unit cube by digits of its own code (Cranley and Patterson 1976): noise that
    # differs between rows, so that their errors cancel in a mean, and is the same wherever a row stands.
    shift = torch.frac(posterior.mean.double() * DIGITS)
    total = torch.full((len(x),), -math.inf, dtype=torch.float64, device=x.device)
    for point in uniform:
        place = torch.remainder(point + shift, 1).clamp(LEAST, 1 - LEAST)
        epsilon = torch.special.ndtri(place).to(x)
        z = posterior.mean + posterior.stddev * epsilon
        # log p(z) - log q(z|x), whose ½ log 2π cancel.
        ratio = (0.5 * (epsilon.square() - z.square()) + torch.log(posterior.stddev)).sum(1)
        total = torch.logaddexp(total, (ratio - network.likelihood.nll(x, network.decoder(z))).double())
    return total - math.log(len(uniform))
