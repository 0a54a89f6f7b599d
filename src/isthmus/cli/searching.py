"""What to search, as words of a command line: ranges and lists of values."""

from collections.abc import Sequence

from isthmus.cli.ending import UsageError
from isthmus.core.scalars import value_of


def space_of(assignments: Sequence[str]) -> dict[str, object]:
    """Return the space that ``NAME=VALUES`` describe: a range ``2:64`` or ``1e-4:1e-2:log``, or a list with commas.

    Examples
    --------
    >>> space_of(["latent=2:64", "learning_rate=1e-4:1e-2:log", "preset=variational,k_sparse"])
    {'latent': (2, 64), 'learning_rate': (0.0001, 0.01, 'log'), 'preset': ['variational', 'k_sparse']}
    >>> space_of(["hidden=[[128],[256,64]]"])
    {'hidden': [(128,), (256, 64)]}

    Raises
    ------
    UsageError
        If one is no name and values.
    """
    space: dict[str, object] = {}
    for text in assignments:
        name, equals, values = text.partition("=")
        if not equals or not name.strip() or not values.strip():
            raise UsageError(
                f"--search {text}: a name and values are expected, such as latent=2:64 or preset=variational,k_sparse"
            )
        space[name.strip().replace(".", "__") if "__" not in name else name.strip()] = values_of(values.strip())
    return space


def values_of(text: str) -> object:
    """Return a range as a tuple, other values as a list."""
    if text.startswith("["):
        found = value_of(text)
        return (
            [tuple(value) if isinstance(value, list) else value for value in found]
            if isinstance(found, list)
            else found
        )
    if ":" in text:
        return tuple(value_of(part.strip()) for part in text.split(":"))
    return [value_of(part.strip()) for part in text.split(",")]
