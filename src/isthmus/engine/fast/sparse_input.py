"""Whether the first layer's products in training go over what is not 0 in a batch, in place of the whole of it."""

from typing import TYPE_CHECKING

import torch

from isthmus.core.modules import Stack
from isthmus.core.network import Network
from isthmus.data.rows import Rows

if TYPE_CHECKING:
    from isthmus.engine.trainer import Plan

MOST_FILLED = 0.01
"""Up to which share of cells that are not 0 it was faster than dense products; see docs/sparse.md."""
LEAST_PRODUCTS = 2**25
"""Multiplications in the first layer's product below which finding what is not 0 costs what is saved."""


def choose(network: Network, rows: Rows, plan: "Plan") -> bool:
    """Let a dense encoder skip zeros in training where it is faster; return whether it does.

    That is for sparse tables on the processor with at most 1 % of their cells filled, in the network's eyes as well (no
    shift in the scaling, no corruption, zeros that the likelihood shows the encoder as zeros), and first layers of more
    than 33 million multiplications a batch.
    """
    encoder = getattr(network, "encoder", None)
    if not isinstance(encoder, Stack):
        return False
    width, features = encoder.weights[0].shape
    encoder.skips_zeros = (
        rows.table.sparse
        and rows.device.type == "cpu"
        and rows.table.filled <= MOST_FILLED
        and (rows.scaling is None or not rows.scaling.shifted)
        and network.corruption is None
        and plan.precision != "bfloat16"
        and not plan.compiled
        and min(len(rows), plan.batch_size) * width * features >= LEAST_PRODUCTS
        and keeps_zeros(network, rows)
    )
    return encoder.skips_zeros


def keeps_zeros(network: Network, rows: Rows) -> bool:
    """Whether a row of zeros comes to the encoder as one."""
    nothing = torch.zeros(1, rows.features, dtype=rows.dtype)
    return not bool(network.likelihood.encoder_input(nothing).any())


def forget(network: Network) -> None:
    """Let the encoder make dense products again."""
    encoder = getattr(network, "encoder", None)
    if isinstance(encoder, Stack):
        encoder.skips_zeros = False
