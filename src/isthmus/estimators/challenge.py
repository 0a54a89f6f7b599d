"""The floor of a stream: on rows that neither has seen, a start at PCA of the stream may beat the network."""

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy

import torch
from torch import Generator, Tensor

from isthmus.core.contract import batch_mean
from isthmus.core.initialisation import initialise, pca_obstacle
from isthmus.core.network import Network
from isthmus.core.principal import WIDEST_EXACT, PrincipalComponents
from isthmus.data.rows import Batch, Rows
from isthmus.data.stream_components import Sketch, StreamComponents
from isthmus.data.stream_moments import LEAST_ROWS, Block, Change
from isthmus.engine.term_sums import sum_of
from isthmus.estimators.building import fix_variance, start_code
from isthmus.estimators.parameters import Parameters

CLEARLY = 2.0
"""A start at PCA takes the network's place if its objective is less by that many standard errors."""
COMPARED = 1024
LEAST_COMPARED = 10
"""Rows on which the two are compared, at most and at least."""


def floor_of(parameters: Parameters, network: Network, cells: int) -> StreamComponents | None:
    """Return the components of a stream that begins; None if a start at PCA is no floor, or these are too wide."""
    # Penalties with networks of their own would begin anew too, and judge the two by different measures.
    learned = any(parameter.numel() for demand in network.demands for parameter in demand.parameters())
    if parameters.init != "pca" or learned or cells > WIDEST_EXACT or pca_obstacle(network) is not None:
        return None
    return StreamComponents.start(cells, network.code.latent)


def challenge(network: Network, components: StreamComponents, rows: Rows, change: Change, seed: int) -> bool:
    """Begin at PCA of the stream again if that is clearly better on new rows than the network; return whether.

    The rows are added to the components in any case.

    Parameters
    ----------
    network
        Changed in place.
    components
        Of the stream so far.
    rows
        The new rows, in the network's units.
    change
        How they changed the columns of the stream.
    seed
        For the weights that PCA leaves free.
    """
    index = compared_rows(rows)
    chunk = sketch_of(network, components, rows)
    sketches = starts(network, components, rows, index, change) if len(index) >= LEAST_COMPARED else []
    start = best_start(network, sketches, rows, index, change, seed)
    components.add(chunk, change)
    if start is None:
        return False
    # The rows have been compared on, and may now be learned from.
    learned = components.all if start is sketches[0] else start.joined(chunk, components.most)
    principal = learned.principal(network.code.latent)
    if principal is None:
        return False
    network.load_state_dict(started(network, principal, rows.batch(index), seed).state_dict())
    fix_variance(network, rows, index)
    return True


def compared_rows(rows: Rows) -> Tensor:
    """Return the positions of rows on which network and start are compared: evenly spaced, or the first of a source."""
    count = min(len(rows), COMPARED)
    last = count - 1 if rows.table.streamed else len(rows) - 1
    return torch.linspace(0, last, count).round().long()


def sketch_of(network: Network, components: StreamComponents, rows: Rows) -> Sketch:
    """Return the sketch of rows in the network's units."""
    return Sketch.of(lambda: as_seen(network, rows.blocks(rows.block)), len(rows), components.features, components.most)


def starts(network: Network, components: StreamComponents, rows: Rows, index: Tensor, change: Change) -> list[Sketch]:
    """Return what a start may be computed from: the stream, and its recent rows, of which a drift has less behind it.

    Where a column has grown, these know nothing of it, and every second row to compare on takes their place.
    """
    if change.grown.any():
        some = rows.batch(index[::2])
        half = Sketch.of(lambda: as_seen(network, [some]), len(some[0]), components.features, components.most)
        return [half]
    recent = [components.recent] if components.recent.weight >= LEAST_ROWS and components.older.weight else []
    return [components.all, *recent]


def best_start(
    network: Network, sketches: Sequence[Sketch], rows: Rows, index: Tensor, change: Change, seed: int
) -> Sketch | None:
    """Return from which sketch a start at PCA is best on the rows at these positions; None if the network is."""
    # Some likelihoods fit their first output to rows, which are then no fair judges.
    fitted = network.likelihood.starts_linear or network.likelihood.activation != "identity"
    some, compared = rows.batch(index[::2]), index[1::2] if fitted or change.grown.any() else index
    x, weight = rows.batch(compared)
    best, loss = None, objective(network, x, weight) if sketches else torch.empty(0)
    for sketch in sketches:
        principal = sketch.principal(network.code.latent)
        if principal is not None:
            own = objective(started(network, principal, some, seed), x, weight)
            if clearly_less(own, loss, weight):
                best, loss = sketch, own
    return best


def as_seen(network: Network, batches: Iterable[Batch]) -> Iterator[Block]:
    """Yield batches as an encoder sees their columns, in float64 on the processor."""
    likelihood = network.likelihood
    for x, weight in batches:
        seen = likelihood.encoder_input(x)[:, : x.shape[1]] if likelihood.starts_linear else x
        yield seen.cpu().double(), None if weight is None else weight.cpu().double()


@torch.no_grad()
def started(network: Network, principal: PrincipalComponents, sample: Batch, seed: int) -> Network:
    """Return a copy of a network that starts at principal components."""
    x, weight = sample
    rival, generator = deepcopy(network).cpu(), Generator().manual_seed(seed)
    initialise(rival, "pca", generator, principal, x.cpu(), None if weight is None else weight.cpu())
    start_code(rival, sample, generator)
    return rival.to(x.device)


def objective(network: Network, x: Tensor, weight: Tensor | None) -> Tensor:
    """Return the objective of each row of x (B, F) with weights (B,); the network stays as it is."""
    twin = deepcopy(network).eval()
    # An optimal variance is that of these rows, not one that is still on its way.
    twin.likelihood.train()
    twin.seed(Generator(x.device).manual_seed(0))
    # Some penalties differentiate, or train something of their own, in a step.
    with torch.enable_grad():
        return sum_of(twin.terms(x, weight).values()).detach().double()


def clearly_less(own: Tensor, other: Tensor, weight: Tensor | None) -> bool:
    """Whether one objective of rows, (B,), is on average less than another by more than chance."""
    if not other.isfinite().all():
        return bool(own.isfinite().all())
    less = other - own
    mean = batch_mean(less, weight)
    error = (batch_mean((less - mean).square(), weight) / len(less)).sqrt()
    return bool(mean > CLEARLY * error)
