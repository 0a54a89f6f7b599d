"""Checks of parameters that need no data: what `fit` would refuse of any table is refused before one is read."""

import math
from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable

import numpy as np
from sklearn.base import BaseEstimator

from isthmus.core import registry
from isthmus.core.checks import is_number
from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Part
from isthmus.data.columns import column_choices
from isthmus.data.scaling import SCALES
from isthmus.engine import devices
from isthmus.engine.compute import compute
from isthmus.estimators import checks, rules, validation
from isthmus.estimators.closed_form import choice
from isthmus.estimators.parameters import Parameters
from isthmus.parts.backbones import Dense
from isthmus.parts.by_shape import ByShape
from isthmus.parts.composition import compose, part, several
from isthmus.parts.likelihoods import Gaussian
from isthmus.parts.mixed import Mixed

ROWS, VALIDATION_ROWS = 1000, 100
"""Numbers of rows to try a plan with."""
SHAPE = (8, 8)
"""The shape of images to try parts with that need one."""
MANY = 5040
"""The size of a code of unknown size, which many numbers divide."""


class ParameterError(ValueError):
    """A parameter is wrong whatever the data are."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


@runtime_checkable
class ChecksParameters(Protocol):
    """An estimator that can check its parameters before it sees data."""

    def check_parameters(self) -> None:
        """Raise a `ValueError` if a parameter is wrong whatever the data are."""


def refuse_parameters(estimator: BaseEstimator) -> None:
    """Raise a `ValueError` if a parameter of an estimator is wrong whatever the data are; nothing is trained.

    Examples
    --------
    >>> from isthmus import KL, AutoEncoder
    >>> refuse_parameters(AutoEncoder(code="gaussian", penalty=KL(beta=-1)))
    Traceback (most recent call last):
    isthmus.estimators.parameter_checks.ParameterError: beta of KL must be a number of at least 0; got -1
    """
    if isinstance(estimator, ChecksParameters):
        estimator.check_parameters()


def refuse_parameters_of_autoencoder(parameters: Parameters) -> None:
    """Raise a `ParameterError` if a parameter of an `AutoEncoder` is wrong whatever the data are.

    Parts are built for rows of a shape that suits them; their weights are not written.
    """
    for name, refuse in CHECKS.items():
        try:
            refuse(parameters)
        except ParameterError:
            raise
        except (ValueError, TypeError) as error:
            raise ParameterError(name, str(error)) from error


def refuse_latent(parameters: Parameters) -> None:
    """Refuse a size of the code."""
    if not rules.is_auto(parameters.latent):
        rules.refuse_latent(parameters.latent)
        if not rules.is_share(parameters.latent):
            checks.refuse_too_large(numbers_of(parameters), rules.hidden_widths(parameters), code_size(parameters))


def refuse_hidden(parameters: Parameters) -> None:
    """Refuse widths and activations."""
    rules.refuse_layers_beside_encoder(parameters)
    if parameters.encoder is None:
        Dense(parameters.hidden, parameters.activation).build_encoder(2, 2)


def refuse_parts(slot: str) -> Callable[[Parameters], None]:
    """Return the check of the parts that fill a slot."""

    def refuse(parameters: Parameters) -> None:
        for given in several(getattr(parameters, slot)):
            if given is not None and not rules.is_auto(given):
                for one in by_shape(slot, given, shape_of(parameters)):
                    build(slot, one, numbers_of(parameters), code_size(parameters))

    return refuse


PARTS: dict[str, Callable[[object], object]] = {
    "encoder": lambda given: part("encoder", given),
    "decoder": lambda given: part("decoder", given),
    "code": lambda given: part("code", given),
    "likelihood": lambda given: part("likelihood", given),
    "corruption": lambda given: part("corruption", given),
}
"""What returns the part that a name means, by slot."""


def build(slot: str, given: object, features: int, latent: int) -> None:
    """Build a part for rows of that many numbers and codes of that size; a `ValueError` says what is wrong with it."""
    if slot == "encoder":
        part("encoder", given).build_encoder(features, latent)
    elif slot == "decoder":
        part("decoder", given)
    elif slot == "code":
        part("code", given).build(latent)
    elif slot == "likelihood":
        part("likelihood", given).build(own_numbers(given) or features)
    elif slot == "corruption":
        part("corruption", given).build(features)
    elif slot == "penalty":
        part("penalty", given).build(features, latent)
    else:
        part("objective", given).build(features, latent)


def by_shape(slot: str, given: object, shape: tuple[int, ...]) -> Iterator[object]:
    """Yield the parts for rows of columns and for images that a part stands for, each knowing the shape of these."""
    if isinstance(given, ByShape):
        # Which of them is used, the data decide; by default the part for images is an encoder in any slot.
        both = [given.rows, given.for_shape(shape)]
        yield from [one for one in both if isinstance(one, str) or type(one) in registry.parts(slot).values()] or both
    else:
        yield for_images(slot, given, shape)


def for_images(slot: str, given: object, shape: tuple[int, ...]) -> object:
    """Return the part for images of a shape; a name stands for its part, what is no part stays."""
    found = PARTS[slot](given) if isinstance(given, str) and slot in PARTS else given
    return found.for_shape(shape) if isinstance(found, Part) else found


def own_numbers(likelihood: object) -> int:
    """Return the numbers of the rows that a likelihood is for, if it says so; else 0."""
    given = likelihood.get_params(deep=False) if isinstance(likelihood, Part) else {}
    return sum(given.get("cells", ())) or sum(given.get("sizes", ()))


def numbers_of(parameters: Parameters) -> int:
    """Return the numbers of a row that suits the parts."""
    return own_numbers(parameters.likelihood) or math.prod(shape_of(parameters))


def shape_of(parameters: Parameters) -> tuple[int, ...]:
    """Return the shape of images that one of the parts has, or the one to try."""
    for given in (parameters.encoder, parameters.decoder, parameters.corruption):
        shape = given.get_params(deep=False).get("shape") if isinstance(given, Part) else None
        if isinstance(shape, tuple) and all(map(is_number, shape)):
            return shape
    return SHAPE


def code_size(parameters: Parameters) -> int:
    """Return the size of the code, or one that suits most parts if the data decide."""
    latent = parameters.latent
    return MANY if rules.is_auto(latent) or rules.is_share(latent) else int(latent)


def refuse_combination(parameters: Parameters) -> None:
    """Refuse parts that do not suit each other."""
    given = {slot: getattr(parameters, slot) for slot in (*PARTS, "penalty", "objective")}
    for slot in PARTS:
        if not rules.is_auto(given[slot]):
            *_, given[slot] = by_shape(slot, given[slot], shape_of(parameters))
    if given["encoder"] is None:
        given["encoder"] = Dense(parameters.hidden, parameters.activation)
    if rules.is_auto(given["corruption"]):
        given["corruption"] = None
    features, latent = numbers_of(parameters), code_size(parameters)
    if not rules.is_auto(given["likelihood"]):
        compose(features, latent, **given)
        return
    try:
        compose(features, latent, **given | {"likelihood": Gaussian()})
    except ValueError:
        # Some parts need what a table of several kinds of columns has, such as a place for missing cells.
        try:
            compose(features, latent, **given | {"likelihood": Mixed((Gaussian(),), (features,))})
        except ValueError:
            compose(features, latent, **given | {"likelihood": Gaussian()})


def refuse_scale(parameters: Parameters) -> None:
    """Refuse an unknown scale."""
    refuse_unknown("scale", "none" if parameters.scale is None else parameters.scale, ("auto", *SCALES))


def refuse_columns(parameters: Parameters) -> None:
    """Refuse kinds of columns that there are not."""
    refuse_kinds(parameters.columns)


def refuse_kinds(columns: object) -> None:
    """Refuse kinds of columns that there are not, in any form in which they may be given."""
    if isinstance(columns, str):
        refuse_unknown("columns", columns, ["auto", *column_choices()])
    elif isinstance(columns, dict | list | tuple):
        for kind in columns.values() if isinstance(columns, dict) else columns:
            refuse_unknown("kind of column", kind, column_choices())
    elif columns is not None:
        raise ValueError(
            "columns must be None, 'auto', a kind for all columns, a mapping from names to kinds, or a sequence of "
            f"kinds; got {columns!r}"
        )


def refuse_machine(parameters: Parameters) -> None:
    """Refuse a device that this machine does not have, and numbers of threads that are none."""
    machine = compute(parameters.compute)
    devices.number_type(machine.precision, machine.on, wide=True, cells=ROWS)
    devices.thread_counts(machine.threads, 1.0)


def refuse_validation(parameters: Parameters) -> None:
    """Refuse what does not say which rows validate."""
    given = parameters.validation
    if rules.is_auto(given) or is_number(given):
        rules.validation_rows(given, ROWS)
    elif given != "last" if isinstance(given, str) else np.ndim(np.asarray(given, dtype=object)) == 0:
        raise ValueError(f"validation must be {validation.FORMS}; got {given!r}")


def refuse_seed(parameters: Parameters) -> None:
    """Refuse what is no seed; a generator is not drawn from."""
    if not isinstance(parameters.random_state, np.random.RandomState | np.random.Generator):
        checks.seed(parameters.random_state)


CHECKS: dict[str, Callable[[Parameters], object]] = {
    "hidden": refuse_hidden,
    "latent": refuse_latent,
    **{slot: refuse_parts(slot) for slot in ("encoder", "decoder", "code", "likelihood", "penalty", "corruption")},
    "objective": refuse_parts("objective"),
    "init": lambda parameters: refuse_unknown("init", parameters.init, rules.INITS),
    "scale": refuse_scale,
    "columns": refuse_columns,
    "compute": refuse_machine,
    "validation": refuse_validation,
    "epochs": lambda parameters: rules.plan(parameters, ROWS, VALIDATION_ROWS),
    "random_state": refuse_seed,
    "verbose": lambda parameters: checks.verbosity(parameters.verbose),
    "callbacks": lambda parameters: checks.callbacks(parameters.callbacks),
    "parts": refuse_combination,
    "floor": choice,
}
"""What refuses a parameter, by its name; "epochs" and "parts" stand for several, whose names are in the messages."""
