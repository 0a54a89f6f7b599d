"""Zero skipping: in training on sparse rows the first layer multiplies only the cells that are not 0."""

import torch

from isthmus.core.modules import Stack
from isthmus.core.network import Network
from isthmus.core.trainable import Trainable
from isthmus.data.rows import Rows
from isthmus.engine.plan import Plan

MOST_FILLED = 0.01
"""Largest share of cells that are not 0 at which skipping was faster than dense products; see docs/sparse.md."""
LEAST_PRODUCTS = 2**25
"""Multiplications in the first layer's product below which finding the non-zero cells costs what is saved."""


def choose(network: Trainable, rows: Rows, plan: Plan) -> bool:
    """Let a dense encoder skip zeros in training where that is faster; return whether it does.

    It does for sparse tables on the processor with at most 1 % of their cells filled, where these zeros reach the
    encoder as zeros (no shift in the scaling, no corruption, no other value from the likelihood), and first layers of
    more than 33 million multiplications per batch.
    """
    encoder = dense_encoder(network)
    if encoder is None or not isinstance(network, Network):
        return False
    width, features = encoder.weights[0].shape
    encoder.skips_zeros = (
        mostly_zeros(rows)
        and rows.device.type == "cpu"
        and (rows.scaling is None or not rows.scaling.shifted)
        and network.corruption is None
        and plan.precision != "bfloat16"
        and not plan.compile
        and min(len(rows), plan.batch_size) * width * features >= LEAST_PRODUCTS
        and keeps_zeros(network, rows)
    )
    return encoder.skips_zeros


def dense_encoder(network: Trainable) -> Stack | None:
    """Return the encoder of an autoencoder if it is a stack of dense layers."""
    return network.encoder if isinstance(network, Network) and isinstance(network.encoder, Stack) else None


def mostly_zeros(rows: Rows) -> bool:
    """Whether the rows are a sparse table with few enough non-zero cells."""
    return rows.table.sparse and rows.table.filled <= MOST_FILLED


def keeps_zeros(network: Network, rows: Rows) -> bool:
    """Whether a row of zeros reaches the encoder as a row of zeros."""
    nothing = torch.zeros(1, rows.features, dtype=rows.dtype)
    return not bool(network.likelihood.encoder_input(nothing).any())


def stop(network: Trainable) -> None:
    """Let the encoder multiply all cells again."""
    encoder = dense_encoder(network)
    if encoder is not None:
        encoder.skips_zeros = False
