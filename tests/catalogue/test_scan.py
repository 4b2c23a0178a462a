"""Asking a live server for its tools."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from intercept.catalogue.scan import list_tools
from intercept.errors import UpstreamError

SERVER = Path(__file__).resolve().parents[2] / "examples/demo/server.py"
STUBBORN = """
import os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), file=open(sys.argv[1], "w"), flush=True)
while True:
    signal.pause()
"""


def test_the_tools_come_as_the_server_gave_them() -> None:
    tools = list_tools([sys.executable, str(SERVER)])

    assert isinstance(tools, list)
    (refund,) = [tool for tool in tools if isinstance(tool, dict) and tool["name"] == "refund"]
    assert refund["description"] == "Give money back for an order"
    assert isinstance(refund["inputSchema"], dict)
    assert refund["inputSchema"]["required"] == ["order", "amount"]


def test_a_server_that_cannot_be_started_is_an_error_that_names_it() -> None:
    with pytest.raises(UpstreamError, match="cannot start `/nonexistent/server`: no such file or directory"):
        list_tools(["/nonexistent/server"])


@pytest.mark.parametrize("command", [["cat"], ["true"], ["echo", "{}"]])
def test_what_does_not_speak_the_protocol_is_an_error_that_says_so(command: list[str]) -> None:
    with pytest.raises(UpstreamError, match=f"`{command[0]}` does not list its tools: it does not speak MCP, or ended"):
        list_tools(command)


def test_a_server_that_never_answers_is_given_up_and_not_left_behind(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError, match="no answer within 5 seconds"):
        list_tools([sys.executable, "-c", STUBBORN, str(tmp_path / "pid")], patience=5.0)

    pid = int((tmp_path / "pid").read_text(encoding="utf-8"))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
