"""A `FittedModel` as a `State`, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch

from isthmus.core.json_type import Json
from isthmus.data.columns import Column, Columns
from isthmus.data.fields import Field, Schema
from isthmus.data.forms import form_of, plain_form
from isthmus.data.scaling import AffineScaling, Scaling
from isthmus.data.schema import TableSchema
from isthmus.data.tables import TableScaling
from isthmus.engine.history import History
from isthmus.engine.report import FitReport
from isthmus.estimators.fitted_model import PARTIAL_FIT, Composition, FittedModel, TrainingRecord
from isthmus.estimators.floor import Floor
from isthmus.estimators.latent_curve import LatentCurve
from isthmus.estimators.marginal import Marginal
from isthmus.estimators.plain import Classes, plain, revived
from isthmus.estimators.saved_stream import state_of_stream, stream_of, stream_of_schema_2
from isthmus.estimators.state import State, member, nest, prefixed, trainable


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
    schema = revived_schema(facts["table"], classes)
    composition = Composition(**{name: revived(value, classes) for name, value in facts["composition"].items()})
    dtype = getattr(torch, facts["dtype"])
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"{facts['dtype']} is no number type of weights")
    if schema.columns is not None:
        scaling: Scaling = TableScaling(schema.columns)
        width = len(schema.columns)
    else:
        scaling = AffineScaling(state.tensors["scaling.shift"], state.tensors["scaling.scale"])
        width = scaling.cells
    if width != schema.n_features or scaling.cells != composition.cells:
        raise ValueError(f"it has the scaling of {width} columns, and {schema.n_features} columns")
    network = composition.build(dtype)
    network.load_state_dict(prefixed(state.tensors, "network"))
    network.eval()
    history = History.from_dict(facts["history"])
    streamed = history.stopped == PARTIAL_FIT
    if "stream" in facts:
        stream = stream_of(member("stream", facts, state.tensors), streamed)
    else:
        stream = stream_of_schema_2(prefixed(state.tensors, "moments"), scaling, streamed)
    record = TrainingRecord(
        history,
        FitReport.from_dict(facts["fit_report"]),
        facts["epochs"],
        state.tensors["generator"],
        stream,
        None if facts.get("floor") is None else Floor.from_dict(facts["floor"]),
        Marginal.from_state_dict(prefixed(state.tensors, "marginal"), network.likelihood),
        None if facts.get("latent_curve") is None else LatentCurve.from_dict(facts["latent_curve"]),
    )
    return FittedModel(schema, scaling, composition, network, dtype, record)


def plain_schema(schema: TableSchema) -> dict[str, Json]:
    """Return what is known of a table as JSON has it."""
    frame = schema.frame
    return {
        "n_features": schema.n_features,
        "names": None if schema.names is None else plain(schema.names),
        "frame": None
        if frame is None
        else {
            "backend": frame.backend,
            "fields": [plain_field(field) for field in frame.fields],
            "axis_names": plain(frame.axis_names),
        },
        "columns": None if schema.columns is None else [plain_fields(asdict(column)) for column in schema.columns],
        "row_shape": None if schema.row_shape is None else list(schema.row_shape),
    }


def revived_schema(facts: Any, classes: Classes) -> TableSchema:
    """Undo `plain_schema`."""
    frame, columns, names = facts["frame"], facts["columns"], facts["names"]
    return TableSchema(
        int(facts["n_features"]),
        None if names is None else revived(names, classes),
        None
        if frame is None
        else Schema(frame["backend"], tuple(map(field_of, frame["fields"])), tuple(frame["axis_names"])),
        None if columns is None else Columns(Column(**as_tuples(values)) for values in columns),
        None if facts["row_shape"] is None else tuple(map(int, facts["row_shape"])),
    )


def plain_field(field: Field) -> dict[str, Json]:
    """Return what is known of a column apart from its values as JSON has it."""
    return plain_fields(field._asdict() | {"form": plain_form(field.form)})


def field_of(values: dict[str, Any]) -> Field:
    """Undo `plain_field`."""
    return Field(**as_tuples(values) | {"form": form_of(values.get("form"))})


def plain_fields(values: Mapping[str, object]) -> dict[str, Json]:
    """Return fields by name as JSON has them."""
    return {name: plain(value) for name, value in values.items()}


def as_tuples(values: dict[str, Any]) -> dict[str, Any]:
    """Return fields by name with tuples for JSON's lists."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
