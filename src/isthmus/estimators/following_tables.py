"""Following a stream of tables of several kinds of columns: their units, and what the encoder sees of them."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

import torch
from torch import Tensor

from isthmus.core.modules import Stack
from isthmus.core.network import Network
from isthmus.data.columns import Columns
from isthmus.data.rows import Rows
from isthmus.data.scaling import positive
from isthmus.data.stream_moments import Block, Change, ColumnMoments, StreamMoments, jumps
from isthmus.data.tables import TableScaling
from isthmus.data.widening import Widening
from isthmus.estimators.following import blocks
from isthmus.estimators.rescaling import UnitChange, rescale_first, rescale_last
from isthmus.estimators.stream_state import StreamState
from isthmus.parts.likelihoods import GaussianLikelihood
from isthmus.parts.mixed_likelihood import MixedLikelihood

STATISTICS = 4
"""Of each cell: its value, what the encoder sees of it, and two scores under the mean of its column."""


@torch.no_grad()
def follow_table(
    network: Network, scaling: TableScaling, stream: StreamState, rows: Rows, seen_before: float
) -> tuple[TableScaling, Change, bool]:
    """Add rows to the running moments of a table's cells, and let the units and the network follow them.

    Real columns with a Gaussian likelihood are standardised by all rows of the stream that count. What the encoder sees
    of other columns, and their weights in the objective, follow in the same way. As for tables of numbers, the outer
    layers absorb small changes, and keep their weights at a jump.

    Parameters
    ----------
    network, stream
        Of the model, changed in place.
    scaling
        Of the model; it stays as it is.
    rows
        The chunk, not scaled.
    seen_before
        Rows that the model was trained on, from which the moments are taken if the stream begins with this chunk.

    Returns
    -------
    TableScaling
        The one that follows.
    Change
        How the cells changed.
    bool
        Whether the units of some cell jumped.
    """
    likelihood = network.likelihood
    assert isinstance(likelihood, MixedLikelihood), "a table of several kinds has the likelihood Mixed"
    if not stream.moments.rows:
        stream.moments = moments_of(scaling, likelihood, seen_before)
    free, cells = free_cells(scaling, likelihood), scaling.cells
    known = stream.moments.all.part(cells, 2 * cells)
    widening = Widening(scaling)
    group = scaling.feature_group.repeat(STATISTICS)
    telling = torch.arange(len(group)) < 2 * cells
    change = stream.moments.add(statistics(scaling, likelihood, stream.moments, rows, widening), group, telling)
    shift, scale = cell_units(scaling)
    new_shift, new_scale = free_units(stream.moments, scaling, free)
    old = encoder_units(likelihood, shift, scale)
    centre, gain = likelihood.centre.clone(), likelihood.gain.clone()
    look(likelihood, stream.moments, free, new_shift, new_scale)
    new = encoder_units(likelihood, new_shift, new_scale)
    moving = stream.moments.all.part(cells, 2 * cells).deviation > 0
    jumped = jumps(old[1], new[1], new[0] - old[0]) | ((known.deviation == 0) & moving)
    if isinstance(network.encoder, Stack) and isinstance(network.decoder, Stack):
        rescale_first(network, stream.optimiser, UnitChange.between(*old, *new).only(~jumped))
        small = UnitChange.between(shift, scale, new_shift, new_scale).only(~jumped)
        rescale_outputs(network, likelihood, stream, small, free)
    else:
        new_shift, new_scale = torch.where(jumped, new_shift, shift), torch.where(jumped, new_scale, scale)
        likelihood.centre.copy_(torch.where(jumped.to(centre.device), likelihood.centre, centre))
        likelihood.gain.copy_(torch.where(jumped.to(gain.device), likelihood.gain, gain))
        new = encoder_units(likelihood, new_shift, new_scale)
    if stream.components is not None:
        stream.components.change_units(*UnitChange.between(*old, *new))
    return TableScaling(in_units(widening.columns, scaling, new_shift, new_scale)), change, bool(jumped.any())


def free_cells(scaling: TableScaling, likelihood: MixedLikelihood) -> Tensor:
    """Return which cells (F,) may be given other units: real values, each with a variance of its own."""
    free, start = torch.zeros(scaling.cells, dtype=torch.bool), 0
    for family, size in zip(likelihood.members(), likelihood.sizes, strict=True):
        plain = type(family) is GaussianLikelihood and family.activation == "identity" and family.mode == "columns"
        free[start : start + size] = plain
        start += size
    return free & (torch.arange(scaling.cells) < len(scaling.real))


def cell_units(scaling: TableScaling) -> tuple[Tensor, Tensor]:
    """Return shift and scale of each cell, (F,): those of real values, and 0 and 1 for the others."""
    shift, scale = torch.zeros(scaling.cells, dtype=torch.float64), torch.ones(scaling.cells, dtype=torch.float64)
    shift[: len(scaling.real)], scale[: len(scaling.real)] = scaling.mean, scaling.deviation
    return shift, scale


def encoder_units(likelihood: MixedLikelihood, shift: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Return shift and scale, (F,), with which the encoder sees cells of these units."""
    centre, gain = likelihood.centre.cpu(), likelihood.gain.cpu()
    return shift + centre * scale, scale / gain


