"""`Beginning`: from parameters and a first look at the data to a network with its first weights."""

import math
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from isthmus.core.choices import refuse_unknown
from isthmus.core.initialisation import initialise, pca_obstacle
from isthmus.core.likelihood import LikelihoodModule
from isthmus.core.principal import WIDEST_EXACT, PrincipalComponents, principal_components
from isthmus.data.lazy_index import LazyIndex
from isthmus.data.moments import RunningMoments
from isthmus.data.rows import Rows
from isthmus.data.scaling import Summary, scaling
from isthmus.data.sparse import SparseTable
from isthmus.data.sparse_principal import sparse_principal_components
from isthmus.data.tables import TableScaling
from isthmus.engine import devices
from isthmus.engine.compute import compute
from isthmus.engine.history import History
from isthmus.engine.inference import BLOCK, column_errors, loss_ratio
from isthmus.engine.trainer import Plan
from isthmus.estimators import health, rules, tabular, validation
from isthmus.estimators.pretraining import pretrain
from isthmus.estimators.validation import Table
from isthmus.parts.backbones import Dense
from isthmus.parts.composition import compose, part

SAMPLE, SAMPLE_CELLS = 2048, 2**20
"""Rows at most, and cells about, on which the output's gain, the range of codes and the first variance are fitted."""


