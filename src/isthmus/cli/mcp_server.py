"""A server of the Model Context Protocol whose tools are the commands."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from isthmus import __version__
from isthmus.cli.assistants import Tool, run, tools
from isthmus.core.choices import unknown
from isthmus.core.extras import MissingExtraError

if TYPE_CHECKING:
    from mcp import types
    from mcp.server.lowlevel import Server

INSTRUCTIONS = (
    "isthmus trains autoencoders on files and finds anomalies, fills gaps, encodes, samples and reports. Every tool "
    "reads and writes files in one folder; give paths relative to it. Start with `check` or `overview` on a data file."
)


def serve(root: Path, seconds: float | None) -> None:
    """Serve until standard input ends.

    Raises
    ------
    NotADirectoryError
        If `root` is no folder.
    MissingExtraError
        If the package mcp is not installed.
    """
    if not root.is_dir():
        raise NotADirectoryError(f"--root must be a folder that exists; {root} is none")
    try:
        import anyio
        from mcp.server.stdio import stdio_server
    except ImportError:
        raise MissingExtraError("isthmus mcp", "mcp", extra="mcp") from None
    server = server_for(root.resolve(), seconds)

    async def talk() -> None:
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    anyio.run(talk)


def server_for(root: Path, seconds: float | None) -> "Server":
    """Return the server."""
    from mcp import types
    from mcp.server.lowlevel import Server

    known = tools()

    async def listed(context: object, request: object) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[as_listed(tool) for tool in known.values()])

    async def called(context: object, request: types.CallToolRequestParams) -> types.CallToolResult:
        if request.name not in known:
            return answer({"error": unknown("tool", request.name, known)}, failed=True)
        found, failed = await run(known[request.name], request.arguments or {}, root, seconds)
        return answer(found, failed=failed)

    return Server("isthmus", version=__version__, instructions=INSTRUCTIONS, on_list_tools=listed, on_call_tool=called)


def as_listed(tool: Tool) -> "types.Tool":
    """Return a tool as the protocol lists it."""
    from mcp import types

    return types.Tool(name=tool.name, description=tool.command.text, input_schema=dict(tool.schema()))


def answer(found: object, *, failed: bool) -> "types.CallToolResult":
    """Return what a tool found, as text of JSON."""
    from mcp import types

    text = types.TextContent(type="text", text=json.dumps(found))
    return types.CallToolResult(content=[text], is_error=failed)
