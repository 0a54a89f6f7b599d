"""Building: from parameters and a table to a scaling, a likelihood and a network with its first weights."""

import dataclasses
import math
from contextlib import AbstractContextManager
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Part
from isthmus.core.initialisation import initialise, pca_obstacle
from isthmus.core.modules import FixedComponents
from isthmus.core.network import Network
from isthmus.core.principal import PrincipalComponents
from isthmus.data.components import components_of
from isthmus.data.rows import Rows
from isthmus.data.scaling import SCALES, ScaleChoice, Scaling, automatic_scale, scaling
from isthmus.data.schema import TableSchema
from isthmus.data.stream_moments import ColumnMoments, StreamMoments
from isthmus.data.table import Index, Table
from isthmus.data.tables import TableScaling, table_likelihood
from isthmus.engine import devices
from isthmus.engine.compute import compute
from isthmus.engine.inference import BLOCK, column_errors, loss_ratio
from isthmus.engine.plan import Plan
from isthmus.estimators import checks, component_codes, health, rules
from isthmus.estimators.fitted_model import Composition
from isthmus.estimators.parameters import Backbone, Parameters
from isthmus.estimators.pretraining import pretrain
from isthmus.estimators.stream_state import StreamState
from isthmus.parts.backbones import Dense, Principal
from isthmus.parts.composition import part
from isthmus.parts.slots import Likelihood

LEAST_MEMORY = 2**31
"""Bytes of memory that a machine has which does not tell."""
LEAST_LOOKED_AT, ROWS_LOOKED_AT = 50, 1000
"""Rows by which columns of one unit are found, at least in wide tables and at most."""
SAMPLE, SAMPLE_CELLS = 2048, 2**20
"""Rows at most, and cells about, to which the output's gain, the range of codes and the first variance are fitted."""


class Units(NamedTuple):
    """How a table is brought to the network, and how the network's output is scored."""

    scaling: Scaling
    likelihood: Likelihood
    dtype: torch.dtype
    stream: StreamState
    """What is remembered of the rows."""
    scale: str = "by the kinds of columns"
    """How columns are scaled and why, in words."""


class Built(NamedTuple):
    """A network with its first weights, and the rows to train it on."""

    network: Network
    composition: Composition
    units: Units
    rows: Rows
    training: Index
    """Positions of the rows to train on."""
    validation: Tensor
    """Positions of the rows that validate the training."""
    generator: Generator
    """For the order of the rows and the noise."""
    start: str
    """Which initialisation was used, in words."""
    closed_form: PrincipalComponents | None
    """Principal components of the training rows, as many as codes have numbers; None where they are no floor."""


