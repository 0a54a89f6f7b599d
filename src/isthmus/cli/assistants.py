"""The commands as tools for assistants: their schemas, the folder that they are confined to, and how they are run."""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isthmus.cli.described import Described, Taken, described, is_choice, is_path
from isthmus.core.choices import unknown
from isthmus.core.json_type import Json

NO_TOOLS = ("mcp", "reproduce")
"""Commands that are no tools: a server within a server, and an hour's work."""
ALWAYS = ("as_json", "quiet", "debug")
"""Options that the server sets itself."""
NAMES = {str: "string", Path: "string", int: "integer", float: "number", bool: "boolean"}


class OutsideError(ValueError):
    """A path leads out of the folder that the tools are confined to."""


@dataclass(frozen=True)
class Tool:
    """A command as a tool."""

    name: str
    command: Described

    @property
    def taken(self) -> tuple[Taken, ...]:
        """What the caller may give."""
        return tuple(one for one in self.command.taken if one.name not in ALWAYS)

    def schema(self) -> dict[str, Json]:
        """Return the JSON schema of the arguments."""
        return {
            "type": "object",
            "properties": {one.name: schema_of(one) for one in self.taken},
            "required": [one.name for one in self.taken if one.required],
            "additionalProperties": False,
        }

    def words(self, arguments: Mapping[str, Any], root: Path) -> list[str]:
        """Return the words of the command line for these arguments.

        Raises
        ------
        ValueError
            If an argument is unknown, missing or of the wrong type, or a path leads out of the folder `root`.
        """
        known = {one.name: one for one in self.taken}
        for name in arguments:
            if name not in known:
                raise ValueError(unknown("argument", name, known))
        words: list[str] = []
        places: list[str] = []
        for one in self.taken:
            value = arguments.get(one.name)
            if value is None:
                if one.required:
                    raise ValueError(f"{self.name} needs the argument {one.name!r}: {one.help}")
                continue
            for single in value if one.many and isinstance(value, list) else [value]:
                refuse_type(one, single)
                if is_path(one):
                    refuse_outside(str(single), root)
                if not one.flag:
                    places.append(str(single))
                elif one.type is bool:
                    words.append(one.flag if single else one.off)
                else:
                    words.append(f"{one.flag}={single}")
        return [*self.command.words, *filter(None, words), "--json", "--", *places]


def tools() -> dict[str, Tool]:
    """Return the tools by name: `zoo show` is `zoo_show`."""
    found = (Tool("_".join(command.words), command) for command in described() if command.words[0] not in NO_TOOLS)
    return {tool.name: tool for tool in found}


def schema_of(one: Taken) -> dict[str, Json]:
    """Return the JSON schema of an argument."""
    schema: dict[str, Json] = {"description": one.help or one.metavar}
    if one.name == "then":
        schema["description"] = "The data, if the first argument is a model file."
    if is_choice(one.type):
        return schema | {"type": "string", "enum": [str(member) for member in one.type]}  # type: ignore[attr-defined]
    if one.many:
        return schema | {"type": "array", "items": {"type": NAMES[one.type]}}
    return schema | {"type": NAMES[one.type]}


def refuse_type(one: Taken, value: object) -> None:
    """Raise a `ValueError` if a value is not of the type that its schema says."""
    expected = {int: (int,), float: (int, float), bool: (bool,)}.get(one.type, (str,))
    if not isinstance(value, expected) or (isinstance(value, bool) and one.type is not bool):
        name = "string" if is_choice(one.type) else NAMES[one.type]
        raise ValueError(f"the argument {one.name!r} must be of type {name}; got {value!r}")


def refuse_outside(value: str, root: Path) -> None:
    """Raise an `OutsideError` if a place is not within a folder, links followed; names of data sets are fine.

    Examples
    --------
    >>> refuse_outside("rows.csv", Path("/data"))
    >>> refuse_outside("../secret.csv", Path("/data"))
    Traceback (most recent call last):
    ...
    isthmus.cli.assistants.OutsideError: '../secret.csv' is outside of the folder that these tools may read and write; \
give a path within it
    """
    if value == "-":
        raise OutsideError("tools read and write files, not standard input and output; give a path")
    # "~" stands for a home wherever a path is read.
    if value.startswith("~") or any(not within(place, root) for place in places_of(value, root)):
        raise OutsideError(
            f"{value!r} is outside of the folder that these tools may read and write; give a path within it"
        )


def places_of(value: str, root: Path) -> Iterable[Path]:
    """Yield the files that a value may mean: itself, what a pattern matches, and what is in a folder."""
    place = root / value.partition("::")[0]
    yield place
    yield root / value
    if any(sign in value for sign in "*?["):
        yield from root.glob(value) if not Path(value).is_absolute() else [Path(value)]
    elif place.is_dir():
        yield from place.rglob("*")


def within(place: Path, root: Path) -> bool:
    """Whether a path is in a folder, links followed."""
    return place.resolve().is_relative_to(root.resolve())


async def run(tool: Tool, arguments: Mapping[str, Any], root: Path, seconds: float | None) -> tuple[Json, bool]:
    """Run a tool in a process of its own; return what it printed as JSON, and whether it failed."""
    import anyio

    try:
        words = tool.words(arguments, root)
    except ValueError as error:
        return {"error": str(error)}, True
    try:
        with anyio.fail_after(seconds):
            ended = await anyio.run_process([sys.executable, "-m", "isthmus", *words], cwd=root, check=False)
    except TimeoutError:
        return {"error": f"{tool.name} took more than {seconds:g} s and was ended"}, True
    text = ended.stdout.decode(errors="replace").strip()
    try:
        found: Json = json.loads(text.splitlines()[-1]) if text else {}
    except json.JSONDecodeError:
        found = {"text": text}
    if ended.returncode and not text:
        lines = ended.stderr.decode(errors="replace").strip().splitlines()
        found = {"error": lines[-1] if lines else f"{tool.name} failed"}
    # A check that fails on request has a result all the same.
    return found, bool(ended.returncode) and (not isinstance(found, dict) or "error" in found or not found)
