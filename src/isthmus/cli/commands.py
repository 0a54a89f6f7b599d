"""The commands of the command line, found by discovery: one file each in `verbs/`.

A command is a function of the name of its file; typer makes its parameters the options, and a parameter whose type is a
dataclass of options stands for all of them (`grouping`). A file may hold a `typer.Typer` with commands of its own.
Packages that are installed beside isthmus add commands by an entry point in the group "isthmus.commands".
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules

import typer

from isthmus.cli import verbs

Command = Callable[..., None] | typer.Typer
"""A function whose parameters are the options, or several such functions under one name."""
ENTRY_POINTS = "isthmus.commands"
"""The group of entry points by which other packages add commands."""
ORDER = (
    "overview",
    "train",
    "encode",
    "decode",
    "reconstruct",
    "denoise",
    "score",
    "sample",
    "anomalies",
    "impute",
    "drift",
    "check",
    "report",
    "tune",
    "info",
    "data",
    "zoo",
)
"""How help lists the commands: in the order of a first use. Others follow by name."""


def commands() -> Iterator[tuple[str, Command]]:
    """Yield every command with its name, in the order of help; the modules must not import torch at their top.

    Raises
    ------
    ValueError
        If two commands have the same name.

    Examples
    --------
    >>> [name for name, _ in commands()][:2]
    ['overview', 'train']
    """
    found: dict[str, Command] = {}
    for module in iter_modules(verbs.__path__):
        found[module.name] = getattr(import_module(f"{verbs.__name__}.{module.name}"), module.name)
    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name in found:
            raise ValueError(
                f"there are two commands called {entry.name!r}; the one of {entry.value} needs another name"
            )
        found[entry.name] = entry.load()
    yield from sorted(found.items(), key=lambda item: place(item[0]))


def place(name: str) -> tuple[int, str]:
    """Return where a command stands among the others."""
    return ORDER.index(name) if name in ORDER else len(ORDER), name
