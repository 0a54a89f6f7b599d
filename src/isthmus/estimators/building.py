"""Building: from parameters and a table to a scaling, a likelihood and a network with its first weights."""

import dataclasses
from contextlib import AbstractContextManager
from copy import copy
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
from isthmus.core.torch_threads import threads
from isthmus.data.components import components_of
from isthmus.data.found_shape import found_shape
from isthmus.data.rows import Rows
from isthmus.data.schema import TableSchema
from isthmus.data.table import Index, Table
from isthmus.engine import devices
from isthmus.engine.compute import compute
from isthmus.engine.inference import BLOCK, column_errors, loss_ratio
from isthmus.engine.plan import Plan
from isthmus.estimators import checks, component_codes, health, rules
from isthmus.estimators.closed_forms import ClosedForm, closed_form_of
from isthmus.estimators.fitted_model import Composition
from isthmus.estimators.latent_choice import latent_curve
from isthmus.estimators.latent_curve import LatentCurve
from isthmus.estimators.parameters import Parameters, Slot
from isthmus.estimators.pretraining import pretrain
from isthmus.estimators.units import Units, some_rows, units_of_rows_to_learn
from isthmus.estimators.validation import HeldOut
from isthmus.parts.backbones import Dense, Principal
from isthmus.parts.composition import part

LEAST_MEMORY = 2**31
"""Bytes of memory that a machine has which does not tell."""
SAMPLE, SAMPLE_CELLS = 2048, 2**20
"""Rows at most, and cells about, to which the output's gain, the range of codes and the first variance are fitted."""


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
    closed_form: ClosedForm | None
    """What the network is compared with, fitted to the training rows; None where there is none of its size."""
    curve: LatentCurve | None
    """Scores by which the size of the code was chosen; None if it was given."""


def build(
    parameters: Parameters,
    table: Table,
    schema: TableSchema,
    weight: np.ndarray | None,
    held_out: HeldOut,
    plan: Plan,
    compare: bool = True,
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
        Which rows are kept out of training.
    plan
        How training will go; layer-wise pretraining follows it too.
    compare
        Whether the network will be compared with a closed form.

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
    units = units_of_rows_to_learn(parameters, table, schema, weight, held_out, plan.open_ended)
    cells = units.scaling.cells
    rows = rows_to_train(parameters, table, weight, units)
    shape = shape_of_images(parameters, schema, table, weight)
    looked_at = table.holdable(rules.principal_rows(cells))
    validation, training = held_out.split(table, max(looked_at, health.MOST), generator)
    some = training[: max(BLOCK, min(SAMPLE, SAMPLE_CELLS // cells))]
    sample = rows.batch(some)

    curve = None
    if rules.is_auto(parameters.latent):
        curve = chosen_size(units, rows, training[:looked_at], sample)
        parameters = copy(parameters)
        parameters.latent = curve.chosen
    standardised, known = units.stream.follows, training[:looked_at]
    left_open = (
        not plan.open_ended
        and schema.columns is None
        and component_codes.left_open(parameters, table, units.likelihood)
    )
    if not table.streamed:
        known = training[:] if held_out.apart else torch.cat([training[:], validation])
    composition = network = principal = None
    if not rules.is_share(parameters.latent):
        latent = rules.latent_size(parameters, schema, cells, None)
        composition = composition_of(parameters, schema, shape, units, latent)
        network = composition.build(units.dtype)
    if network is None or (parameters.init == "pca" and pca_obstacle(network) is None):
        some_or_all = known if left_open and standardised else training[:looked_at]
        principal = find_principal(parameters, units, rows, some_or_all, sample, weights_generator)
    if composition is None or network is None:
        latent = rules.latent_size(parameters, schema, cells, principal)
        composition = composition_of(parameters, schema, shape, units, latent)
        network = composition.build(units.dtype)
    if left_open and component_codes.are_codes(principal, latent, len(table), standardised):
        composition = dataclasses.replace(composition, encoder=Principal())
        network = composition.build(units.dtype)
        units = units._replace(scale=f"{units.scale}, codes are the principal components")
    component_codes.refuse_other_starts(network, parameters.init)
    if isinstance(network.encoder, FixedComponents) and principal is not None and not table.streamed:
        if not (left_open and standardised):
            principal = find_principal(parameters, units, rows, known, sample, weights_generator)
        if len(known) > len(training) and not network.likelihood.starts_linear:
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
    if compare:
        closed_form = closed_form_of(network, composition, schema, rows, training[:looked_at], validation, principal)
    return Built(network, composition, units, rows, training, validation, generator, start, closed_form, curve)


def chosen_size(units: Units, rows: Rows, some: Tensor, sample: tuple[Tensor, Tensor | None]) -> LatentCurve:
    """Return the scores of sizes of the code on training rows, by which one is chosen."""
    likelihood = units.likelihood.build(units.scaling.cells).to(rows.device)
    likelihood.look(*sample)
    return latent_curve(rows, some, likelihood)


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


def composition_of(
    parameters: Parameters, schema: TableSchema, shape: tuple[int, ...] | None, units: Units, latent: int
) -> Composition:
    """Return the parts that parameters mean, for images of a shape if rows are images, and codes of that size."""
    return Composition(
        cells=units.scaling.cells,
        latent=latent,
        encoder=Dense(parameters.hidden, parameters.activation)
        if parameters.encoder is None
        else shaped("encoder", parameters.encoder, schema, shape),
        decoder=shaped("decoder", parameters.decoder, schema, shape),
        code=parameters.code,
        likelihood=units.likelihood,
        corruption=shaped("corruption", rules.corruption(parameters, schema), schema, shape),
        penalty=parameters.penalty,
        objective=parameters.objective,
    )


def shape_of_images(
    parameters: Parameters, schema: TableSchema, table: Table, weight: np.ndarray | None
) -> tuple[int, ...] | None:
    """Return the shape of the images that the rows are, given or, if a part asks for it, found; None for other rows."""
    if schema.columns is not None or schema.row_shape is not None:
        # Pixels with gaps in `fit` are columns, like those of any other table.
        return None if schema.columns is not None else schema.row_shape
    given = (parameters.encoder, parameters.decoder, parameters.corruption)
    if not any(isinstance(one, Part) and one.seeks_shape for one in given):
        return None
    some = some_rows(table, weight)
    return None if some is None else found_shape(some)


def shaped(
    slot: Literal["encoder", "decoder", "corruption"], given: Slot, schema: TableSchema, shape: tuple[int, ...] | None
) -> Slot:
    """Return a part that knows the shape of the images of `fit`, if there are any.

    A shape that was found in flat rows is for parts alone that ask for it.
    """
    if given is None or shape is None:
        return given
    found = part(slot, given)
    if not isinstance(found, Part) or (schema.row_shape is None and not found.seeks_shape):
        return given
    adapted = found.for_shape(shape)
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
    return threads(devices.thread_count(compute(parameters.compute).threads, 2.0 * rows * columns**2))
