"""The model file: one safetensors file, weights as tensors and everything else as JSON in its header.

One format holds every estimator. Loading reads numbers and text; nothing in the file is run or imported.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import torch
from sklearn.base import BaseEstimator

import isthmus
from isthmus.core import registry, tensor_file
from isthmus.core.bounded_json import most_values, parsed
from isthmus.core.choices import unknown
from isthmus.core.files import atomic_write
from isthmus.core.json_type import Json
from isthmus.engine import devices
from isthmus.engine.compute import Compute
from isthmus.engine.compute import compute as settings_of
from isthmus.estimators.plain import (
    Classes,
    UnknownPartError,
    known_classes,
    parts_named,
    plain,
    revived,
    saved_parameters,
)
from isthmus.estimators.state import State

SCHEMA, OLDEST, CHECKED = 4, 2, 4
"""Raised whenever the content of files changes, the oldest one that is read, and the first one with a checksum."""


MEND = "copy it again from where it was saved, or save the model again"
"""What to do about a file that is not whole."""
LONGEST_REASON = 300
"""Characters of what is quoted of another error."""


class ModelFileError(ValueError):
    """A file is not a whole model of this library, is of another version, or needs a part that is not known."""


class Saveable(Protocol):
    """An estimator that can be saved: it gives its fitted state, and takes it back."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor parameters."""

    def fitted_state(self) -> State:
        """Return what was fitted."""

    def restore_fitted(self, state: State, classes: Classes) -> None:
        """Take what was fitted; `classes` are those of the parts that may occur in it."""


def save(estimator: Saveable, path: Path, state: State | None = None) -> None:
    """Write a fitted estimator to a file, whole or not at all.

    Parameters
    ----------
    estimator
        Fitted.
    path
        The file.
    state
        What was fitted; None asks the estimator.

    Raises
    ------
    TypeError
        If a parameter or part cannot be saved; it is named.
    OSError
        If the file cannot be written; what was at `path` is still there.
    """
    state = estimator.fitted_state() if state is None else state
    write(path, type(estimator).__name__, estimator.get_params(deep=False), state)


