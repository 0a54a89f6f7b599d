"""The model file: one safetensors file, weights as tensors and everything else as JSON in its header.

Loading reads numbers and text; it runs nothing that is in the file.
"""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialised

import isthmus
from isthmus.core import registry
from isthmus.core.choices import unknown
from isthmus.core.contract import Part
from isthmus.core.files import atomic_write
from isthmus.data.columns import Column, Columns
from isthmus.data.frames import Field, Schema
from isthmus.data.moments import RunningMoments
from isthmus.data.scaling import Scaling
from isthmus.data.tables import TableScaling
from isthmus.engine import devices
from isthmus.engine.compute import Compute
from isthmus.engine.compute import compute as compute_settings
from isthmus.engine.history import History
from isthmus.engine.optimisers import Adam
from isthmus.engine.report import FitReport

SCHEMA = 1
"""Raised when an older isthmus could no longer read what this one writes."""

KINDS = registry.classes() | {"Adam": Adam, "Compute": Compute}
NOT_SAVED = {"callbacks": (), "verbose": 0}
"""Parameters that belong to a run rather than to a model, and what they are after loading."""


class ModelFileError(ValueError):
    """A file that is not a whole model of this library, or of a newer one."""


def save(estimator: Any, path: Path) -> None:
    """Write a fitted estimator to `path`, whole or not at all."""
    header = {
        "schema": SCHEMA,
        "isthmus": isthmus.__version__,
        "estimator": type(estimator).__name__,
        "parameters": {
            name: plain(value) for name, value in estimator.get_params(deep=False).items() if name not in NOT_SAVED
        },
        "fitted": {
            "n_features_in": int(estimator.n_features_in_),
            "feature_names_in": plain(getattr(estimator, "feature_names_in_", None)),
            "latent": estimator.latent_,
            "likelihood": plain(estimator.likelihood_),
            "n_iter": estimator.n_iter_,
            "dtype": str(estimator._dtype).removeprefix("torch."),
            "history": estimator.history_.to_dict(),
            "fit_report": estimator.fit_report_.to_dict(),
            "columns": [plain_fields(asdict(column)) for column in getattr(estimator, "columns_", ())],
            "schema": plain_schema(getattr(estimator, "_schema", None)),
        },
    }
    tensors = {f"network.{name}": tensor for name, tensor in estimator.network_.state_dict().items()}
    tensors |= {f"scaling.{name}": tensor for name, tensor in estimator.scaling_.state_dict().items()}
    tensors |= {f"seen.{name}": tensor for name, tensor in estimator._seen.state.items()}
    tensors["generator"] = estimator._generator
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} for the model file does not exist; create it first")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a file, such as {path / 'model.isthmus'}")
    content = serialised(tensors, metadata={"isthmus": json.dumps(header, allow_nan=False)})
    with atomic_write(path) as temporary:
        # Not by safetensors' own `save_file`, which puts a file that only its owner may read in the place of ours.
        temporary.write_bytes(content)


def load(path: str | Path, compute: "str | Compute" = "auto") -> Any:
    """Read a model that `AutoEncoder.save` wrote.

    Parameters
    ----------
    path : str or Path
        The file.
    compute : str or Compute, default="auto"
        Where the model computes, as in `AutoEncoder`; replaces the setting it was trained with.

    Returns
    -------
    AutoEncoder
        Fitted; its results are those of the one saved, bit for bit on the same machine.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModelFileError
        If it is truncated, of another program or of a newer isthmus.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no model file {path}")
    machine = compute_settings(compute)
    devices.device(machine.device)
    header, tensors = read(path)
    if header["schema"] > SCHEMA:
        raise ModelFileError(
            f"{path} was written by isthmus {header.get('isthmus')}, whose files (schema {header['schema']}) this one "
            f"({isthmus.__version__}, schema {SCHEMA}) does not know; update isthmus"
        )
    try:
        return rebuild(header, tensors, compute)
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ModelFileError(f"{path} is damaged: its header and its tensors do not fit ({reason})") from error


def read(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Return the header and the tensors of a file, or raise `ModelFileError`."""
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get("isthmus")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ModelFileError(f"{path} is not a whole model file of isthmus: truncated, or of another kind") from error
    if text is None:
        raise ModelFileError(f"{path} is a safetensors file, but not one that isthmus wrote")
    try:
        header = json.loads(text)
    except json.JSONDecodeError as error:
        raise ModelFileError(f"{path} is damaged: its header is no JSON") from error
    if not isinstance(header, dict) or not isinstance(header.get("schema"), int):
        raise ModelFileError(f"{path} is damaged: its header does not say which schema it follows")
    return header, tensors


