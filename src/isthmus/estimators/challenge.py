"""The floor of a stream: on rows that neither has seen, a start at PCA of the stream may beat the network."""

from collections.abc import Iterable, Iterator
from copy import deepcopy

import torch
from torch import Generator, Tensor

from isthmus.core.contract import batch_mean
from isthmus.core.initialisation import initialise, pca_obstacle
from isthmus.core.network import Network
from isthmus.core.principal import WIDEST_EXACT, PrincipalComponents
from isthmus.data.rows import Batch, Rows
from isthmus.data.stream_components import Sketch, StreamComponents
from isthmus.data.stream_moments import Block, Change
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
    if parameters.init != "pca" or cells > WIDEST_EXACT or pca_obstacle(network) is not None:
        return None
    return StreamComponents.start(cells, network.code.latent)


def challenge(network: Network, components: StreamComponents, rows: Rows, change: Change, seed: int) -> bool:
    """Begin at PCA of the stream again if that is clearly better on new rows than the network; return whether.

    Where a column has grown, what was known of the stream is no start for it: half of the rows then show what PCA of
    the others is worth. The rows are added to the components in any case.

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
    beaten = len(index) >= LEAST_COMPARED and is_beaten(network, components, rows, index, change, seed)
    remember(network, components, rows, change)
    principal = components.principal(network.code.latent)
    if not beaten or principal is None:
        return False
    network.load_state_dict(started(network, principal, rows.batch(index), seed).state_dict())
    fix_variance(network, rows, index)
    return True


def remember(network: Network, components: StreamComponents, rows: Rows, change: Change) -> None:
    """Add rows, in the network's units, to the components of a stream."""
    components.add(lambda: as_seen(network, rows.blocks(rows.block)), len(rows), change)


def compared_rows(rows: Rows) -> Tensor:
    """Return the positions of rows on which network and start are compared: evenly spaced, or the first of a source."""
    count = min(len(rows), COMPARED)
    last = count - 1 if rows.table.streamed else len(rows) - 1
    return torch.linspace(0, last, count).round().long()


def is_beaten(
    network: Network, components: StreamComponents, rows: Rows, index: Tensor, change: Change, seed: int
) -> bool:
    """Whether a start at PCA is clearly better than the network on the rows at these positions."""
    some, others = index[::2], index[1::2]
    anew = bool(change.grown.any())
    if anew:
        half = Sketch.of(lambda: as_seen(network, [rows.batch(some)]), len(some), components.features, components.most)
    principal = (half if anew else components).principal(network.code.latent)
    if principal is None:
        return False
    rival = started(network, principal, rows.batch(some), seed)
    # Some likelihoods fit their first output to rows, which are then no fair judges.
    fitted = network.likelihood.starts_linear or network.likelihood.activation != "identity"
    return clearly_better(rival, network, *rows.batch(others if anew or fitted else index))


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


@torch.no_grad()
def clearly_better(rival: Network, network: Network, x: Tensor, weight: Tensor | None) -> bool:
    """Whether the rival's objective is clearly less on rows x (B, F) with weights (B,), each with the same noise."""
    losses = []
    for one in (rival, deepcopy(network)):
        one.train()
        one.seed(Generator(x.device).manual_seed(0))
        losses.append(sum_of(one.terms(x, weight).values()).double())
        one.eval()
    less = losses[1] - losses[0]
    if not losses[1].isfinite().all():
        return bool(losses[0].isfinite().all())
    mean = batch_mean(less, weight)
    error = (batch_mean((less - mean).square(), weight) / len(x)).sqrt()
    return bool(mean > CLEARLY * error)
