"""The objective "score": the log-density of held-out rows, by which the size of the code can be chosen."""

import numpy as np
from sklearn.base import BaseEstimator

from isthmus.estimators import AutoEncoder
from isthmus.estimators.generation import has_density
from isthmus.estimators.log_marginal import SAMPLES
from isthmus.tasks.tuning.autoencoder_objective import LEAST_LATENT, AutoEncoderObjective, fitted_model
from isthmus.tasks.tuning.objective import Space, objective

MOST_LATENT = 128
"""The largest code that is tried by default."""


@objective("score")
class Score(AutoEncoderObjective):
    """log p(x) of held-out rows, in nats per row and in the data's own units: what `AutoEncoder.score` is the mean of.

    A code's numbers must be guessed from their distribution, so that numbers which only carry noise cost more than they
    bring: the size of the code can be searched. Densities can be compared with each other, also between likelihoods,
    but not with probabilities (Bernoulli, counts): a trial with another kind of likelihood than the defaults, or a code
    that has no density (sparse, discrete), fails and is told of.
    """

    measure = "log-density (nats per row)"
    sign = -1.0
    presets = (None, "variational")

    @classmethod
    def suits(cls, model: BaseEstimator, labels: bool) -> bool:
        """Suit nothing by itself; `tune` takes it where the size of the code is searched."""
        return False

    def prepare(self, searched: set[str]) -> None:
        """Take the first look; refuse codes without a density."""
        super().prepare(searched)
        if not has_density(self.look):
            raise ValueError("objective='score' needs codes with a density, and those of model have none: take 'error'")

    def space(self) -> Space:
        """Search the size of the code, too."""
        most = max(LEAST_LATENT + 1, min(self.look.composition.cells - 1, 4 * self.look.latent, MOST_LATENT))
        found = {"latent": (LEAST_LATENT, most, "log"), **super().space()}
        found.pop("corruption", None)
        return found

    def losses(self, fitted: BaseEstimator, rows: np.ndarray, training: np.ndarray) -> np.ndarray:
        """Return minus the log-density of each row."""
        assert isinstance(fitted, AutoEncoder), "objectives refuse other models"
        model = fitted_model(fitted)
        if not has_density(model):
            raise ValueError("its codes have no density, so that it has no score to compare")
        if model.network.likelihood.density != self.look.network.likelihood.density:
            raise ValueError("its likelihood is a density and that of the defaults a probability, or the reverse")
        return -fitted.log_likelihood(self.data.rows(rows), SAMPLES)
