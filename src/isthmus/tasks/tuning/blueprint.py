"""`Blueprint`: from the values of a space's dimensions to the estimator that they mean."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from difflib import get_close_matches
from inspect import Parameter, signature
from typing import TYPE_CHECKING

from sklearn.base import BaseEstimator, clone

import isthmus.zoo  # noqa: F401  presets register themselves
from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Part
from isthmus.core.registry import SLOTS, parts
from isthmus.estimators import AutoEncoder, rules
from isthmus.tasks.tuning.dimension import Dimension
from isthmus.zoo.preset import FAMILIES

if TYPE_CHECKING:
    from optuna.trial import Trial

PRESET = "preset"
"""The dimension that chooses among the presets of `zoo`."""
LAYERS = ("hidden", "activation")
"""What an encoder of its own replaces."""

Ask = Callable[[Dimension], object]
"""From a dimension to its value; raises `KeyError` if it has none."""


def presets() -> dict[str, Callable[..., AutoEncoder]]:
    """Return the presets of the zoo, by name."""
    return {preset.__name__: preset for family in FAMILIES.values() for preset in family}


@dataclass(frozen=True, eq=False)
class Blueprint:
    """An estimator, and the parameters of it that a search changes.

    Parameters
    ----------
    model : estimator
        As the user gave it, with the seed of the search.
    space : mapping
        The dimensions, by name: a parameter, a nested one (``penalty__weight``), ``preset``, or an argument of a preset
        (``k_sparse.top_k``).
    fixed : mapping
        Parameters that are set in every trial.

    Raises
    ------
    ValueError
        If the estimator has no such parameter; near names are told.
    """

    model: BaseEstimator
    space: Mapping[str, Dimension]
    fixed: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        chosen = self.space.get(PRESET)
        if chosen is not None:
            if not isinstance(self.model, AutoEncoder):
                raise ValueError(f"space['preset'] chooses among autoencoders, and model is {self.model!r}")
            for choice in chosen.choices or (chosen,):
                if choice is not None:
                    refuse_unknown("preset", choice, presets())
        known = self.known_names()
        for name in self.space:
            if name not in known:
                raise ValueError(unknown_parameter(type(self.model).__name__, name, known))

    def known_names(self) -> list[str]:
        """Return the names that a dimension may have."""
        found = dict.fromkeys(self.model.get_params(deep=True))
        for name, dimension in self.space.items():
            for choice in dimension.choices:
                part = part_of(name, choice)
                if isinstance(part, Part | BaseEstimator):
                    found |= dict.fromkeys(f"{name}__{nested}" for nested in part.get_params())
        if isinstance(self.model, AutoEncoder):
            found[PRESET] = None
            chosen = self.space.get(PRESET)
            for choice in chosen.choices if chosen is not None else ():
                if choice is not None:
                    found |= dict.fromkeys(presets()[str(choice)]().get_params())
                    found |= dict.fromkeys(f"{choice}.{argument}" for argument in arguments(str(choice)))
        return list(found)

    def defaults(self) -> BaseEstimator:
        """Return the estimator as the user gave it, with the fixed parameters."""
        return clone(self.model).set_params(**self.fixed)

    def default_records(self) -> dict[str, object]:
        """Return what the defaults are in each dimension, as a journal records it, where the dimension has that."""
        own = {PRESET: None, **self.defaults().get_params(deep=True)}
        if rules.is_auto(own.get("learning_rate")):
            own["learning_rate"] = rules.LEARNING_RATE
        found = {name: entry.recorded(own[name]) for name, entry in self.space.items() if name in own}
        return {name: record for name, record in found.items() if record is not None}

    def suggested(self, trial: "Trial") -> BaseEstimator:
        """Return the estimator of a trial."""
        return self.made(lambda dimension: dimension.suggest(trial))

    def recorded(self, records: Mapping[str, object]) -> BaseEstimator:
        """Return the estimator of the values that a journal has."""
        return self.made(lambda dimension: dimension.value(records[dimension.name]))

    def values(self, records: Mapping[str, object]) -> dict[str, object]:
        """Return the values that a journal has recorded."""
        return {name: self.space[name].value(record) for name, record in records.items()}

    def made(self, ask: Ask) -> BaseEstimator:
        """Return the estimator of the values that are told; dimensions that it does not have are not asked for."""
        name = self.asked(ask, PRESET, None)
        plain = [key for key in self.space if "__" not in key and "." not in key and key != PRESET]
        own = {} if name is None else {key: self.asked(ask, f"{name}.{key}") for key in self.arguments_of(str(name))}
        if name is not None:
            taken = parts_of(presets()[str(name)](**own))
            plain = [key for key in plain if key not in taken]
        settings = dict(self.fixed) | {key: self.with_parts(key, self.asked(ask, key)) for key in plain}
        if name is None:
            made = clone(self.model).set_params(**settings)
        else:
            made = presets()[str(name)](**self.set_by_user() | settings | own)
        for key in sorted((key for key in self.space if "__" in key), key=lambda key: key.count("__")):
            if key in made.get_params(deep=True):
                made.set_params(**{key: self.asked(ask, key)})
        return made

    def asked(self, ask: Ask, name: str, *default: object) -> object:
        """Return the value of a dimension; the default if the space does not have it."""
        return default[0] if default and name not in self.space else ask(self.space[name])

    def arguments_of(self, preset: str) -> list[str]:
        """Return the arguments of a preset that are searched."""
        return [name.partition(".")[2] for name in self.space if name.startswith(f"{preset}.")]

    def set_by_user(self) -> dict[str, object]:
        """Return the parameters in which the user's estimator differs from one without any."""
        usual = type(self.model)().get_params(deep=False)
        own = clone(self.model).get_params(deep=False)
        return {name: value for name, value in own.items() if value is not usual[name] and value != usual[name]}

    def with_parts(self, slot: str, value: object) -> object:
        """Return a part of its own, also in the place of its name, if parameters of the part are searched."""
        nested = any(name.startswith(f"{slot}__") for name in self.space)
        return deepcopy(part_of(slot, value)) if nested else value


def parts_of(preset: AutoEncoder) -> set[str]:
    """Return the parameters that make a preset what it is: its parts, which nothing else may replace."""
    usual = AutoEncoder().get_params(deep=False)
    own = {slot for slot in (*SLOTS, "init") if slot in usual and getattr(preset, slot) != usual[slot]}
    return own | set(LAYERS) if "encoder" in own else own


def part_of(slot: str, value: object) -> object:
    """Return the part of that name, with its own defaults; anything else as it is."""
    if slot not in SLOTS or not isinstance(value, str) or value not in parts(slot):
        return value
    return parts(slot)[value]()


def arguments(preset: str) -> list[str]:
    """Return the names of the arguments of a preset."""
    found = signature(presets()[preset]).parameters.values()
    return [parameter.name for parameter in found if parameter.kind is not Parameter.VAR_KEYWORD]


def unknown_parameter(model: str, name: str, known: list[str]) -> str:
    """Return the message that no parameter of the model has a name."""
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    question = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    plain = ", ".join(repr(other) for other in known if "__" not in other and "." not in other)
    return f"space: {model} has no parameter {name!r}{question} (one of: {plain}, or a nested one, 'penalty__weight')"
