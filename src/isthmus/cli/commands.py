"""The commands of the command line, found by discovery: one file each.

A command is a function of the name of its file in this folder; typer makes its parameters the options. Packages that
are installed beside isthmus add commands by an entry point in the group "isthmus.commands".
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import iter_modules

Command = Callable[..., None]
"""A function whose parameters are the options."""
ENTRY_POINTS = "isthmus.commands"
"""The group of entry points by which other packages add commands."""
NO_COMMANDS = ("main", "commands")
"""Modules of this folder that are no commands."""


def commands() -> Iterator[tuple[str, Command]]:
    """Yield every command with its name, in alphabetical order; the modules must not import torch at their top.

    Raises
    ------
    ValueError
        If two commands have the same name.

    Examples
    --------
    >>> [name for name, _ in commands()][:1]
    ['reproduce']
    """
    found: dict[str, Command] = {}
    for module in iter_modules([str(Path(__file__).parent)]):
        if module.name not in NO_COMMANDS:
            found[module.name] = getattr(import_module(f"isthmus.cli.{module.name}"), module.name)
    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name in found:
            raise ValueError(
                f"there are two commands called {entry.name!r}; the one of {entry.value} needs another name"
            )
        found[entry.name] = entry.load()
    yield from sorted(found.items())