class Beginning:
    """The part of `AutoEncoder` that chooses scaling and likelihood, and makes a network with its first weights."""

    latent: Any
    hidden: tuple[int, ...]
    activation: str
    encoder: Any
    decoder: Any
    code: Any
    likelihood: Any
    penalty: Any
    objective: Any
    init: str
    scale: str | None
    compute: Any
    random_state: Any
    n_features_in_: int
    latent_: int
    network_: Any
    history_: History
    scaling_: Any
    likelihood_: Any
    _dtype: torch.dtype
    _seen: RunningMoments

    def _begin(
        self, X: Table, weight: np.ndarray | None, judged: int, plan: Plan
    ) -> tuple[Rows, Tensor | LazyIndex, Tensor, Generator]:
        """Look at the data, build the network and initialise it; return rows, training and validation index."""
        refuse_unknown("init", self.init, rules.INITS)
        generator = Generator().manual_seed(validation.seed(self.random_state))
        # Its own, so that the first weights do not depend on how many rows there are to shuffle.
        weights_generator = Generator().manual_seed(int(torch.randint(2**62, (), generator=generator)))
        self._look_at(X, weight)
        rows = self._rows(X, weight)
        looked_at = rows.most_held(rules.principal_rows(self.scaling_.cells))
        judges, index = rows.draw(judged, max(looked_at, health.MOST), generator)
        some = index[: max(BLOCK, min(SAMPLE, SAMPLE_CELLS // self.scaling_.cells))]
        sample, sample_weight = rows.batch(some)

        network = principal = None
        if not rules.is_share(self.latent):
            self.latent_ = rules.latent_size(self, self.scaling_.cells, None)
            network = self._compose()
        if network is None or (self.init == "pca" and pca_obstacle(network) is None):
            principal = self._principal(rows, index, (sample, sample_weight), weights_generator)
        if network is None:
            self.latent_ = rules.latent_size(self, self.scaling_.cells, principal)
            network = self._compose()
        network.likelihood.look(sample.cpu(), None if sample_weight is None else sample_weight.cpu())
        history = History()
        history.init = initialise(
            network,
            "orthogonal" if self.init == "layerwise" else self.init,
            weights_generator,
            None if principal is None else principal.first(self.latent_),
            sample.cpu(),
            None if sample_weight is None else sample_weight.cpu(),
        )
        if self.init == "layerwise":
            history.init = pretrain(network, rows, index, plan, self.likelihood_, weights_generator)
        if history.init.startswith("pca") and len(index) > looked_at:
            history.init += f", of {looked_at:,} of the {len(index):,} rows"
        counted = sample if sample_weight is None else sample[sample_weight > 0]
        with torch.no_grad():
            network.code.start(network.eval().activate(counted.cpu()), weights_generator)
        self.network_, self.history_ = network.to(rows.device), history
        rows.hold(torch.cat([judges, index[: health.MOST]]))
        self._fix_variance(rows, some)
        return rows, index, judges, generator

    def _look_at(self, X: Table, weight: np.ndarray | None) -> None:
        """Choose the scaling, the likelihood and the number type by the data."""
        raw, machine = Rows(X, weight), compute(self.compute)
        self._dtype = devices.number_type(machine.precision, machine.on, not raw.narrow, math.prod(X.shape))
        if hasattr(self, "columns_"):
            self._seen = RunningMoments(self.n_features_in_)
            self.scaling_ = TableScaling(self.columns_)
            self.likelihood_ = tabular.likelihood(self.scaling_)
            return
        summary = raw.summary()
        self._seen = RunningMoments.of(summary, float(len(raw)))
        given = None if rules.is_auto(self.likelihood) else part("likelihood", self.likelihood)
        counts = given is not None and given.build(self.n_features_in_).whole
        scale = "none" if counts and rules.is_auto(self.scale) else self.scale
        self.scaling_, _ = scaling(scale, summary, raw.raw.dtype)
        self.likelihood_ = rules.likelihood(summary, self.scaling_) if given is None else given
        self._refuse_outside(summary, self.likelihood_.build(self.n_features_in_))

    def _refuse_outside(self, summary: Summary, likelihood: LikelihoodModule) -> None:
        names, kind = getattr(self, "feature_names_in_", None), type(self.likelihood_).__name__
        validation.refuse_outside(likelihood, kind, summary, self.scaling_, names)

    def _threads_to_begin(self, X: Table) -> AbstractContextManager[None]:
        """Work on the products of principal components: with as many threads as there may be, where they are large."""
        rows, columns = X.shape
        return devices.threads(devices.thread_count(compute(self.compute).threads, 2.0 * rows * columns**2))

    def _threads(self, rows: int) -> AbstractContextManager[None]:
        """Work in steps of so many rows."""
        return devices.threads(devices.thread_count(compute(self.compute).threads, self._operations(rows)))

    def _thread_counts(self, rows: int) -> list[int]:
        """Return the numbers of threads to choose from for training in steps of so many rows."""
        return devices.thread_counts(compute(self.compute).threads, self._operations(rows))

    def _operations(self, rows: int) -> float:
        """Floating-point operations of a step on so many rows."""
        return 6.0 * rows * sum(parameter.numel() for parameter in self.network_.parameters())

    def _rows(self, X: Table, weight: np.ndarray | None = None, *, resident: bool = True) -> Rows:
        on = compute(self.compute).on
        return Rows(X, weight, self.scaling_, self._dtype, on, resident and devices.fits(on, getattr(X, "nbytes", 0)))

    def _compose(self) -> Any:
        """Build the network, on the processor, with its weights still to be written."""
        encoder = self.encoder if self.encoder is not None else Dense(self.hidden, self.activation)
        with torch.device("cpu"):
            network = compose(
                self.scaling_.cells,
                self.latent_,
                encoder=encoder,
                decoder=self.decoder,
                code=self.code,
                likelihood=self.likelihood_,
                corruption=rules.corruption(self),
                penalty=self.penalty,
                objective=self.objective,
            )
        return network.to(self._dtype)

    def _principal(
        self, rows: Rows, index: Tensor | LazyIndex, sample: tuple[Tensor, Tensor | None], generator: Generator
    ) -> PrincipalComponents:
        """Return the principal components of the training rows, or of many of them, as an encoder sees them."""
        rank = None if rules.is_share(self.latent) else self.latent_
        cells = self.scaling_.cells
        some = index[: rows.most_held(rules.principal_rows(cells))]
        if isinstance(rows.raw, SparseTable) and cells > WIDEST_EXACT:
            return sparse_principal_components(rows, some, rank, generator)
        likelihood = self.likelihood_.build(cells).to(rows.device)
        blocks = some.split(rows.block)
        if not likelihood.starts_linear:
            return principal_components(lambda: map(rows.batch, blocks), cells, rank, generator)
        likelihood.look(*sample)

        def seen(block: Tensor) -> tuple[Tensor, Tensor | None]:
            x, weight = rows.batch(block)
            return likelihood.encoder_input(x)[:, :cells], weight

        return principal_components(lambda: map(seen, blocks), cells, rank, generator)

    def _fix_variance(self, rows: Rows, index: Tensor | LazyIndex) -> None:
        """Set optimal variances to the mean squared errors over the rows of that index."""
        share = loss_ratio(self.network_.eval(), rows, index)
        if share is not None:
            self.network_.likelihood.set_loss_ratio(share)
        self.network_.likelihood.set_spread(column_errors(self.network_.eval(), rows, index))