def rebuild(header: dict[str, Any], tensors: dict[str, torch.Tensor], compute: "str | Compute") -> Any:
    """Make the fitted estimator from what was in the file."""
    kind = getattr(isthmus, header["estimator"])
    parameters = {name: revived(value) for name, value in header["parameters"].items()}
    estimator = kind(**parameters | NOT_SAVED | {"compute": compute})
    fitted = header["fitted"]
    estimator.n_features_in_ = fitted["n_features_in"]
    if fitted["feature_names_in"] is not None:
        estimator.feature_names_in_ = np.array(fitted["feature_names_in"], dtype=object)
    estimator.latent_ = fitted["latent"]
    estimator.likelihood_ = revived(fitted["likelihood"])
    estimator.n_iter_ = fitted["n_iter"]
    estimator._dtype = getattr(torch, fitted["dtype"])
    estimator.history_ = History.from_dict(fitted["history"])
    estimator.fit_report_ = FitReport.from_dict(fitted["fit_report"])
    estimator._generator, estimator._optimiser = tensors["generator"], None
    if fitted.get("schema"):
        fields = [Field(**named(values)) for values in fitted["schema"]["fields"]]
        estimator._schema = Schema(fitted["schema"]["backend"], tuple(fields))
    if fitted.get("columns"):
        estimator.columns_ = Columns(Column(**named(values)) for values in fitted["columns"])
        estimator.scaling_ = TableScaling(estimator.columns_)
    else:
        estimator.scaling_ = Scaling(tensors["scaling.shift"], tensors["scaling.scale"])
    columns = len(estimator.columns_) if hasattr(estimator, "columns_") else estimator.scaling_.cells
    if columns != estimator.n_features_in_:
        raise ValueError(f"it has the scaling of {columns} columns, and {estimator.n_features_in_} columns")
    seen = {name.removeprefix("seen."): value for name, value in tensors.items() if name.startswith("seen.")}
    # Files of 0.1 say nothing of the rows seen; the scaling then stays as it is.
    estimator._seen = RunningMoments.from_state(seen) if seen else RunningMoments(estimator.n_features_in_)
    estimator.network_ = estimator._compose()
    weights = {name.removeprefix("network."): value for name, value in tensors.items() if name.startswith("network.")}
    estimator.network_.load_state_dict(weights)
    estimator.network_.eval()
    return estimator


def plain_schema(schema: Schema | None) -> Any:
    """Return a schema as JSON has it."""
    if schema is None:
        return None
    return {"backend": schema.backend, "fields": [plain_fields(field._asdict()) for field in schema.fields]}


def plain_fields(values: dict[str, Any]) -> dict[str, Any]:
    """Return fields by name as JSON has them."""
    return {name: plain(value) for name, value in values.items()}


def named(values: dict[str, Any]) -> dict[str, Any]:
    """Return fields by name as they were before JSON made lists of tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def plain(value: Any) -> Any:
    """Return a parameter as JSON has it: numbers, text, lists, and parts as {"part": name, "parameters": {...}}."""
    if isinstance(value, Part):
        if KINDS.get(type(value).__name__) is not type(value):
            raise TypeError(f"{value!r} is not a part of isthmus and cannot be saved in a model file")
        return {"part": type(value).__name__, "parameters": {k: plain(v) for k, v in value.get_params(False).items()}}
    if isinstance(value, dict):  # whose keys JSON would make text of
        return {"pairs": [[plain(name), plain(item)] for name, item in value.items()]}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.random.RandomState | np.random.Generator):
        return None
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise TypeError(f"a parameter with the value {value!r} cannot be saved in a model file")


def revived(value: Any) -> Any:
    """Undo `plain`; lists come back as tuples."""
    if isinstance(value, dict) and "pairs" in value:
        return {revived(name): revived(item) for name, item in value["pairs"]}
    if isinstance(value, dict):
        if value["part"] not in KINDS:
            raise ModelFileError(unknown("part", value["part"], KINDS))
        return KINDS[value["part"]](**{name: revived(item) for name, item in value["parameters"].items()})
    return tuple(map(revived, value)) if isinstance(value, list) else value
