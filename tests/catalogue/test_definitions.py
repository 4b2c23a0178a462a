"""Asking servers of both eras what they offer; nobody is left behind."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from intercept.catalogue.definitions import Offer, ask
from intercept.errors import UpstreamError

from ..e2e.leftovers import left, mark
from ..e2e.upstreams import CHANGING

SERVER = """
import json, sys, time

def send(**body):
    print(json.dumps({"jsonrpc": "2.0", **body}), flush=True)

for line in sys.stdin:
    message = json.loads(line)
    method, id, params = message.get("method"), message.get("id"), message.get("params", {})
    %s
"""


def server(body: str) -> list[str]:
    return [sys.executable, "-I", "-c", SERVER % body.strip().replace("\n", "\n    ")]


MODERN = server("""
version = params.get("_meta", {}).get("io.modelcontextprotocol/protocolVersion")
if version != "2026-07-28":
    send(id=id, error={"code": -32022, "message": "no"})
elif method == "server/discover":
    meta = {"io.modelcontextprotocol/serverInfo": {"name": "modern", "version": "2"}}
    send(id=id, result={"capabilities": {"tools": {}, "prompts": {}}, "_meta": meta})
else:
    member = method.split("/")[0]
    send(id=id, result={member: [{"name": member}], "resultType": "complete"})
""")
BUSY = server("""
print("a line for people")
if method == "initialize":
    send(id="r", method="roots/list")
    send(id="p", method="ping")
    send(method="notifications/tools/list_changed")
    waiting, got = id, {}
elif method is None:
    got[id] = message
    if len(got) == 2:
        assert got["p"]["result"] == {} and "error" in got["r"]
        send(id=waiting, result={"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}})
elif method == "tools/list":
    at = int(params.get("cursor", 0))
    more = {"nextCursor": str(at + 1)} if at < 4 else {}
    send(id=id, result={"tools": [{"name": str(at), "default": None}], **more})
""")


def test_a_server_of_the_handshake_era(tmp_path: Path) -> None:
    environment = mark()
    offer = ask([*environment_of(environment), *CHANGING, "steady", str(tmp_path / "journal")])

    assert offer.server == {"name": "changing", "version": "1"}
    assert offer.instructions == "Be kind."
    assert [tool["name"] for tool in offer.tools if isinstance(tool, dict)] == ["add", "read_file"]
    assert len(offer.prompts) == 2
    assert left(environment, within=5) == []


def environment_of(environment: dict[str, str]) -> list[str]:
    return ["/usr/bin/env", *(f"{name}={value}" for name, value in environment.items())]


def test_a_server_that_knows_only_the_newer_era() -> None:
    assert ask(MODERN) == Offer({"name": "modern", "version": "2"}, "", [{"name": "tools"}], [{"name": "prompts"}])


def test_pages_and_requests_of_the_server_and_words_in_between() -> None:
    assert ask(BUSY).tools == [{"name": str(at), "default": None} for at in range(5)]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("sys.exit(3)", "it ended"),
        ("send(id=id, error={'code': -32601, 'message': 'no'})", "neither `initialize` nor"),
        ("send(id=id, result=[])", "malformed"),
        ("send(id=id, result={'tools': 7})", "its list of tools is malformed"),
        ("send(id=id, result={'tools': [], 'nextCursor': 'again'})", "more than 100 pages"),
        ('print(\'{"jsonrpc": "2.0", "id": 1, "result": {}, "result": {}}\', flush=True)', "malformed"),
    ],
)
def test_a_server_that_does_not_say_it(body: str, why: str) -> None:
    with pytest.raises(UpstreamError) as failed:
        ask(server(body))

    assert why in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_server_that_never_answers_is_given_up_and_ended() -> None:
    environment = mark()

    with pytest.raises(UpstreamError, match="no answer in time"):
        ask([*environment_of(environment), *server("signal = 1")], patience=0.5)

    assert left(environment, within=5) == []


def test_numbers_and_nulls_come_as_they_were() -> None:
    schema = {"a": None, "b": 1.0, "c": 12345678901234567890, "d": {"default": None}}
    body = f"send(id=id, result={{'tools': [{{'name': 'x', 'inputSchema': json.loads({json.dumps(schema)!r})}}]}})"

    assert ask(server(body)).tools == [{"name": "x", "inputSchema": schema}]
