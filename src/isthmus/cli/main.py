"""`isthmus`: the command line."""

import sys
from typing import Annotated

import typer

from isthmus import __version__
from isthmus.cli.reproduce import reproduce

app = typer.Typer(
    name="isthmus",
    help="Autoencoders from the command line.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(reproduce)


def show_version(asked: bool) -> None:
    """Print the version and leave."""
    if asked:
        typer.echo(f"isthmus {__version__}")
        raise typer.Exit


@app.callback()
def isthmus(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Autoencoders from the command line."""


def main() -> None:
    """Run the command line; what a user can mend is told in one line, without a traceback."""
    try:
        app()
    except (OSError, ValueError, ImportError) as error:
        typer.echo(f"isthmus: {error}", err=True)
        sys.exit(2)
