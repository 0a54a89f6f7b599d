"""What a command takes, read from its signature: for the tools of assistants and the page of all commands."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Union, get_args, get_origin

import typer
from typer.models import ArgumentInfo, OptionInfo

from isthmus.cli.commands import commands
from isthmus.cli.grouping import with_groups


@dataclass(frozen=True)
class Taken:
    """An argument or option of a command.

    Parameters
    ----------
    name
        Of the parameter.
    flag, off
        How an option is written, and how its opposite is; "" for arguments, and without an opposite.
    type
        bool, int, float, str, Path or a `StrEnum`.
    many
        Whether it may be given several times.
    required
        Whether the command needs it.
    default
        What it is if it is not given.
    metavar, help
        As in the command's help.
    panel
        The group of options under which help lists it; "" for the command's own.
    """

    name: str
    flag: str
    off: str
    type: type
    many: bool
    required: bool
    default: object
    metavar: str
    help: str
    panel: str


@dataclass(frozen=True)
class Described:
    """A command: its words, what it does, and what it takes."""

    words: tuple[str, ...]
    text: str
    taken: tuple[Taken, ...]


def described() -> Iterator[Described]:
    """Yield all commands, those of groups such as `zoo list` too."""
    for name, command in commands():
        if isinstance(command, typer.Typer):
            for own in command.registered_commands:
                if own.callback is not None:
                    yield described_command((name, own.name or own.callback.__name__), own.callback)
        else:
            yield described_command((name,), with_groups(command))


def described_command(words: tuple[str, ...], command: Callable[..., None]) -> Described:
    """Return what a command is."""
    parameters = inspect.signature(command).parameters.values()
    return Described(words, inspect.getdoc(command) or "", tuple(taken(parameter) for parameter in parameters))


def taken(parameter: inspect.Parameter) -> Taken:
    """Return what a parameter of a command stands for on the command line."""
    kind, info = parameter.annotation, None
    if get_origin(kind) is Annotated:
        kind, info = get_args(kind)[:2]
    kind, many = without_none(kind), False
    if get_origin(kind) is list:
        kind, many = get_args(kind)[0], True
    if not isinstance(info, ArgumentInfo | OptionInfo):
        raise TypeError(
            f"parameter {parameter.name!r} of a command needs Annotated[..., typer.Option or typer.Argument]"
        )
    flag, off = flags(parameter.name, info, kind)
    return Taken(
        parameter.name,
        flag,
        off,
        kind,
        many,
        parameter.default is inspect.Parameter.empty,
        None if parameter.default is inspect.Parameter.empty else parameter.default,
        info.metavar or "",
        info.help or "",
        info.rich_help_panel or "",
    )


def without_none(kind: object) -> type:
    """Return the type of an optional value.

    >>> without_none(int | None)
    <class 'int'>
    """
    if get_origin(kind) in (Union, UnionType):
        (kind,) = (inner for inner in get_args(kind) if inner is not NoneType)
    return kind  # type: ignore[return-value]


def flags(name: str, info: ArgumentInfo | OptionInfo, kind: type) -> tuple[str, str]:
    """Return how an option is written, and its opposite.

    >>> flags("as_json", typer.Option("--json"), bool), flags("seed", typer.Option(), int)
    (('--json', ''), ('--seed', ''))
    """
    if isinstance(info, ArgumentInfo):
        return "", ""
    given = [word for word in (info.default, *(info.param_decls or ())) if isinstance(word, str)]
    plain = f"--{name.replace('_', '-')}"
    long = next((word for word in given if word.startswith("--")), f"{plain}/--no-{name}" if kind is bool else plain)
    flag, _, off = long.partition("/")
    return flag, off


def is_choice(kind: type) -> bool:
    """Whether values are the members of an enumeration."""
    return issubclass(kind, StrEnum)


def is_path(one: Taken) -> bool:
    """Whether values are places of files."""
    return one.type is Path or one.metavar in ("DATA", "[MODEL] DATA", "FILE") or one.name == "then"
