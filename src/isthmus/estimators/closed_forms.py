"""What a network is compared with: a closed form of its size, fitted to the same rows without training."""

from typing import TypeAlias

from torch import Generator, Tensor

from isthmus.core.network import Network
from isthmus.core.principal import PrincipalComponents
from isthmus.data.components import components_of
from isthmus.data.rows import Rows
from isthmus.data.schema import TableSchema
from isthmus.data.table import Index
from isthmus.estimators.component_forms import Components, LinearNetwork, components_for_floor, is_dense
from isthmus.estimators.corrupted_forms import CorruptedComponents, components_to_compare, undoes
from isthmus.estimators.count_forms import Factorisation, RootComponents, of_counts
from isthmus.estimators.fitted_model import Composition

ClosedForm: TypeAlias = Components | LinearNetwork | RootComponents | Factorisation | CorruptedComponents
"""What a network may be compared with."""


def closed_form_of(
    network: Network,
    composition: Composition,
    schema: TableSchema,
    rows: Rows,
    some: Index,
    held_out: Tensor,
    principal: PrincipalComponents | None,
) -> ClosedForm | None:
    """Return the closed form of a network's size, fitted to some training rows; None if there is none.

    A code as wide as the table has none, unless noise is to be undone or hidden cells to be filled; neither have
    codebooks, nor networks whose objective asks for something else than the likelihood. Of a sparse code as many
    components count as it has numbers at most.
    """
    code, likelihood, cells = network.code, network.likelihood, composition.cells
    if code.codewords or network.objective is not None:
        return None
    if likelihood.whole:
        return of_counts(network, rows, some, held_out) if code.latent < cells and is_dense(code) else None
    if schema.columns is None and undoes(network):
        return corrupted_form(network, rows, some, principal) if is_dense(code) else None
    if is_dense(code) and code.latent >= cells:
        return None
    if schema.columns is None:
        return Components(components_for_floor(rows, some, code.latent, principal))
    if principal is None:
        rank, features = min(code.latent, cells), composition.cells
        generator = Generator().manual_seed(0)
        principal = components_of(
            rows, some, features, rank, generator, lambda x: likelihood.encoder_input(x)[:, :features]
        )
    return LinearNetwork.of(composition, rows, some, principal.first(code.latent)) if is_dense(code) else None


def corrupted_form(
    network: Network, rows: Rows, some: Index, principal: PrincipalComponents | None
) -> CorruptedComponents:
    """Return the closed form that undoes a network's corruption."""
    rank = components_to_compare(network, rows.table.shape[1])
    corruption = network.corruption
    noise = 0.0 if corruption is None else corruption.noise_variance
    return CorruptedComponents(components_for_floor(rows, some, rank, principal), noise)
