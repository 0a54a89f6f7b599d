"""Settings from a command line: `--preset variational --latent 16 --hidden 128,64 --set penalty.beta=4`."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from sklearn.base import BaseEstimator

from isthmus.core import registry
from isthmus.core.choices import unknown
from isthmus.core.contract import Part
from isthmus.core.document import Plain
from isthmus.core.scalars import value_of
from isthmus.engine.compute import compute
from isthmus.estimators.autoencoder import AutoEncoder
from isthmus.estimators.kinds import estimator_named
from isthmus.estimators.parameter_checks import refuse_parameters
from isthmus.estimators.recipe import ESTIMATOR, MODEL, PRESET, Recipe, defaults_of, estimator_at, estimator_from
from isthmus.estimators.recipe_error import RecipeError
from isthmus.estimators.recipe_parts import read_value
from isthmus.parts.composition import named

COLUMNS = "columns"
"""The parameter that is a mapping, of which "columns.age=count" sets one kind."""
Target: TypeAlias = BaseEstimator | Part
"""What has parameters."""


def configured(
    recipe: Recipe | None = None,
    *,
    model: str | None = None,
    preset: str | None = None,
    latent: str | int | float | None = None,
    hidden: str | Sequence[int] | None = None,
    assignments: Sequence[str] = (),
    seed: int | None = None,
) -> Any:
    """Return the estimator that a recipe and the options of a command line describe, its parameters checked.

    What stands later overrides what stands before: the recipe, then the options, then the assignments in their order.

    Parameters
    ----------
    recipe : dict, optional
        As `estimator_from` takes it.
    model : str, optional
        The estimator: "AutoEncoder" (the default), "anomaly_detector", "Imputer", ...
    preset : str, optional
        A preset of `isthmus.zoo`. For a model that trains an autoencoder it is that autoencoder.
    latent : str or number, optional
        Size of the code: "16", "0.9" or "auto".
    hidden : str or sequence of int, optional
        Widths of hidden layers: "128,64"; "" or "none" for none.
    assignments : sequence of str
        "name=value" with a parameter of the estimator or preset, or of a part: "penalty.beta=4" (or
        "penalty__beta=4"). Values are numbers, true, false, null, text, lists "[128, 64]", or JSON; parts are given by
        name ("penalty=l1") or as {"l1": {"weight": 0.1}}.
    seed : int, optional
        The `random_state`, unless the recipe or an assignment has one.

    Raises
    ------
    ValueError
        If a name is unknown or a value cannot be; the message begins with the assignment.

    Examples
    --------
    >>> configured(preset="variational", latent="16", assignments=["beta=4", "penalty.warm_up=0.1"], seed=0)
    AutoEncoder(code='gaussian', latent=16,
                penalty=KL(beta=4, warm_up=0.1, free_bits=0.0, capacity=None),
                random_state=0)
    >>> configured(assignments=["penalty=l1", "penalty.weight=.1"]).penalty
    L1(weight=0.1)
    """
    whole: dict[str | int, Plain] = dict(recipe or {})
    if model is not None:
        whole[MODEL] = model
    options: dict[str | int, Plain] = {}
    if preset is not None:
        options[PRESET] = preset
    if latent is not None:
        options["latent"] = value_of(latent) if isinstance(latent, str) else latent
    if hidden is not None:
        options["hidden"] = widths_of(hidden)
    if options:
        whole = with_options(whole, options)
    if seed is not None:
        whole.setdefault("random_state", seed)
    return assigned(whole, assignments)


def with_options(recipe: Recipe, options: Recipe) -> dict[str | int, Plain]:
    """Return a recipe with options of an autoencoder: its own, or those of the one that its model trains."""
    model = recipe.get(MODEL)
    if model is None or estimator_named(str(model)) is AutoEncoder:
        kept = {name: value for name, value in recipe.items() if name != MODEL}
        return {**kept, **options}
    inner = recipe.get(ESTIMATOR) or {}
    if ESTIMATOR not in defaults_of(estimator_named(str(model))) or not isinstance(inner, dict):
        raise ValueError(f"{model} takes no autoencoder of yours: leave {', '.join(map(str, options))} out")
    return {**recipe, ESTIMATOR: {**inner, **options}}


def widths_of(hidden: str | Sequence[int]) -> list[Plain]:
    """Return widths as they were typed.

    >>> widths_of("128,64"), widths_of("none"), widths_of("[32]")
    ([128, 64], [], [32])
    """
    if not isinstance(hidden, str):
        return list(hidden)
    inside = hidden.strip().removeprefix("[").removesuffix("]")
    return [] if inside in ("", "none", "()") else [value_of(width) for width in inside.split(",")]


def assigned(recipe: Mapping[str | int, Plain], assignments: Sequence[str]) -> Any:
    """Return the estimator of a recipe after these assignments."""
    whole, later = dict(recipe), list[tuple[str, list[str], Plain]]()
    for text in assignments:
        names, value = taken_apart(text)
        if names[0] == COLUMNS and len(names) > 1:
            whole[COLUMNS] = {**kinds_in(whole.get(COLUMNS), text), names[1]: value}
        elif len(names) == 1:
            whole[names[0]] = value
            later = [one for one in later if one[1][0] != names[0]]
        else:
            later.append((text, [str(name) for name in names], value))
    texts = {str(taken_apart(text)[0][0]): text for text in assignments if text not in [one[0] for one in later]}
    if not later:
        return told(texts, whole)
    try:
        estimator = estimator_at(whole, ())
    except RecipeError as error:
        raise with_text(error, texts) from error
    for text, path, value in later:
        try:
            assign(estimator, path, value)
        except ValueError as error:
            raise ValueError(f"{text}: {error}") from error
    refuse_parameters(estimator)
    return estimator


def told(texts: Mapping[str, str], recipe: Recipe) -> Any:
    """Return the estimator of a recipe; errors begin with the assignment that they are about."""
    try:
        return estimator_from(recipe)
    except RecipeError as error:
        raise with_text(error, texts) from error


def with_text(error: RecipeError, texts: Mapping[str, str]) -> ValueError:
    """Return an error that begins with the assignment it is about, if it is about one."""
    text = texts.get(str(error.steps[0])) if error.steps else None
    return error if text is None else ValueError(f"{text}: {error.message}")


def kinds_in(columns: Plain, text: str) -> dict[str | int, Plain]:
    """Return the kinds of columns that were given before, by name."""
    if columns is None or isinstance(columns, dict):
        return dict(columns or {})
    raise ValueError(f"{text}: columns is {columns!r} already, not kinds by name")


def taken_apart(text: str) -> tuple[list[str | int], Plain]:
    """Return the names and the value of an assignment.

    >>> taken_apart("penalty__beta=4"), taken_apart("columns.zip.code=category")
    ((['penalty', 'beta'], 4), (['columns', 'zip.code'], 'category'))
    """
    name, equals, value = text.partition("=")
    name = name.strip()
    # The names of columns may have dots and lines in them.
    column = name.removeprefix(f"{COLUMNS}.").removeprefix(f"{COLUMNS}__")
    names: list[str | int] = [COLUMNS, int(column) if column.isdigit() else column]
    if column == name:
        names = [str(one) for one in name.replace("__", ".").split(".")]
    if not equals or not all(names):
        raise ValueError(f"{text!r} is no assignment: write name=value, such as penalty.beta=4")
    try:
        return names, value_of(value)
    except ValueError as error:
        raise ValueError(f"{text}: {error}") from None


def assign(target: Target, names: Sequence[str], value: Plain) -> None:
    """Set a parameter of an estimator, or of a part in it.

    Raises
    ------
    ValueError
        If there is no such parameter, or what should have it has none.
    """
    name, *rest = names
    known = target.get_params(deep=False)
    if name not in known:
        raise ValueError(unknown(f"parameter of {type(target).__name__}", name, known))
    if not rest:
        target.set_params(**{name: read_value(name, value, (name,))})
        return
    if isinstance(known[name], list | tuple):
        parts = [named(name, one) if isinstance(one, str) else one for one in known[name]]
        target.set_params(**{name: parts})
        assign(one_of(name, parts, rest[0]), rest[1:] if is_place(rest[0]) else rest, value)
        return
    holder = part_in(name, known[name])
    target.set_params(**{name: holder})
    assign(holder, rest, value)


def is_place(name: str) -> bool:
    """Return whether a name says which of several parts is meant, and not what is set of it."""
    return name.isdigit() or name in registry.parts("penalty")


def part_in(slot: str, value: object) -> Target:
    """Return the part that a parameter is; for a name the part of that name."""
    if value is None and slot == ESTIMATOR:
        return AutoEncoder()
    if isinstance(value, str):
        if slot == "compute":
            return compute(value)
        if value == "auto" or slot not in registry.SLOTS:
            raise ValueError(f"{slot} is {value!r}, which has no parameters: name a part first, {slot}=NAME")
        made = named(slot, value)
        if isinstance(made, Part):
            return made
    if isinstance(value, Part | BaseEstimator):
        return value
    raise ValueError(f"{slot} is {value!r}, which has no parameters: name a part first, {slot}=NAME")


def one_of(slot: str, parts: Sequence[object], name: str) -> Target:
    """Return the part of several that a position, a name or a parameter names."""
    held = [part for part in parts if isinstance(part, Part)]
    if name.isdigit() and int(name) < len(held) == len(parts):
        return held[int(name)]
    found = [part for part in held if registry.name_of(part, slot) == name]
    found = found or [part for part in held if name in part.get_params(deep=False)]
    if len(found) == 1:
        return found[0]
    names = [registry.name_of(part, slot) for part in held]
    raise ValueError(
        f"{slot} is several parts ({', '.join(names)}), and {name!r} names none of them alone: write "
        f"{slot}.{names[0] if names else 0}.NAME"
    )
