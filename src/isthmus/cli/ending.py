"""How a command ends: what is printed of an error, and the exit code."""

import json
import os
import sys

import typer

DATA_OR_RUN, USAGE, INTERRUPTED, BROKEN_PIPE = 1, 2, 130, 141
"""Exit codes: the data or the run; how the command was called; Ctrl-C; nobody reads the output any more."""


class UsageError(ValueError):
    """The command was called in a way that cannot work; the message says what to write instead."""


def ended_by(error: BaseException, *, as_json: bool = False) -> int:
    """Print an error in one line, without a traceback, and return the exit code.

    Parameters
    ----------
    error
        What ended the command.
    as_json
        Whether somebody reads JSON from standard output: ``{"error": ...}`` goes there.
    """
    if isinstance(error, BrokenPipeError):
        silence_standard_output()
        return BROKEN_PIPE
    if isinstance(error, KeyboardInterrupt):
        typer.echo("isthmus: interrupted; nothing was written", err=True)
        return INTERRUPTED
    text = " ".join(sentence(error).split())
    typer.echo(f"isthmus: {text}", err=True)
    if as_json:
        typer.echo(json.dumps({"error": text}))
    return USAGE if isinstance(error, UsageError) else DATA_OR_RUN


def silence_standard_output() -> None:
    """Let nothing more go to standard output: Python would complain again when it flushes it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def sentence(error: BaseException) -> str:
    """Return what to say of an error.

    >>> sentence(PermissionError(13, "Permission denied", "rows.csv"))
    'rows.csv: permission denied'
    >>> sentence(RuntimeError("no"))
    'an error inside isthmus, RuntimeError: no; run the command again with --debug to see where, and report it'
    """
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror[0].lower()}{error.strerror[1:]}"
    if isinstance(error, OSError | ValueError | ImportError | MemoryError):
        return str(error) or type(error).__name__
    return (
        f"an error inside isthmus, {type(error).__name__}: {error}; run the command again with --debug to see where, "
        "and report it"
    )
