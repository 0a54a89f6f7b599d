"""What a command says while it runs and at its end: notes on standard error, the result on standard output."""

import json
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Annotated, Self, TextIO

import typer

PANEL = "Messages"
"""Under which heading help lists these options."""


@dataclass
class Telling:
    """The options on what a command prints; entered while the command runs.

    Notes (what was found by looking, progress, warnings) go to standard error, so that standard output holds nothing
    but the result: sentences, a table, or with ``--json`` one object.
    """

    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print no notes and no progress.", rich_help_panel=PANEL)
    ] = False
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print the result, and the warnings, as one JSON object on standard output.",
            rich_help_panel=PANEL,
        ),
    ] = False
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel=PANEL)] = (
        False
    )
    leaving: ExitStack = field(default_factory=ExitStack, init=False)
    warned: list[str] = field(default_factory=list, init=False)

    def __enter__(self) -> Self:
        self.leaving.enter_context(warnings.catch_warnings())
        warnings.simplefilter("default")
        warnings.showwarning = self.show_warning
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.leaving.close()

    def show_warning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        """Print a warning as a sentence; those that are meant for programmers are left out."""
        text = " ".join(str(message).split())
        if (
            issubclass(category, DeprecationWarning | PendingDeprecationWarning | ResourceWarning)
            or text in self.warned
        ):
            return
        self.warned.append(text)
        self.note(f"warning: {text}")

    def note(self, line: str) -> None:
        """Print a line on standard error, unless the command is quiet."""
        if not self.quiet and not self.as_json:
            typer.echo(line, err=True)

    def notes(self, lines: Iterable[str]) -> None:
        """Print lines on standard error, unless the command is quiet."""
        for line in lines:
            self.note(line)

    def result(self, facts: Mapping[str, object], text: str | Callable[[], str], *, aside: bool = False) -> None:
        """Print the result.

        Parameters
        ----------
        facts
            For ``--json``.
        text
            For a reader, or what makes it.
        aside
            Whether standard output holds data, so that the result is only a note.
        """
        if self.as_json and not aside:
            typer.echo(json.dumps({**facts, "warnings": self.warned}, default=plain, allow_nan=False))
        elif aside:
            self.note(text if isinstance(text, str) else text())
        else:
            typer.echo(text if isinstance(text, str) else text())

    def training(self, *, each_epoch: bool = True) -> None:
        """Show the progress of every network that is trained from now on, until the command ends."""
        if self.quiet or self.as_json:
            return
        from rich.console import Console

        from isthmus.engine.progress import ProgressReport
        from isthmus.engine.watching import watched

        report = ProgressReport(Console(file=sys.stderr), each_epoch=each_epoch)
        self.leaving.enter_context(watched(report))


def plain(value: object) -> object:
    """Return a value of numpy, a path or a time as JSON can hold it."""
    from numpy import generic, ndarray

    if isinstance(value, generic):
        return value.item()
    return value.tolist() if isinstance(value, ndarray) else str(value)
