"""JSON lines: one record per line; and JSON that is one list of records."""

import io
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from isthmus.data.files.compression import open_bytes
from isthmus.data.files.encodings import found_encoding, known_encoding
from isthmus.data.files.places import Place
from isthmus.data.files.registry import Found, Wishes, reads
from isthmus.data.files.spilling import Collector, collected
from isthmus.data.files.text_streams import Utf8Stream
from isthmus.data.files.value_types import ValueColumns

ROWS = 20_000
"""Records that are converted at a time."""
Record = dict[str, Any]


class JsonFile:
    """A file of records.

    Parameters
    ----------
    place
        The file.
    wishes
        What the user says about it.
    """

    def __init__(self, place: Place, wishes: Wishes) -> None:
        self.place = place
        self.shown = place.shown
        self.left_out = wishes.roles.exclude
        if wishes.encoding is None:
            self.encoding = found_encoding(partial(open_bytes, place), self.shown)
        else:
            self.encoding = known_encoding(wishes.encoding)
        with self.lines() as lines:
            self.one_list = next((line.lstrip()[0] == "[" for line in lines if line.strip()), False)
        self.nested = False

    def lines(self) -> io.TextIOWrapper:
        """Open the file as lines of text."""
        stream = Utf8Stream(open_bytes(self.place), self.encoding, self.shown)
        return io.TextIOWrapper(io.BufferedReader(stream, 1 << 20), "utf-8")

    def records(self) -> Iterator[Record]:
        """Yield the records, flat."""
        with self.lines() as lines:
            for where, record in self.listed(lines) if self.one_list else self.one_per_line(lines):
                if not isinstance(record, dict):
                    raise ValueError(
                        f"{where} of {self.shown} is {kind_of(record)} and not a record in braces, such as "
                        '{"age": 41, "town": "Bonn"}; write one record per line'
                    )
                flat: Record = {}
                self.flatten(record, "", flat, where)
                yield flat

    def one_per_line(self, lines: io.TextIOWrapper) -> Iterator[tuple[str, Any]]:
        """Yield where each record is, and the record, of a file with one per line."""
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield f"line {number}", json.loads(line)
                except ValueError as error:
                    place = f"column {error.colno}" if isinstance(error, json.JSONDecodeError) else "somewhere"
                    raise ValueError(
                        f"line {number} of {self.shown} is no JSON ({place}: {str(error).split(':')[0]}); write one "
                        "whole record per line"
                    ) from error

    def listed(self, lines: io.TextIOWrapper) -> Iterator[tuple[str, Any]]:
        """Yield where each record is, and the record, of a file that is one list."""
        try:
            found = json.load(lines)
        except json.JSONDecodeError as error:
            raise ValueError(
                f"{self.shown} is no JSON: {error.msg} in line {error.lineno}, column {error.colno}; mend it there"
            ) from error
        yield from ((f"record {number}", record) for number, record in enumerate(found, 1))

    def flatten(self, record: Record, before: str, flat: Record, where: str) -> None:
        """Put the values of a record, and of records in it, under names joined by dots."""
        for name, value in record.items():
            full = before + name
            if full in self.left_out:
                flat[full] = None
            elif isinstance(value, dict):
                self.nested = True
                self.flatten(value, f"{full}.", flat, where)
            elif isinstance(value, list):
                raise ValueError(
                    f"{full!r} in {where} of {self.shown} is a list, which is no cell of a table: write its values as "
                    f"columns of their own, or leave it out with exclude={full!r}"
                )
            elif full in flat:
                raise ValueError(f"{where} of {self.shown} has two values called {full!r}; give each its own name")
            else:
                flat[full] = value

    def blocks(self, names: list[str]) -> Iterator[dict[str, list[Any]]]:
        """Yield the values of the columns, some thousand rows at a time."""
        rows: list[Record] = []
        for record in self.records():
            rows.append(record)
            if len(rows) == ROWS:
                yield {name: [row.get(name) for row in rows] for name in names}
                rows = []
        if rows:
            yield {name: [row.get(name) for row in rows] for name in names}


def kind_of(value: object) -> str:
    """Return what a value of JSON is, in words."""
    kinds = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "a truth value"}
    return kinds.get(type(value), "null")


@reads("json", (".jsonl", ".ndjson", ".json"), "JSON records, one per line", inside=True)
def read_json(place: Place, wishes: Wishes) -> Found:
    """Read records; columns are all names that occur in any of them."""
    file = JsonFile(place, wishes)
    names: dict[str, None] = {}
    for record in file.records():
        names.update(dict.fromkeys(record))
    if not names:
        raise ValueError(f"{place.shown} holds no records; write one per line, in braces")
    split = wishes.roles.split(list(names), place.shown)
    types = ValueColumns(place.shown, split.needed, wishes.as_written)
    collector = Collector(split, wishes.limit, wishes.folder)
    found = collected(lambda: file.blocks(list(split.needed)), types, collector)
    told = "one list of JSON records" if file.one_list else "JSON records, one per line"
    flat = ["records within records became columns, with dots in their names"] if file.nested else []
    return Found(found, [told, *flat, *types.told()])
