"""Asking a live server for its tools, with the official SDK. Imported lazily: the SDK takes a second."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Final

import anyio
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client

from ..errors import UpstreamError
from ..values import Json

PATIENCE: Final = 90.0
"""Seconds for all of it. Real servers that `npx` has to fetch first need up to 26 to start."""
_PAGES: Final = 100
"""Of one list; a server that has still more is going in circles."""


def list_tools(command: Sequence[str], patience: float = PATIENCE) -> Json:
    """The tool definitions of the server that `command` starts, as it gave them; no process is left behind.

    Raises:
        UpstreamError: it cannot be started, or does not list its tools within `patience` seconds.
    """
    # Whatever a server prints beside the protocol is none of our business, nor how the SDK complains about it.
    logging.getLogger("mcp").setLevel(logging.CRITICAL + 1)
    tools: list[Json] = []
    try:
        anyio.run(_collect, command, patience, tools)
    except (OSError, MCPError, ValueError, RuntimeError, ExceptionGroup) as error:
        raise UpstreamError(_why(command[0], _first(error), patience)) from None
    return tools


async def _collect(command: Sequence[str], patience: float, tools: list[Json]) -> None:
    server = StdioServerParameters(command=command[0], args=list(command[1:]), env=dict(os.environ))
    # The server's words for people go to our own stderr, whatever stands in its place in this interpreter.
    with anyio.fail_after(patience), os.fdopen(os.dup(2), "w") as errors:
        async with Client(stdio_client(server, errors)) as client:
            cursor: str | None = None
            for _ in range(_PAGES):
                page = await client.list_tools(cursor=cursor)
                tools += [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in page.tools]
                cursor = page.next_cursor
                if cursor is None:
                    return


def _why(name: str, error: BaseException, patience: float) -> str:
    match error:
        case TimeoutError():
            return f"`{name}` does not list its tools: no answer within {patience:.0f} seconds"
        case OSError():
            return f"cannot start `{name}`: {(error.strerror or 'input error').lower()}"
        case _:
            return f"`{name}` does not list its tools: it does not speak MCP, or ended"


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
