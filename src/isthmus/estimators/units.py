"""`Units`: how a table is brought to a network, chosen by the data: its scaling, likelihood and number type."""

import math
from typing import NamedTuple

import numpy as np
import torch

from isthmus.core.choices import refuse_unknown
from isthmus.data.rows import Rows
from isthmus.data.scaling import SCALES, AffineScaling, ScaleChoice, Scaling, automatic_scale, scaling
from isthmus.data.schema import TableSchema
from isthmus.data.stream_moments import ColumnMoments, StreamMoments
from isthmus.data.table import Table
from isthmus.data.tables import TableScaling, table_likelihood
from isthmus.engine import devices
from isthmus.engine.compute import compute
from isthmus.estimators import checks, rules
from isthmus.estimators.parameters import Parameters
from isthmus.estimators.stream_state import StreamState
from isthmus.estimators.validation import HeldOut
from isthmus.parts.composition import part
from isthmus.parts.slots import Likelihood

LEAST_LOOKED_AT, ROWS_LOOKED_AT = 50, 1000
"""Rows by which columns of one unit are found, at least in wide tables and at most."""
LOOKED_AT_CELLS = 2**20
"""Cells of these rows, about."""


class Units(NamedTuple):
    """How a table is brought to the network, and how the network's output is scored."""

    scaling: Scaling
    likelihood: Likelihood
    dtype: torch.dtype
    stream: StreamState
    """What is remembered of the rows."""
    scale: str = "by the kinds of columns"
    """How columns are scaled and why, in words."""


def units_of_rows_to_learn(
    parameters: Parameters,
    table: Table,
    schema: TableSchema,
    weight: np.ndarray | None,
    held_out: HeldOut,
    open_ended: bool,
) -> Units:
    """Choose scaling and likelihood by the rows that may be learned from: not by given validation rows."""
    if held_out.drawn or held_out.positions is None or schema.columns is not None:
        return choose_units(parameters, table, schema, weight, open_ended)
    used = np.ones(len(table), dtype=bool)
    used[held_out.positions] = False
    own = None if weight is None else weight[used]
    units = choose_units(parameters, table.selected(used), schema, own, open_ended)
    validated = table.selected(~used).summary()
    likelihood = units.likelihood
    if parameters.likelihood != "auto":
        name = type(likelihood).__name__
        assert isinstance(units.scaling, AffineScaling), "tables of numbers have affine scalings"
        checks.refuse_outside(likelihood.build(schema.n_features), name, validated.ends, units.scaling, schema.names)
    return units


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
    most = max(LEAST_LOOKED_AT, min(ROWS_LOOKED_AT, LOOKED_AT_CELLS // max(table.shape[1], 1)))
    places: np.ndarray | slice = slice(0, most)
    # Of a source larger than memory the first rows are at hand.
    if not table.streamed:
        counting = np.arange(len(table)) if weight is None else np.flatnonzero(weight > 0)
        count = min(len(counting), most)
        places = counting[np.linspace(0, len(counting) - 1, count).astype(np.int64)]
    found = table.drawn(places)
    # A row of weight 2 says what two equal rows say.
    return np.unique(found, axis=0) if isinstance(found, np.ndarray) else None
