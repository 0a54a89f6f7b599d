"""Following: the units of a model go with the stream that it is trained on, and a start at PCA is its floor."""

from collections.abc import Iterator

import torch
from torch import Tensor

from isthmus.core.network import Network
from isthmus.data.rows import Rows
from isthmus.data.scaling import AffineScaling, positive
from isthmus.data.stream_moments import Block, Change, ColumnMoments, jumps
from isthmus.estimators.rescaling import UnitChange, can_rescale, rescale
from isthmus.estimators.stream_state import StreamState


def follow_numbers(network: Network, own: AffineScaling, stream: StreamState, rows: Rows) -> tuple[Change, bool]:
    """Add rows of numbers to the running moments, and let a standard scaling follow them; other scalings stay.

    The outer layers of a network absorb small changes of its units, and it computes the same function. If the spread
    of a column jumps, what the network did in the old units says nothing about the new values: its weights stay as
    they are, and do in the new units what they did in the old ones. Networks that can absorb nothing change their
    units only at a jump.

    Everything is changed in place, so that a model whose training fails later is still consistent.

    Parameters
    ----------
    network, own, stream
        The model of a table of numbers.
    rows
        The chunk, not scaled.

    Returns
    -------
    Change
        How the columns changed.
    bool
        Whether the units of some column jumped.
    """
    before = stream.moments.all
    change = stream.moments.add(blocks(rows))
    if not stream.follows:
        return change, False
    after = stream.moments.all
    shift, scale = standard(after)
    jumped = jumps(own.scale, scale, shift - own.shift) | ((before.deviation == 0) & (after.deviation > 0))
    if can_rescale(network):
        small = UnitChange.between(own.shift, own.scale, shift, scale).only(~jumped)
        rescale(network, stream.optimiser, small)
    else:
        shift, scale = torch.where(jumped, shift, own.shift), torch.where(jumped, scale, own.scale)
    if stream.components is not None:
        stream.components.change_units(*UnitChange.between(own.shift, own.scale, shift, scale))
    own.load_state_dict({"shift": shift, "scale": scale})
    own.refresh()
    return change, bool(jumped.any())


def standard(moments: ColumnMoments) -> tuple[Tensor, Tensor]:
    """Return shift and scale, (F,) each, that bring columns to mean 0 and deviation 1; constant ones are not scaled."""
    return moments.mean.clone(), positive(moments.deviation, torch.zeros_like(moments.mean))


def blocks(rows: Rows) -> Iterator[Block]:
    """Yield all rows in their order in float64, with their weights, on the processor."""
    for start in range(0, len(rows), rows.block):
        part = slice(start, start + rows.block)
        # Contiguous, so that the order of the sums does not depend on how the table lies in memory.
        x = rows.table[part].cpu().double().contiguous()
        yield x, None if rows.weight is None else rows.weight[part].cpu().double()
