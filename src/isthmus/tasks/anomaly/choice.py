"""Which methods to train: the user's own choice, or the best known ones for the setting."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from isthmus.core.choices import refuse_unknown, unknown
from isthmus.tasks.anomaly.methods import METHODS, DetectionMethod
from isthmus.tasks.anomaly.own_method import Detector, OwnMethod, TrainFunction

SETTINGS = ("clean", "contaminated")
ENSEMBLE = {
    "clean": {"neighbours": 1.0, "ranks": 1.0, "denoiser": 1.0, "rarity": 0.5},
    "contaminated": {"mahalanobis": 1.0, "histogram": 1.0, "denoiser": 1.0},
}
"""The methods of the ensemble in each setting and their weights, where all columns are numbers without gaps."""
ENSEMBLE_MIXED = {
    "clean": {"neighbours": 1.0, "ranks": 1.0, "denoiser": 1.0, "likelihood": 1.0},
    "contaminated": {"mahalanobis": 1.0, "denoiser": 1.0, "likelihood": 1.0},
}
"""The same where columns are of several kinds, or cells are missing."""

Method: TypeAlias = DetectionMethod | OwnMethod
"""A method before training."""
MethodChoice: TypeAlias = str | Detector | TrainFunction | Sequence[str | Detector | TrainFunction]
"""What a user may give as `method`."""


class Choice(NamedTuple):
    """The methods to train, and the reason for them."""

    methods: tuple[Method, ...]
    weights: np.ndarray
    """(M,) how much each method counts."""
    reason: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the methods."""
        return tuple(method.name for method in self.methods)


def refuse_unknown_setting(setting: str) -> None:
    """Raise a `ValueError` if there is no such setting."""
    refuse_unknown("setting", setting, SETTINGS)


def choose(given: MethodChoice, setting: str, *, mixed: bool, sparse: bool, with_estimator: bool) -> Choice:
    """Return the methods to train.

    Parameters
    ----------
    given
        "auto", "ensemble", the name of a method, a user's own method, or several of them.
    setting
        "clean" or "contaminated".
    mixed
        Whether columns are of several kinds, or cells are missing.
    sparse
        Whether the rows are sparse.
    with_estimator
        Whether the user gave an estimator.

    Raises
    ------
    ValueError
        If a name is unknown, or the methods do not suit sparse rows or the estimator.
    TypeError
        If a user's own method lacks a method.
    """
    if is_auto(given) and with_estimator:
        return named({"likelihood": 1.0}, "an estimator was given: rows are scored by its own likelihood")
    if is_auto(given) and sparse:
        why = "rows are sparse: an autoencoder reads them as they are, and rows are scored by its likelihood"
        return named({"likelihood": 1.0}, why)
    if is_auto(given) or is_ensemble(given):
        chosen = named((ENSEMBLE_MIXED if mixed else ENSEMBLE)[setting], ensemble_reason(setting, mixed))
    else:
        methods = asked_for(given)
        chosen = Choice(methods, np.ones(len(methods)), "asked for")
    refuse_unsuitable(chosen, given, sparse=sparse, with_estimator=with_estimator and not is_ensemble(given))
    return chosen


def is_auto(given: MethodChoice) -> bool:
    """Whether the choice is left open."""
    return isinstance(given, str) and given == "auto"


def is_ensemble(given: MethodChoice) -> bool:
    """Whether the ensemble of the setting is asked for."""
    return isinstance(given, str) and given == "ensemble"


def named(weights: Mapping[str, float], reason: str) -> Choice:
    """Return registered methods by name, with their weights."""
    return Choice(tuple(METHODS[name] for name in weights), np.array(list(weights.values())), reason)


def asked_for(given: MethodChoice) -> tuple[Method, ...]:
    """Return the methods that a user names or brings."""
    several = one_by_one(given)
    if not several:
        raise ValueError(unknown("method", given, ["auto", "ensemble", *METHODS, "or several of them in a tuple"]))
    return tuple(resolved(one, several) for one in several)


def one_by_one(given: MethodChoice) -> tuple[str | Detector | TrainFunction, ...]:
    """Return what a user gave as a tuple, also if it is one method."""
    return tuple(given) if isinstance(given, list | tuple) else (given,)  # type: ignore[return-value]


def resolved(one: str | Detector | TrainFunction, several: Sequence[str | Detector | TrainFunction]) -> Method:
    """Return the method of a name, or a user's own; `several` are those given together."""
    if not isinstance(one, str):
        return OwnMethod(one)
    if one not in METHODS:
        alone = len(several) == 1
        raise ValueError(unknown("method", one, ["auto", "ensemble", *METHODS] if alone else METHODS))
    return METHODS[one]


def refuse_unsuitable(chosen: Choice, given: MethodChoice, *, sparse: bool, with_estimator: bool) -> None:
    """Raise a `ValueError` if methods do not take sparse rows, or none of them has a use for the estimator."""
    for_sparse = [name for name, method in METHODS.items() if method.sparse]
    if sparse and not all(method.sparse for method in chosen.methods):
        raise ValueError(
            f"X is sparse, and of the methods only {' and '.join(map(repr, for_sparse))} takes sparse rows; got "
            f"method={given!r}"
        )
    using = [name for name, method in METHODS.items() if method.uses_estimator]
    if with_estimator and not any(method.uses_estimator for method in chosen.methods):
        raise ValueError(
            f"method={given!r} has no use for the estimator; leave method='auto', or take "
            f"{' or '.join(map(repr, using))}"
        )


def refuse_trained(chosen: Choice, given: MethodChoice) -> None:
    """Raise a `ValueError` if a fitted estimator was given for methods that train it, or beside others."""
    if chosen.names != ("likelihood",):
        raise ValueError(
            f"the estimator is fitted, and method={given!r} trains: leave method='auto' to score rows by the "
            "likelihood it has, or give sklearn.base.clone(estimator) to have it trained"
        )


def takes_sparse(given: MethodChoice) -> bool:
    """Whether a detector with this `method` takes sparse rows."""
    if is_auto(given):
        return True
    names = [one for one in one_by_one(given) if isinstance(one, str)]
    return len(names) == len(one_by_one(given)) and all(name in METHODS and METHODS[name].sparse for name in names)


def ensemble_reason(setting: str, mixed: bool) -> str:
    """Say why the methods of the ensemble of a setting are combined."""
    own = "; the likelihood of an autoencoder knows kinds of columns and missing cells" if mixed else ""
    if setting == "clean":
        return (
            "rows are known to be normal: the distances to the nearest rows, of values and of ranks, see what is far "
            "from all of them, and a denoising autoencoder at many noise levels what breaks relations between "
            f"columns{own}"
        )
    rare = "" if mixed else " rare values column by column,"
    return (
        f"some rows may be anomalies: the Mahalanobis distance from the more normal rows,{rare} and a denoising "
        f"autoencoder trained with much noise on rows that are not suspected learn no odd row by heart{own}"
    )