def statistics(
    scaling: TableScaling, likelihood: MixedLikelihood, moments: StreamMoments, rows: Rows, widening: Widening
) -> Iterator[Block]:
    """Yield `STATISTICS` numbers of each cell, (b, 4F), NaN where a value is missing, and the weights of rows (b,)."""
    measure, free = deepcopy(likelihood).cpu(), free_cells(scaling, likelihood)
    shift, scale = cell_units(scaling)
    variance = moments.all.part(0, scaling.cells).variance / scale.square()
    for raw, weight in blocks(rows):
        widening.look(raw)
        x = scaling(raw, torch.float64)
        filled = measure.filled(x)
        values = x * scale + shift
        seen = torch.where(free, values, measure.transformed(filled))
        found = torch.cat([values, seen, *measure.scores_of_mean(filled, variance)], dim=1)
        yield torch.where(x.isnan().repeat(1, STATISTICS), torch.nan, found), weight


def free_units(moments: StreamMoments, scaling: TableScaling, free: Tensor) -> tuple[Tensor, Tensor]:
    """Return shift and scale of each cell, (F,), with those of free cells by the moments of the stream."""
    shift, scale = cell_units(scaling)
    values = moments.all.part(0, scaling.cells)
    known = free & (values.weight > 0)
    deviation = positive(values.deviation, torch.zeros_like(scale))
    return torch.where(known, values.mean, shift), torch.where(known, deviation, scale)


def look(likelihood: MixedLikelihood, moments: StreamMoments, free: Tensor, shift: Tensor, scale: Tensor) -> None:
    """Let what a likelihood knows of its columns be what the stream says, in units of this shift and scale (F,)."""
    cells = len(shift)
    values, seen, loss, deviance = (moments.all.part(n * cells, (n + 1) * cells) for n in range(STATISTICS))
    on = likelihood.middle.device
    likelihood.middle.copy_((values.mean - shift) / scale)
    centre = torch.where(free, (seen.mean - shift) / scale, seen.mean)
    spread = torch.where(free, seen.variance / scale.square(), seen.variance)
    scores = (torch.where(free, spread / 2, score.mean) for score in (loss, deviance))
    likelihood.scale_by(*(values.to(on) for values in (centre, spread, *scores)))


def rescale_outputs(
    network: Network, likelihood: MixedLikelihood, stream: StreamState, change: UnitChange, free: Tensor
) -> None:
    """Change the units of the decoder's outputs that are the means of free cells."""
    cell = output = 0
    for family, size in zip(likelihood.members(), likelihood.sizes, strict=True):
        if size and free[cell]:
            own = UnitChange(change.ratio[cell : cell + size], change.shift[cell : cell + size])
            rescale_last(network, stream.optimiser, own, output)
            assert isinstance(family, GaussianLikelihood), "free cells are Gaussian"
            family.variance /= own.ratio.to(family.variance).square()
        cell, output = cell + size, output + family.outputs


def in_units(columns: Columns, scaling: TableScaling, shift: Tensor, scale: Tensor) -> Columns:
    """Return the columns with this shift and scale (F,) of their real values."""
    found = list(columns)
    for cell, index in enumerate(scaling.real):
        found[index] = replace(found[index], mean=float(shift[cell]), deviation=float(scale[cell]))
    return Columns(found)


def moments_of(scaling: TableScaling, likelihood: MixedLikelihood, rows: float) -> StreamMoments:
    """Return the moments that a model trained on so many rows knows of its cells, as `statistics` has them."""
    shift, scale = cell_units(scaling)
    middle, centre, gain = (t.cpu() for t in (likelihood.middle, likelihood.centre, likelihood.gain))
    columns = [scaling.columns[index] for index in scaling.feature_group.tolist()]
    constant = torch.tensor([column.smallest == column.largest for column in columns])
    real = torch.arange(scaling.cells) < len(scaling.real)
    free = free_cells(scaling, likelihood)
    share = (middle * (1 - middle)).clamp_min(0)
    of_seen = torch.where(likelihood.in_block.cpu(), share, torch.where(constant, 0.0, 1 / gain.square()))
    variances = torch.where(constant, 0.0, torch.where(real, scale.square(), share))
    first = torch.zeros(scaling.cells, dtype=torch.float64)
    first[likelihood.first.cpu()] = 1.0
    scores = [first * 0.5 / weight.cpu() for weight in (likelihood.column_weight, likelihood.deviance_weight)]
    means = [middle * scale + shift, torch.where(free, middle * scale + shift, centre), *scores]
    spreads = [variances, torch.where(free, variances, of_seen), *(torch.zeros_like(first) for _ in scores)]
    weight = torch.tensor([rows * (1 - column.missing) for column in columns], dtype=torch.float64).repeat(STATISTICS)
    mean = torch.cat(means)
    return StreamMoments.of(ColumnMoments(weight, mean, torch.cat(spreads) * weight), rows, mean, mean)
