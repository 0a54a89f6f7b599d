"""Whether a network makes held-out rows more probable than the closed form that may take its place."""

from dataclasses import replace

import numpy as np
import torch

from isthmus.data.rows import table_of
from isthmus.data.schema import TableSchema
from isthmus.engine.compute import Compute
from isthmus.estimators.building import Built
from isthmus.estimators.fitted_model import FittedModel, TrainingRecord
from isthmus.estimators.generation import log_likelihood
from isthmus.estimators.inference import Inference
from isthmus.estimators.marginal import learned_marginal

ROWS, SAMPLES = 256, 32
"""Held-out rows that are looked at, at most, and importance samples per row."""


def is_denser(network: Built, components: Built, schema: TableSchema, record: TrainingRecord, machine: Compute) -> bool:
    """Whether log p(x) of held-out rows is higher under a network than under components, beyond one standard error.

    Errors alone do not tell: two reconstructions with the same sum of squares may spread it over columns and rows in
    ways of which one is far more probable, and it is log p(x) by which sizes are chosen.

    Parameters
    ----------
    network, components
        What was built, with the trained network and with the components in its place.
    schema
        What was learned of the table.
    record
        Of the training.
    machine
        Where to compute.
    """
    own = log_densities(network, schema, record, machine)
    theirs = log_densities(components, schema, record, machine)
    if own is None or theirs is None:
        return False
    gain = own - theirs
    if not np.isfinite(gain).all():
        return False
    return bool(gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)))


def log_densities(built: Built, schema: TableSchema, record: TrainingRecord, machine: Compute) -> np.ndarray | None:
    """Return log p(x) of held-out rows, (m,); None if it cannot be told, or of fewer than two rows."""
    held_out = built.validation[:ROWS]
    if len(held_out) < 2:
        return None
    marginal = learned_marginal(built.network, built.rows, built.training, built.validation)
    if marginal is None:
        return None
    units = built.units
    own = replace(record, marginal=marginal)
    model = FittedModel(schema, units.scaling, built.composition, built.network, units.dtype, own)
    rows = table_of(built.rows.table.take(held_out).cpu().numpy())
    try:
        return log_likelihood(Inference(model, machine), rows, SAMPLES, 0)
    except torch.linalg.LinAlgError:  # a decoder so steep, or a variance so small, that a posterior has no width
        return None
