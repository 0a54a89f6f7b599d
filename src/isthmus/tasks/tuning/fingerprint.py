"""The fingerprint of a search: what must be the same for a journal to be continued."""

import re
import warnings
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from isthmus.data.reading import learn_table
from isthmus.tasks.tuning.dimension import Dimension, label

NOT_COMPARED = ("callbacks", "compute", "random_state", "verbose")
"""Parameters of a model that say where and how loudly it computes."""


def fingerprint(
    X: Any, y: np.ndarray | None, model: BaseEstimator, objective: str, space: Mapping[str, Dimension], asked: str
) -> dict[str, str]:
    """Return the fingerprint, as texts by what they are of."""
    found = {"data": of_rows(X, model), "labels": "none" if y is None else digest([np.asarray(y).astype(str)])}
    found["model"] = of_model(model)
    found |= {"objective": objective, "rows held out": asked}
    return found | {f"space[{name!r}]": str(dimension) for name, dimension in space.items()}


def of_rows(X: Any, model: BaseEstimator) -> str:
    """Return the shape, the names and a digest of all cells of rows."""
    columns = model.get_params(deep=False).get("columns")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is to be said of columns, the fit at the end says
        table, schema = learn_table(X, caller="tune", columns=columns)
    numbers = table.drawn(slice(None))
    parts = [numbers] if isinstance(numbers, np.ndarray) else [numbers.data, numbers.indices, numbers.indptr]
    levels = [str(column.levels) for column in schema.columns or ()]
    names = "" if schema.names is None else f" of columns {', '.join(map(str, schema.names))}"
    return f"{len(table):,} × {table.shape[1]:,} numbers{names}, {digest([*parts, np.array(levels, dtype=str)])}"


def digest(arrays: list[np.ndarray]) -> str:
    """Return a digest of arrays."""
    found = blake2b(digest_size=8)
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def of_model(model: BaseEstimator) -> str:
    """Return the parameters of a model that differ from those of a new one, nested ones too."""
    usual = type(model)().get_params()
    own = {
        name: label(value)
        for name, value in model.get_params().items()
        if name.rpartition("__")[2] not in NOT_COMPARED and label(value) != label(usual.get(name, "no such"))
    }
    words = ", ".join(f"{name}={value}" for name, value in sorted(own.items()))
    return re.sub(r" at 0x[0-9a-f]+", "", f"{type(model).__name__}({words})")


def refuse_other(known: Mapping[str, str], own: Mapping[str, str], path: str) -> None:
    """Raise a `ValueError` that shows in what a journal's search differs from this one."""
    differing = [
        f"{what}: {known.get(what, 'not searched')} there, {own.get(what, 'not searched')} here"
        for what in dict.fromkeys([*known, *own])
        if known.get(what) != own.get(what)
    ]
    if differing:
        raise ValueError(
            f"the journal {path!r} is of another search ({'; '.join(differing)}): continue with what it was begun "
            "with, or name another journal"
        )
