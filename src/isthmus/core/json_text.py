"""JSON as plain values with their places."""

import json
import re

from isthmus.core.document import Document, DocumentError, Place, Plain, Steps, duplicate

SPACE = re.compile(r"[ \t\r\n]*")


def parse_json(text: str, name: str) -> Document:
    r"""Return the values of a text in JSON.

    Parameters
    ----------
    text
        The text.
    name
        Of the file, for messages.

    Raises
    ------
    DocumentError
        If it is no JSON, or a key is there twice; with line and column.

    Examples
    --------
    >>> document = parse_json('{\n  "latent": 16,\n  "hidden": [128, 64]\n}', "run.json")
    >>> document.value, document.place(("hidden", 1))
    ({'latent': 16, 'hidden': [128, 64]}, Place(line=3, column=19))
    """
    reader = JsonReader(text, name)
    value = reader.read(())
    reader.skip()
    if reader.at < len(text):
        raise reader.refused("the end was expected", reader.at)
    return Document(name, value, reader.places)


class JsonReader:
    """Reads a text from its begin to its end, and remembers where values are."""

    def __init__(self, text: str, name: str) -> None:
        self.text, self.name = text, name
        self.at = 0
        self.places: dict[Steps, Place] = {}
        self.decoder = json.JSONDecoder(parse_constant=self.constant)

    def read(self, steps: Steps) -> Plain:
        """Return the value that begins here."""
        self.skip()
        if self.text[self.at : self.at + 1] == "{":
            return self.mapping(steps)
        if self.text[self.at : self.at + 1] == "[":
            return self.items(steps)
        return self.scalar()

    def scalar(self) -> Plain:
        """Return the scalar that begins here."""
        try:
            value: Plain
            value, self.at = self.decoder.raw_decode(self.text, self.at)
        except json.JSONDecodeError as error:
            raise self.refused(f"no JSON ({error.msg})", error.pos) from None
        return value

    def mapping(self, steps: Steps) -> dict[str | int, Plain]:
        """Return the mapping that begins here."""
        found: dict[str | int, Plain] = {}
        self.at += 1
        while not self.taken("}"):
            if found:
                self.demand(",")
            self.skip()
            start = self.at
            if not self.text.startswith('"', start):
                self.demand('"')
            key = str(self.scalar())
            inner = (*steps, key)
            if key in found:
                raise self.refused(duplicate(key, self.places[inner]), start)
            self.places[inner] = self.place(start)
            self.demand(":")
            found[key] = self.read(inner)
        return found

    def items(self, steps: Steps) -> list[Plain]:
        """Return the list that begins here."""
        found: list[Plain] = []
        self.at += 1
        while not self.taken("]"):
            if found:
                self.demand(",")
            self.skip()
            inner = (*steps, len(found))
            self.places[inner] = self.place(self.at)
            found.append(self.read(inner))
        return found

    def skip(self) -> None:
        """Go over spaces and line ends."""
        space = SPACE.match(self.text, self.at)
        self.at = self.at if space is None else space.end()

    def taken(self, mark: str) -> bool:
        """Go over a mark if it comes next, and return whether it did."""
        self.skip()
        here = self.text.startswith(mark, self.at)
        self.at += here
        return here

    def demand(self, mark: str) -> None:
        """Go over a mark that must come next."""
        if not self.taken(mark):
            came = repr(self.text[self.at]) if self.at < len(self.text) else "the end"
            raise self.refused(f"no JSON ({mark!r} was expected; {came} came)", self.at)

    def constant(self, name: str) -> float:
        """Refuse what is no JSON although Python writes it."""
        raise self.refused(f"no JSON ({name} is no number)", self.at)

    def place(self, at: int) -> Place:
        """Return a position in the text as a place."""
        return Place(self.text.count("\n", 0, at) + 1, at - self.text.rfind("\n", 0, at))

    def refused(self, message: str, at: int) -> DocumentError:
        """Return the error that something is wrong at a position."""
        return DocumentError(self.name, self.place(at), message)
