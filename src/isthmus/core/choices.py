"""The error message for an unknown name: what came, what was probably meant, what is known."""

from collections.abc import Iterable
from difflib import get_close_matches


def unknown(kind: str, given: object, known: Iterable[str]) -> str:
    """Return the message that `given` is an unknown `kind`, with the nearest known name if one is near.

    >>> unknown("activation", "rleu", ["relu", "tanh"])
    "unknown activation 'rleu'; did you mean 'relu'? (one of: 'relu', 'tanh')"
    """
    names = [str(name) for name in known]
    near = get_close_matches(str(given), names, n=1, cutoff=0.5)
    question = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown {kind} {given!r}{question} (one of: {', '.join(map(repr, names))})"


def refuse_unknown(kind: str, given: object, known: Iterable[str]) -> None:
    """Raise a `ValueError` with that message if `given` is none of the known names."""
    known = list(known)
    if not isinstance(given, str) or given not in known:
        raise ValueError(unknown(kind, given, known))
