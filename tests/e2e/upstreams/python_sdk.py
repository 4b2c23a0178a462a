"""A server built with the Python SDK, which splits lines at a bare carriage return and executes half lines."""

from __future__ import annotations

import json
import os
import sys

import anyio
from mcp.server.mcpserver import MCPServer

journal = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
server = MCPServer("python_sdk", log_level="CRITICAL")
released = anyio.Event()


def note(tool: str) -> str:
    os.write(journal, json.dumps({"tool": tool}).encode() + b"\n")
    return f"{tool} ran"


@server.tool()
async def safe() -> str:
    return note("safe")


@server.tool()
async def danger() -> str:
    return note("danger")


@server.tool()
async def echo(text: str = "") -> str:
    note("echo")
    return text


@server.tool()
async def hold() -> str:
    await released.wait()
    return note("hold")


@server.tool()
async def release() -> str:
    released.set()
    return note("release")


server.run("stdio")
