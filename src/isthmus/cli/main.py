"""`isthmus`: the command line."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from isthmus import __version__
from isthmus.cli.commands import commands
from isthmus.cli.ending import ended_by
from isthmus.cli.grouping import with_groups

HELP = """Autoencoders from the command line: from a file to answers.

isthmus FILE tells the whole story of a file: what the data are, a model and what it won, the anomalies, a report.
"""
app = typer.Typer(
    name="isthmus",
    help=HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
NAMES: list[str] = []
"""The names of all commands."""
for name, command in commands():
    NAMES.append(name)
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name)
    else:
        app.command(name)(with_groups(command))


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
    words = with_verb(sys.argv[1:])
    if "--debug" in words:
        app(words)
    try:
        app(words)
    except (Exception, KeyboardInterrupt) as error:
        sys.exit(ended_by(error, as_json="--json" in words))


def with_verb(words: Sequence[str]) -> list[str]:
    """Return the words of a command line, with the verb `overview` where data are named instead of a verb.

    >>> with_verb(["rows.csv", "--target", "y"]), with_verb(["train", "rows.csv"]), with_verb(["trian"])
    (['overview', 'rows.csv', '--target', 'y'], ['train', 'rows.csv'], ['trian'])
    """
    if words and words[0] not in NAMES and names_data(words[0]):
        return ["overview", *words]
    return list(words)


def names_data(word: str) -> bool:
    """Whether a word is meant as data: a path that exists or looks like one, or a named data set."""
    if word.startswith("-"):
        return word == "-"
    return Path(word).exists() or any(mark in word for mark in "./\\*:") or word in data_sets()


def data_sets() -> tuple[str, ...]:
    """Return the names of the named data sets."""
    # The import is here so that --help does not wait for numpy.
    from isthmus.data import named

    return named.NAMES
