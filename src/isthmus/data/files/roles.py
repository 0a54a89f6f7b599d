"""Which columns are trained on, and which are carried along: identifiers, a target, what is left out."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from isthmus.data.files.places import meant


@dataclass(frozen=True)
class Roles:
    """What the user says of columns.

    Parameters
    ----------
    columns
        Those that are trained on; None for all that have no other role.
    exclude
        Those that are left out.
    ids
        Those that identify rows.
    target
        The one that holds labels.
    """

    columns: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    target: str | None = None

    @property
    def none(self) -> bool:
        """Whether the user says nothing."""
        return self == Roles()

    def split(self, names: Sequence[str], shown: str) -> "Split":
        """Return which of the columns that are there have which role.

        Raises
        ------
        ValueError
            If a column is not there, has two roles, or none is left to train on; the message names it.
        """
        ids = tuple(found_name(name, names, shown) for name in self.ids)
        target = None if self.target is None else found_name(self.target, names, shown)
        exclude = tuple(found_name(name, names, shown) for name in self.exclude)
        carried = {*ids, *exclude, *([] if target is None else [target])}
        if self.columns is None:
            data = tuple(name for name in names if name not in carried)
        else:
            data = tuple(dict.fromkeys(found_name(name, names, shown) for name in self.columns))
            both = [name for name in data if name in carried]
            if both:
                raise ValueError(
                    f"column {both[0]!r} is to be trained on and left out of the training at once; name it only once"
                )
        if not data:
            raise ValueError(
                f"no column of {shown} is left to train on: all {len(names)} are ids, target or excluded; name fewer"
            )
        return Split(data, ids, target)


@dataclass(frozen=True)
class Split:
    """Names of columns by their role."""

    data: tuple[str, ...]
    ids: tuple[str, ...] = ()
    target: str | None = None

    @property
    def needed(self) -> tuple[str, ...]:
        """All columns that must be read, each once."""
        return tuple(dict.fromkeys([*self.data, *self.ids, *([] if self.target is None else [self.target])]))


def found_name(name: str, names: Sequence[str], shown: str) -> str:
    """Return the column that a name stands for: itself, or the only one called so before a colon (`age:float`)."""
    if name in names:
        return name
    before_colon = [known for known in names if known.partition(":")[0] == name]
    if len(before_colon) == 1:
        return before_colon[0]
    raise ValueError(f"{shown} has no column {name!r}; it has {listed_names(names)}{meant(name, names)}")


def listed_names(names: Sequence[str]) -> str:
    """Return the names of columns for a message, the first twenty."""
    return ", ".join(map(repr, names[:20])) + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def as_names(given: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return names that came as a sequence, or as one text with commas between them.

    >>> as_names("id, day"), as_names(["a,b"])
    (('id', 'day'), ('a,b',))
    """
    if given is None:
        return ()
    if isinstance(given, str):
        return tuple(name.strip() for name in given.split(",") if name.strip())
    return tuple(given)


def roles_of(
    columns: str | Collection[str] | None,
    exclude: str | Collection[str],
    ids: str | Collection[str],
    target: str | None,
) -> Roles:
    """Return what the user says of columns."""
    return Roles(None if columns is None else as_names(columns), as_names(exclude), as_names(ids), target)