def write(path: Path, estimator: str, parameters: Mapping[str, object], state: State) -> None:
    """Write a file as `save` does, of the estimator of that class name with these parameters and fitted state."""
    refuse_path(path)
    header: dict[str, Json] = {
        "schema": SCHEMA,
        "isthmus": isthmus.__version__,
        "estimator": estimator,
        "parameters": {name: plain(value) for name, value in saved_parameters(parameters).items()},
        "fitted": dict(state.facts),
    }
    header["parts"] = [*sorted(set(parts_named(header)))]
    text = json.dumps(header, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    with atomic_write(path) as temporary:
        tensor_file.write(temporary, {"isthmus": text}, state.tensors)


def refuse_path(path: Path) -> None:
    """Raise an `OSError` if no file can be at the path."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} for the model file does not exist; create it first")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a file, such as {path / 'model.isthmus'}")


def load(path: str | Path, *, compute: str | Compute | None = None, parts: Iterable[type] = ()) -> Any:
    """Read any estimator that its `save` wrote.

    Parameters
    ----------
    path : str or Path
        The file.
    compute : str or Compute, optional
        Where the model computes, as in `AutoEncoder`. None: as it was trained, on the best device of this machine.
    parts : iterable of classes
        Classes of your own parts that the model needs: ``parts=[Logistic]``. (Registered ones are known already.)

    Returns
    -------
    AutoEncoder, AnomalyDetector or Imputer
        Fitted; its results are those of the one saved, bit for bit on the same machine.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If `parts` holds anything but classes, or two of one name.
    ModelFileError
        If it cannot be read or is no file, is truncated, changed, damaged, of another program or of another version, or
        needs a part that is not known.

    Examples
    --------
    >>> import tempfile
    >>> from isthmus import AutoEncoder
    >>> from sklearn.datasets import load_iris
    >>> path = Path(tempfile.mkdtemp()) / "iris.isthmus"
    >>> AutoEncoder(latent=2, epochs=3, random_state=0).fit(load_iris().data).save(path)
    >>> load(path).latent_
    2
    """
    path = Path(path)
    if compute is not None:
        devices.device(settings_of(compute).device)
    classes = known_classes(parts)
    header, tensors = read(path)
    try:
        return rebuild(header, tensors, compute, classes)
    except UnknownPartError as error:
        needed = ", ".join(missing_parts(header, classes))
        raise ModelFileError(
            f"{path} needs parts that are not known: {needed}; give their classes, load(path, parts=[{needed}]) "
            f"({reason(error)})"
        ) from error
    except Exception as error:  # of whatever kind: the file alone can be at fault
        raise ModelFileError(
            f"{path} is damaged: its header and its tensors do not fit ({reason(error)}); {MEND}"
        ) from error


def reason(error: Exception) -> str:
    """Return what an error says, in one line and not too long."""
    said = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, KeyError):
        said = f"{said} is missing"
    return said if len(said) <= LONGEST_REASON else f"{said[: LONGEST_REASON - 3]}..."


def missing_parts(header: dict[str, Any], known: Classes) -> list[str]:
    """Return the names of the parts that a file needs and nobody knows."""
    return [name for name in sorted(set(parts_named(header))) if name not in known]


def refuse_version(header: dict[str, Any], path: Path) -> None:
    """Raise `ModelFileError` if the file was written by a version whose files differ."""
    schema, version = header["schema"], header.get("isthmus")
    if schema > SCHEMA:
        raise ModelFileError(
            f"{path} was written by isthmus {version}, whose files (schema {schema}) this one "
            f"({isthmus.__version__}, schema {SCHEMA}) does not know; update isthmus"
        )
    if schema < OLDEST:
        raise ModelFileError(
            f"{path} was written by isthmus {version} in an older format (schema {schema}; this one, "
            f"{isthmus.__version__}, reads schemas {OLDEST} to {SCHEMA}): fit the model again and save it"
        )


def read(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Return the header and the tensors of a file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModelFileError
        If it cannot be read, is damaged, of another kind or of another version.
    """
    texts, tensors = contents(path)
    if "isthmus" not in texts:
        raise ModelFileError(
            f"{path} is a safetensors file, but not one that isthmus wrote; give a file that `save` wrote"
        )
    try:
        header = parsed(texts["isthmus"], most_values(path.stat().st_size))
    except ValueError as error:
        raise ModelFileError(f"{path} is damaged: its header is no JSON ({reason(error)}); {MEND}") from error
    schema = header.get("schema") if isinstance(header, dict) else None
    if not isinstance(header, dict) or not isinstance(schema, int) or isinstance(schema, bool):
        raise ModelFileError(f"{path} is damaged: its header does not say which schema it follows; {MEND}")
    refuse_version(header, path)
    if schema >= CHECKED and tensor_file.CHECKSUM not in texts:
        raise ModelFileError(f"{path} is damaged: it has no checksum; {MEND}")
    return header, tensors


def contents(path: Path) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """Return the texts and the tensors of a file; see `read`."""
    try:
        return tensor_file.read(path)
    except tensor_file.ForeignFileError as error:
        raise ModelFileError(
            f"{path} is not a whole model file of isthmus: truncated, or of another kind; {MEND}"
        ) from error
    except tensor_file.TensorFileError as error:
        raise ModelFileError(f"{path} is damaged: {reason(error)}; {MEND}") from error
    except FileNotFoundError as error:
        raise FileNotFoundError(f"there is no model file {path}") from error
    except IsADirectoryError as error:
        raise ModelFileError(f"{path} is a folder; give the path of a model file in it") from error
    except PermissionError as error:
        raise ModelFileError(
            f"{path} may not be read by this user; ask its owner for permission, or give a copy of your own"
        ) from error
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path} cannot be read ({reason(error)}); {MEND}") from error


def rebuild(
    header: dict[str, Any], tensors: dict[str, torch.Tensor], compute: str | Compute | None, classes: Classes
) -> Saveable:
    """Return the fitted estimator that a file holds."""
    kind, parameters = saved_estimator(header, classes)
    if "compute" in parameters:
        parameters["compute"] = elsewhere(parameters["compute"]) if compute is None else compute
    estimator = kind(**parameters)
    estimator.restore_fitted(State(header["fitted"], tensors), classes)
    return estimator


def saved_estimator(header: dict[str, Any], classes: Classes) -> tuple[Any, dict[str, Any]]:
    """Return the class of the estimator that a file holds, and its parameters."""
    parameters = {name: revived(value, classes) for name, value in header["parameters"].items()}
    return estimator_class(header["estimator"]), parameters


def unfitted(path: Path) -> BaseEstimator:
    """Return the estimator of a model file as it was before `fit`, with the device that it computed on.

    Raises
    ------
    FileNotFoundError, ModelFileError
        As `load` does.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no model file {path}")
    header, _ = read(path)
    refuse_version(header, path)
    try:
        kind, parameters = saved_estimator(header, known_classes())
    except UnknownPartError as error:
        raise ModelFileError(f"{path} needs a part that is not known: {error}") from error
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(f"{path} is damaged: its parameters are none ({error})") from error
    estimator: BaseEstimator = kind(**parameters)
    return estimator


def estimator_class(name: str) -> Any:
    """Return the registered estimator of that name."""
    if name in isthmus.__all__:
        getattr(isthmus, name)  # public names are imported when first asked for
    known = {kind.__name__: kind for kind in registry.parts("estimator").values()}
    if name not in known:
        raise ValueError(unknown("estimator", name, known))
    return known[name]


def elsewhere(machine: str | Compute) -> str | Compute:
    """Return the settings of a machine for another one, whose devices may differ."""
    return "auto" if isinstance(machine, str) else replace(machine, device="auto")
