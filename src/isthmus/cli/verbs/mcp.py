"""`isthmus mcp`: the commands as tools for assistants, over standard input and output."""

from pathlib import Path
from typing import Annotated

import typer


def mcp(
    root: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The only folder that the tools may read and write.")
    ] = Path(),
    seconds: Annotated[
        float | None, typer.Option("--timeout", metavar="SECONDS", help="Most that one tool may take.")
    ] = 3600,
) -> None:
    """Serve the commands as tools of the Model Context Protocol, over standard input and output.

    Files in, files out; nothing is kept between two calls.

    Example: isthmus mcp --root measurements
    """
    from isthmus.cli.mcp_server import serve

    serve(root, seconds)
