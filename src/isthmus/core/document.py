"""`Document`: plain values from a file, and where in the file each of them is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

Steps: TypeAlias = tuple[str | int, ...]
"""The keys and indices that lead to a value."""
Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str | int, Plain] | None"
"""What a document can hold; keys may be whole numbers."""


class Place(NamedTuple):
    """A place in a text; both numbers begin at 1."""

    line: int
    column: int


class DocumentError(ValueError):
    """A text is not what it should be; the message names the file, the line and the column."""

    def __init__(self, name: str, place: Place, message: str) -> None:
        super().__init__(f"{name}, line {place.line}, column {place.column}: {message}")
        self.given = name, place, message

    def __reduce__(self) -> tuple[type, tuple[str, Place, str]]:
        # Errors are pickled between processes; by default the constructor would get only the message.
        return type(self), self.given


@dataclass(frozen=True)
class Document:
    """Plain values from a file, and where in the file each of them is.

    Parameters
    ----------
    name : str
        Of the file.
    value : Plain
        Everything.
    places : mapping from Steps to Place
        Where keys are, and the items of lists.
    """

    name: str
    value: Plain
    places: Mapping[Steps, Place]

    def place(self, steps: Steps) -> Place:
        """Return where a value is, or the nearest thing around it."""
        while steps and steps not in self.places:
            steps = steps[:-1]
        return self.places.get(steps, Place(1, 1))

    def error(self, steps: Steps, message: str) -> DocumentError:
        """Return the error that a value is wrong."""
        return DocumentError(self.name, self.place(steps), message)


def duplicate(key: object, first: Place) -> str:
    """Return the message that a key is there twice."""
    return f"{key!r} is there twice, first in line {first.line}"
