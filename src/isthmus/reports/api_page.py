"""The page `docs/api.md`: every public name with its first sentence. It is generated from the code.

python -m isthmus.reports.api_page docs/api.md
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from sklearn.base import BaseEstimator

from isthmus.core import registry
from isthmus.core.contract import Part

INTRODUCTION = """\
# Public names

Every public name with its first sentence, generated from the code by `python -m isthmus.reports.api_page docs/api.md`.
`help(name)` shows the rest: parameters, shapes, errors and an example. [The glossary](glossary.md) explains the terms,
and [the design](design.md) how the parts work together.
"""
OTHER_MODULES = {
    "isthmus.zoo": "Presets",
    "isthmus.data": "Data",
    "isthmus.engine": "Training",
    "isthmus.reports": "Reports",
}
"""Modules with public names of their own, and their headings."""


class Entry(NamedTuple):
    """A public name and what it stands for."""

    name: str
    thing: Callable[..., object]

    @property
    def sentence(self) -> str:
        """The first sentence of its docstring; empty if it has none."""
        return first_sentence(self.thing)


def api_page() -> str:
    """Return the page as Markdown: estimators, functions, parts by slot, and the public names of other modules."""
    public = entries("isthmus")
    sections = [INTRODUCTION, *(section(f"`isthmus`: {heading}", found) for heading, found in by_area(public).items())]
    listed = {entry.name for entry in public}
    for module, heading in OTHER_MODULES.items():
        sections.append(section(f"`{module}`: {heading}", [e for e in entries(module) if e.name not in listed]))
    return "\n".join(sections)


def entries(module: str) -> list[Entry]:
    """Return the public names of a module in alphabetical order."""
    # The name is resolved here, and not by an import statement, because `isthmus` imports lazily from every floor.
    imported = import_module(module)
    return [Entry(name, attrgetter(name)(imported)) for name in sorted(imported.__all__, key=str.lower)]


def public_entries() -> list[Entry]:
    """Return every public name of the package."""
    return [entry for module in ("isthmus", *OTHER_MODULES) for entry in entries(module)]


def by_area(public: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Group names by what they are; a part is listed under every slot that it can fill. Empty groups are left out."""
    areas = ["estimators", "functions", *(slot_heading(slot) for slot in registry.SLOTS)]
    areas += ["parts without a slot", "errors and warnings", "other classes"]
    grouped: dict[str, list[Entry]] = {area: [] for area in areas}
    for entry in public:
        for area in areas_of(entry.thing):
            grouped[area].append(entry)
    return {area: found for area, found in grouped.items() if found}


def areas_of(thing: Callable[..., object]) -> list[str]:
    """Return the headings under which a public name belongs."""
    if not inspect.isclass(thing):
        return ["functions"]
    slots = [entry.slot for entry in registry.REGISTERED.values() if entry.kind is thing]
    if slots:
        return [slot_heading(slot) for slot in dict.fromkeys(slots)]
    if issubclass(thing, BaseEstimator):
        return ["estimators"]
    if issubclass(thing, BaseException):
        return ["errors and warnings"]
    return ["parts without a slot" if issubclass(thing, Part) and thing is not Part else "other classes"]


def slot_heading(slot: str) -> str:
    """Return the heading of the parts that fill a slot."""
    return "parts that choose another one" if slot == "choice" else f"parts for `{slot}=`"


def section(heading: str, found: Iterable[Entry]) -> str:
    """Return a heading and a table of names; parts have a column with the name under which they are registered."""
    found = list(found)
    slot = next((slot for slot in registry.SLOTS if heading.endswith(slot_heading(slot))), None)
    if slot is None:
        head, lines = "| name | |\n|---|---|", [f"| `{e.name}` | {cell(e.sentence)} |" for e in found]
    else:
        names = {kind: name for name, kind in registry.parts(slot).items()}
        head = "| class | name | |\n|---|---|---|"
        lines = [f"| `{e.name}` | {registered_name(names, e.thing)} | {cell(e.sentence)} |" for e in found]
    return "\n".join([f"## {heading}", "", head, *lines, ""])


def registered_name(names: dict[type, str], thing: Callable[..., object]) -> str:
    """Return the registered name of a class, as code."""
    return next((f'`"{name}"`' for kind, name in names.items() if kind is thing), "")


def cell(text: str) -> str:
    """Return text for a cell of a Markdown table."""
    return text.replace("|", r"\|")


def first_sentence(thing: Callable[..., object]) -> str:
    """Return the first sentence of a docstring, or "" if there is none.

    The docstring that dataclasses and named tuples get by default, such as "Adam(epsilon: float = 1e-08)", is none.

    >>> first_sentence(first_sentence)
    'Return the first sentence of a docstring, or "" if there is none.'
    """
    text = thing.__doc__ or ""
    paragraph = " ".join(inspect.cleandoc(text).split("\n\n")[0].split())
    if paragraph.startswith(f"{thing.__name__}("):
        return ""
    return re.split(r"(?<=\.)\s+(?=[A-Z`])", paragraph)[0]


def main() -> None:
    """Write the page to the path given on the command line."""
    Path(sys.argv[1]).write_text(api_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
