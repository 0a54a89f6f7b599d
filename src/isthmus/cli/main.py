"""`isthmus`: the command line."""

import sys
from typing import Annotated

import typer

from isthmus import __version__
from isthmus.cli.commands import commands

app = typer.Typer(
    name="isthmus",
    help="Autoencoders from the command line.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for name, command in commands():
    app.command(name)(command)


def show_version(requested: bool) -> None:
    """Print the version and exit."""
    if requested:
        typer.echo(f"isthmus {__version__}")
        raise typer.Exit


@app.callback()
def isthmus(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Autoencoders from the command line."""


def main() -> None:
    """Run the command line. An error that the user can fix is printed in one line, without a traceback."""
    try:
        app()
    except (OSError, ValueError, ImportError) as error:
        typer.echo(f"isthmus: {error}", err=True)
        sys.exit(2)
