"""A `FittedModel` as a `State`, and back."""

from typing import Any

import torch

from isthmus.core.allowance import Allowance
from isthmus.core.checked_tensors import checked
from isthmus.core.choices import refuse_unknown
from isthmus.core.json_type import Json
from isthmus.core.network import Network
from isthmus.core.typed_json import value_of
from isthmus.data.scaling import AffineScaling, Scaling
from isthmus.data.schema import TableSchema
from isthmus.data.tables import TableScaling
from isthmus.engine.history import History
from isthmus.engine.report import FitReport
from isthmus.estimators.fitted_model import PARTIAL_FIT, Composition, FittedModel, TrainingRecord
from isthmus.estimators.floor import Floor
from isthmus.estimators.latent_curve import LatentCurve
from isthmus.estimators.marginal import Marginal
from isthmus.estimators.plain import Classes, revived
from isthmus.estimators.saved_schema import plain_fields, plain_schema, revived_schema
from isthmus.estimators.saved_stream import state_of_stream, stream_of, stream_of_schema_2
from isthmus.estimators.state import State, Tensors, member, nest, prefixed, trainable

DTYPES = {"float32": torch.float32, "float64": torch.float64}
"""Number types of weights, by name."""
ALLOWED, SPARE = 4, 10_000
"""How many times the numbers of its weights may be allocated while a network is built, and how many more."""


def state_of(model: FittedModel, resume: bool = True) -> State:
    """Return everything that a fitted model is; with `resume`, also what it takes to go on in `partial_fit`.

    Raises
    ------
    TypeError
        If a part cannot be saved; it is named.
    """
    record = model.record
    facts: dict[str, Json] = {
        "table": plain_schema(model.schema),
        "composition": plain_fields(model.composition.fields),
        "dtype": str(model.dtype).removeprefix("torch."),
        "history": record.history.to_dict(),
        "fit_report": record.report.to_dict(),
        "floor": None if record.floor is None else record.floor.to_dict(),
        "latent_curve": None if record.curve is None else record.curve.to_dict(),
        "epochs": record.epochs,
    }
    tensors = {f"network.{name}": tensor for name, tensor in model.network.state_dict().items()}
    tensors |= {f"scaling.{name}": tensor for name, tensor in model.scaling.state_dict().items()}
    tensors["generator"] = record.generator
    if record.marginal is not None:
        tensors |= {f"marginal.{name}": tensor for name, tensor in record.marginal.state_dict().items()}
    return nest({"stream": state_of_stream(record.stream, resume)}, facts, tensors)


def model_of(state: State, classes: Classes) -> FittedModel:
    """Undo `state_of`.

    Raises
    ------
    LookupError, TypeError, ValueError, RuntimeError
        If facts and tensors do not fit together.
    """
    state = trainable(state)
    facts: Any = state.facts
    composition = Composition(**{name: revived(value, classes) for name, value in facts["composition"].items()})
    refuse_unknown("number type of weights", facts["dtype"], DTYPES)
    dtype = DTYPES[facts["dtype"]]
    schema, scaling = table_of(state, classes)
    if scaling.cells != composition.cells:
        raise ValueError(f"it has the scaling of {scaling.cells} cells, and a network of {composition.cells}")
    network = built(composition, dtype, prefixed(state.tensors, "network"))
    refuse_broken(network, composition.cells, dtype)
    history = History.from_dict(facts["history"])
    streamed = history.stopped == PARTIAL_FIT
    if "stream" in facts:
        stream = stream_of(member("stream", facts, state.tensors), streamed, scaling)
    else:
        stream = stream_of_schema_2(prefixed(state.tensors, "moments"), scaling, streamed)
    record = TrainingRecord(
        history,
        FitReport.from_dict(facts["fit_report"]),
        max(value_of(int, facts["epochs"], "epochs"), 0),
        generator_of(state.tensors),
        stream,
        None if facts.get("floor") is None else Floor.from_dict(facts["floor"]),
        Marginal.from_state_dict(prefixed(state.tensors, "marginal"), network.likelihood),
        None if facts.get("latent_curve") is None else LatentCurve.from_dict(facts["latent_curve"]),
    )
    return FittedModel(schema, scaling, composition, network, dtype, record)


def table_of(state: State, classes: Classes) -> tuple[TableSchema, Scaling]:
    """Return what a saved model knows of its table, and the scaling."""
    facts: Any = state.facts["table"]
    if facts["columns"] is not None:
        schema = revived_schema(facts, classes)
        return schema, TableScaling(schema.columns or ())
    shift = checked(state.tensors, "scaling.shift", (None,))
    scale = checked(state.tensors, "scaling.scale", shift.shape)
    if not bool((scale > 0).all()):
        raise ValueError("the scale of columns must be positive")
    return revived_schema(facts, classes, len(shift)), AffineScaling(shift, scale)


def built(composition: Composition, dtype: torch.dtype, weights: Tensors) -> Network:
    """Return the network of a composition with these weights.

    Raises
    ------
    ValueError
        If the composition asks for a larger network than there are weights for, before it is built; or if weights are
        not finite, or of another number type.
    """
    numbers = sum(weight.numel() for weight in weights.values())
    if max(composition.cells, composition.latent) > numbers + SPARE:
        raise ValueError("its parts ask for a larger network than the file holds")
    with Allowance(ALLOWED * numbers + SPARE, ALLOWED * len(weights) + SPARE):
        network = composition.build(dtype)
    for name, tensor in network.state_dict().items():
        given = weights.get(name, tensor)
        if given.dtype != tensor.dtype:
            raise ValueError(f"the weights {name} are {given.dtype}, not {tensor.dtype}")
    for name, parameter in network.named_parameters():
        if not weights.get(name, parameter).isfinite().all():
            raise ValueError(f"the weights {name} are not finite")
    network.load_state_dict(weights)
    return network.eval()


@torch.no_grad()
def refuse_broken(network: Network, cells: int, dtype: torch.dtype) -> None:
    """Raise a `ValueError` if one row of zeros does not pass through a network: parts of a file may be of any kind."""
    code = network.encode(torch.zeros(1, cells, dtype=dtype, device="cpu")).mean
    mean = network.decode(code)
    if code.shape != (1, network.code.latent) or mean.shape != (1, cells):
        raise ValueError("its network does not return rows of the size that it takes")


def generator_of(tensors: Tensors) -> torch.Tensor:
    """Return the state of a generator of random numbers, once one has taken it."""
    found = checked(tensors, "generator", (None,), torch.uint8)
    torch.Generator().set_state(found)
    return found
