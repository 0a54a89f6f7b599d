"""What all objectives of autoencoders share: a first look at the data, their spaces, and networks in training."""

import warnings
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch
from sklearn.base import BaseEstimator, clone
from torch import Tensor

from isthmus.core.network import Network
from isthmus.data.reading import read_table
from isthmus.data.rows import Rows
from isthmus.data.scaling import Scaling
from isthmus.engine.callbacks import TrainingRun
from isthmus.estimators import AutoEncoder, rules
from isthmus.estimators.fitted_model import FittedModel
from isthmus.parts.corruptions import GaussianNoise, Masking
from isthmus.parts.penalties import WeightDecay
from isthmus.tasks.tuning.objective import Data, Objective, Space
from isthmus.tasks.tuning.splitting import Part

LONGER = 4
"""How many times the epochs the defaults get in the trial of their own."""
MOST_WATCHED = 500
"""Held-out rows that are looked at while a network is trained."""
LEAST_LATENT = 1
WIDTHS = [(128,), (256,), (512,), (256, 128), (512, 256)]
"""Hidden layers for rows of columns."""
WIDTHS_OF_COUNTS = [(128,), (), (64,), (256,), (512,)]
CALLER = "tune"


def fitted_model(fitted: BaseEstimator) -> FittedModel:
    """Return the model of a fitted autoencoder."""
    assert isinstance(fitted, AutoEncoder), "objectives refuse other models"
    model = fitted.fitted_model()
    assert model is not None, "it is fitted"
    return model


class AutoEncoderObjective(Objective):
    """An objective by which autoencoders are compared."""

    presets: ClassVar[tuple[str | None, ...]] = ()
    """The presets of `zoo` to search by default; None is the model as it was given."""

    def __init__(self, model: BaseEstimator, data: Data) -> None:
        super().__init__(model, data)
        self.refuse(model)
        self.autoencoder: AutoEncoder = clone(model)

    @classmethod
    def refuse(cls, model: BaseEstimator) -> None:
        """Refuse anything but an autoencoder."""
        if not isinstance(model, AutoEncoder):
            raise ValueError(f"objective={cls.name!r} compares autoencoders, and model is {type(model).__name__}")

    @cached_property
    def look(self) -> FittedModel:
        """The model as it was given, after one epoch: scaling, likelihood and the size of the code do not change."""
        first = clone(self.model).set_params(epochs=1, patience=None, floor="tell", callbacks=(), verbose=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return fitted_model(first.fit(self.data.rows(self.data.split.parts[0].training)))

    def prepare(self, searched: set[str]) -> None:
        """Take the first look, so that data which cannot be learned from are told of at once."""
        _ = self.look

    def fixed(self, searched: set[str]) -> dict[str, object]:
        """Fix the size of the code, unless it is searched: more numbers always reconstruct better."""
        return {} if "latent" in searched else {"latent": self.look.latent}

    def space(self) -> Space:
        """Return widths, learning rate, epochs, penalties, and the presets and corruptions that suit the data."""
        model, found = self.autoencoder, Space()
        if self.offered_presets:
            found["preset"] = list(self.offered_presets)
        if model.encoder is None and model.decoder is None:
            found["hidden"] = with_own(model.hidden, WIDTHS_OF_COUNTS if self.counts else WIDTHS)
        found["learning_rate"] = (1e-3, 2e-2, "log")
        epochs = self.epochs
        found["epochs"] = with_own(model.epochs, [2 * epochs, LONGER * epochs])
        if model.penalty is None:
            found["penalty"] = [None, WeightDecay(1e-4), WeightDecay(1e-3)]
        if rules.is_auto(model.corruption) and rules.corruption(model, self.look.schema) is None:
            noise = [Masking(0.3), Masking(0.5)] if self.counts else [GaussianNoise(0.1)]
            found["corruption"] = ["auto", *noise]
        return found

    @property
    def offered_presets(self) -> tuple[str | None, ...]:
        """The presets to search by default; with convolutions for images."""
        model = self.autoencoder
        if model.encoder is not None or model.decoder is not None or model.code != "deterministic" or model.penalty:
            return ()
        if self.look.schema.columns is not None or self.counts:
            return tuple(name for name in self.presets if name not in ("contractive",)) if len(self.presets) > 1 else ()
        return (*(self.presets or (None,)), "convolutional") if self.look.schema.row_shape else self.presets

    @property
    def counts(self) -> bool:
        """Whether rows are counts."""
        return bool(self.look.network.likelihood.whole)

    @property
    def epochs(self) -> int:
        """How many epochs the defaults train for, at most."""
        rows = len(self.data.split.parts[0].training)
        validated = rules.automatic_validation(rows)
        return rules.plan(self.autoencoder, rows - validated, validated).epochs

    def longer(self, model: BaseEstimator) -> BaseEstimator | None:
        """Return the model with four times the epochs."""
        return clone(model).set_params(epochs=LONGER * self.epochs)

    def size(self, fitted: BaseEstimator) -> tuple[int, int]:
        """Return the size of the code and the number of weights."""
        model = fitted_model(fitted)
        return model.latent, model.weights

    # -- networks in training -----------------------------------------------------------------------------------------

    def watched(self, run: TrainingRun, part: Part) -> float | None:
        """Return the mean loss on some held-out rows of a network in training."""
        network = run.network
        assert isinstance(network, Network), "autoencoders train networks"
        training = network.training
        network.eval()
        try:
            with torch.no_grad():
                return self.loss_in_training(network, run, part)
        finally:
            network.train(training)

    def loss_in_training(self, network: Network, run: TrainingRun, part: Part) -> float | None:
        """Return what `watched` does, of a network in evaluation mode."""
        return None

    def scaling_of(self, run: TrainingRun) -> Scaling:
        """Return the scaling of a training run; of rows that were scaled once, that of the first look."""
        return self.look.scaling if run.rows.scaling is None else run.rows.scaling

    def scaled(self, run: TrainingRun, rows: np.ndarray) -> Tensor:
        """Return the rows at these positions in the network's units."""
        table = read_table(self.data.rows(rows), self.look.schema, caller=CALLER)
        own = Rows(table, None, self.scaling_of(run), run.rows.dtype, run.rows.device, resident=False)
        return own.batch(torch.arange(len(table)))[0]


def with_own(own: object, others: Sequence[object]) -> list[object]:
    """Return choices, the user's own first."""
    return [own, *(other for other in others if other != own)]