def build(
    parameters: Parameters,
    table: Table,
    schema: TableSchema,
    weight: np.ndarray | None,
    held_out: int | np.ndarray,
    plan: Plan,
) -> Built:
    """Choose scaling and likelihood by the data, build the network and write its first weights.

    Parameters
    ----------
    parameters
        Of an `AutoEncoder`.
    table
        (n, R) rows.
    schema
        What was learned of the table.
    weight
        (n,) sample weights, or None.
    held_out
        How many rows are kept out of training, or their positions.
    plan
        How training will go; layer-wise pretraining follows it too.

    Raises
    ------
    ValueError
        If parameters or data are invalid; nothing has been trained then.
    """
    refuse_unknown("init", parameters.init, rules.INITS)
    rules.refuse_layers_beside_encoder(parameters)
    generator = Generator().manual_seed(checks.seed(parameters.random_state))
    # Its own, so that the first weights do not depend on how many rows there are to shuffle.
    weights_generator = Generator().manual_seed(int(torch.randint(2**62, (), generator=generator)))
    units = choose_units(parameters, table, schema, weight, plan.open_ended)
    cells = units.scaling.cells
    rows = rows_to_train(parameters, table, weight, units)
    looked_at = table.holdable(rules.principal_rows(cells))
    if isinstance(held_out, int):
        validation, training = rows.split(held_out, max(looked_at, health.MOST), generator)
    else:
        validation, training = without_rows(len(table), torch.from_numpy(held_out), generator)
    some = training[: max(BLOCK, min(SAMPLE, SAMPLE_CELLS // cells))]
    sample = rows.batch(some)

    standardised, everything = units.stream.follows, torch.empty(0, dtype=torch.int64)
    left_open = (
        not plan.open_ended
        and schema.columns is None
        and component_codes.left_open(parameters, table, units.likelihood)
    )
    if not table.streamed:
        everything = torch.cat([training[:], validation])
    composition = network = principal = None
    if not rules.is_share(parameters.latent):
        latent = rules.latent_size(parameters, schema, cells, None)
        composition = composition_of(parameters, schema, units, latent)
        network = composition.build(units.dtype)
    if network is None or (parameters.init == "pca" and pca_obstacle(network) is None):
        some_or_all = everything if left_open and standardised else training[:looked_at]
        principal = find_principal(parameters, units, rows, some_or_all, sample, weights_generator)
    if composition is None or network is None:
        latent = rules.latent_size(parameters, schema, cells, principal)
        composition = composition_of(parameters, schema, units, latent)
        network = composition.build(units.dtype)
    if left_open and component_codes.are_codes(principal, latent, len(table), standardised):
        composition = dataclasses.replace(composition, encoder=Principal())
        network = composition.build(units.dtype)
        units = units._replace(scale=f"{units.scale}, codes are the principal components")
    component_codes.refuse_other_starts(network, parameters.init)
    if isinstance(network.encoder, FixedComponents) and principal is not None and len(everything):
        if not (left_open and standardised):
            principal = find_principal(parameters, units, rows, everything, sample, weights_generator)
        if len(validation) and not network.likelihood.starts_linear:
            principal = component_codes.decoded_by(principal.first(latent), rows, training[:])
        looked_at = len(training)
    start = write_first_weights(parameters, network, principal, sample, weights_generator)
    if parameters.init == "layerwise":
        start = pretrain(network, rows, training, plan, units.likelihood, weights_generator)
    if start.startswith("pca") and len(training) > looked_at:
        start += f", of {looked_at:,} of the {len(training):,} rows"
    start_code(network, sample, weights_generator)
    network = network.to(rows.device)
    table.hold(torch.cat([validation, training[: health.MOST]]))
    fix_variance(network, rows, some)
    closed_form = None
    if len(validation) and schema.columns is None and has_floor(network, cells):
        closed_form = components_for_floor(network, rows, training[:looked_at], principal)
    return Built(network, composition, units, rows, training, validation, generator, start, closed_form)


def has_floor(network: Network, cells: int) -> bool:
    """Return whether principal components are a closed form of the network's size, with the same kind of output.

    A code as wide as the table has none; neither have counts, codes of which few numbers are used at a time, and
    networks whose objective asks for something else than the likelihood.
    """
    code, likelihood = network.code, network.likelihood
    dense = code.activation is not None or code.has_posterior
    return code.latent < cells and dense and not likelihood.whole and network.objective is None


def components_for_floor(
    network: Network, rows: Rows, some: Tensor, principal: PrincipalComponents | None
) -> PrincipalComponents:
    """Return as many principal components of training rows as codes have numbers, those of the start if there are."""
    latent = network.code.latent
    if principal is None:
        rank = min(latent, rows.table.shape[1])
        principal = components_of(rows, some, rows.table.shape[1], rank, Generator().manual_seed(0), lambda x: x)
    return principal.first(latent)


def without_rows(rows: int, held_out: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return the positions of the rows that are held out, and those of all others in random order."""
    order = torch.randperm(rows, generator=generator)
    return held_out, order[~torch.isin(order, held_out)]


def choose_units(
    parameters: Parameters, table: Table, schema: TableSchema, weight: np.ndarray | None, open_ended: bool
) -> Units:
    """Choose the scaling, the likelihood and the number type by the data.

    Of rows to which more will come (`open_ended`) it is not known yet whether their columns are in one unit.
    """
    raw, machine = Rows(table, weight, None, torch.float64), compute(parameters.compute)
    dtype = devices.number_type(machine.precision, machine.on, not raw.narrow, math.prod(table.shape))
    if schema.columns is not None:
        by_column = TableScaling(schema.columns)
        # The moments of its cells are taken from the likelihood when a stream begins.
        return Units(by_column, table_likelihood(by_column), dtype, StreamState(StreamMoments(0), follows=True))
    summary = raw.summary()
    given: Likelihood | None = (
        None if rules.is_auto(parameters.likelihood) else part("likelihood", parameters.likelihood)
    )
    counts = given is not None and given.build(schema.n_features).whole
    stated = "none" if parameters.scale is None else parameters.scale
    refuse_unknown("scale", stated, ("auto", *SCALES))
    chosen = ScaleChoice(stated, "as stated")
    if rules.is_auto(parameters.scale):
        chosen = ScaleChoice("none", "counts")
        if not counts:
            chosen = automatic_scale(summary, table.dtype, None if open_ended else some_rows(table, weight))
    found = scaling(chosen.name, summary)
    likelihood = rules.likelihood(summary, found) if given is None else given
    checks.refuse_outside(
        likelihood.build(schema.n_features), type(likelihood).__name__, summary.ends, found, schema.names
    )
    weights = torch.full_like(summary.mean, raw.total)
    # Clones: the scaling and the stream change independently of each other.
    moments = ColumnMoments(weights, summary.mean.clone(), summary.variance * weights)
    seen = StreamMoments.of(moments, raw.total, summary.smallest.clone(), summary.largest.clone())
    return Units(
        found, likelihood, dtype, StreamState(seen, chosen.name == "standard"), f"{chosen.name} ({chosen.reason})"
    )


def some_rows(table: Table, weight: np.ndarray | None) -> np.ndarray | None:
    """Return some of the different rows of a table of numbers, as they are; None if it is sparse."""
    most = max(LEAST_LOOKED_AT, min(ROWS_LOOKED_AT, SAMPLE_CELLS // max(table.shape[1], 1)))
    places: np.ndarray | slice = slice(0, most)
    # Of a source larger than memory the first rows are at hand.
    if not table.streamed:
        counting = np.arange(len(table)) if weight is None else np.flatnonzero(weight > 0)
        count = min(len(counting), most)
        places = counting[np.linspace(0, len(counting) - 1, count).astype(np.int64)]
    found = table.drawn(places)
    # A row of weight 2 says what two equal rows say.
    return np.unique(found, axis=0) if isinstance(found, np.ndarray) else None


def rows_to_train(parameters: Parameters, table: Table, weight: np.ndarray | None, units: Units) -> Rows:
    """Return the rows on the device where they are trained on, as far as its memory allows.

    Rows of several kinds of columns are scaled once, if the machine's memory has room for the result.
    """
    on, scaling = compute(parameters.compute).on, units.scaling
    needed = len(table) * scaling.cells * units.dtype.itemsize
    if scaling.costly and not table.streamed and needed <= (devices.memory() or LEAST_MEMORY) // 8:
        table = Rows(table, None, scaling, units.dtype).scaled_once()
        return Rows(table, weight, None, units.dtype, on, devices.fits(on, table.nbytes))
    return Rows(table, weight, scaling, units.dtype, on, devices.fits(on, table.nbytes))


def composition_of(parameters: Parameters, schema: TableSchema, units: Units, latent: int) -> Composition:
    """Return the parts that parameters mean, for codes of that size."""
    return Composition(
        cells=units.scaling.cells,
        latent=latent,
        encoder=Dense(parameters.hidden, parameters.activation)
        if parameters.encoder is None
        else shaped("encoder", parameters.encoder, schema),
        decoder=shaped("decoder", parameters.decoder, schema),
        code=parameters.code,
        likelihood=units.likelihood,
        corruption=rules.corruption(parameters, schema),
        penalty=parameters.penalty,
        objective=parameters.objective,
    )


def shaped(slot: Literal["encoder", "decoder"], given: Backbone, schema: TableSchema) -> Backbone:
    """Return an encoder or decoder that knows the shape of the images of `fit`, if there are any."""
    if given is None or schema.row_shape is None:
        return given
    found = part(slot, given)
    adapted = found.for_shape(schema.row_shape) if isinstance(found, Part) else found
    return given if adapted is found else adapted


def find_principal(
    parameters: Parameters,
    units: Units,
    rows: Rows,
    some: Tensor,
    sample: tuple[Tensor, Tensor | None],
    generator: Generator,
) -> PrincipalComponents:
    """Return the principal components of training rows, as an encoder sees them."""
    rank = None if rules.is_share(parameters.latent) else int(parameters.latent)
    cells = units.scaling.cells
    likelihood = units.likelihood.build(cells).to(rows.device)
    if not likelihood.starts_linear:
        return components_of(rows, some, cells, rank, generator, lambda x: x)
    likelihood.look(*sample)
    return components_of(rows, some, cells, rank, generator, lambda x: likelihood.encoder_input(x)[:, :cells])


def write_first_weights(
    parameters: Parameters,
    network: Network,
    principal: PrincipalComponents | None,
    sample: tuple[Tensor, Tensor | None],
    generator: Generator,
) -> str:
    """Write the first weights; return in words which initialisation was used."""
    x, weight = sample[0].cpu(), None if sample[1] is None else sample[1].cpu()
    network.likelihood.look(x, weight)
    method = "orthogonal" if parameters.init == "layerwise" else parameters.init
    leading = None if principal is None else principal.first(network.code.latent)
    return initialise(network, method, generator, leading, x, weight)


def start_code(network: Network, sample: tuple[Tensor, Tensor | None], generator: Generator) -> None:
    """Show the code the encoder's first outputs for training rows of positive weight."""
    x, weight = sample
    counted = x if weight is None else x[weight > 0]
    with torch.no_grad():
        network.code.start(network.eval().activate(counted.cpu()), generator)


def fix_variance(network: Network, rows: Rows, index: Index) -> None:
    """Set optimal variances to the mean squared errors over the rows at these positions."""
    ratio = loss_ratio(network.eval(), rows, index)
    if ratio is not None:
        network.likelihood.set_loss_ratio(ratio)
    network.likelihood.set_spread(column_errors(network.eval(), rows, index))


def threads_to_build(parameters: Parameters, table: Table) -> AbstractContextManager[None]:
    """Return the context in which principal components are found: with all threads where the products are large."""
    rows, columns = table.shape
    return devices.threads(devices.thread_count(compute(parameters.compute).threads, 2.0 * rows * columns**2))
