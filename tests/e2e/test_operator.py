"""Processes: a proxy whose calls wait, an operator beside it, and what ends while a call waits."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from .fifo import Fifo
from .rawclient import PATIENCE, PROXY, RawClient, call, line

POLICY = """
default: deny
tools:
  pay: {action: require_approval}
  free: {}
  exit: {}
"""
SERVER = """
import json, sys
for text in sys.stdin:
    message = json.loads(text)
    if message["method"] == "tools/call":
        with open(sys.argv[1], "a") as log:
            log.write(message["params"]["name"] + "\\n")
        if message["params"]["name"] == "exit":
            sys.exit(3)
    result = {"content": []}
    if message["method"] == "initialize":
        result = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "bank", "version": "1"}}
    if message["method"] == "tools/list":
        result = {"tools": [{"name": "pay", "description": "Pay an invoice.", "inputSchema": {}}]}
    if "id" in message:
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"""
FORM: dict[str, Any] = {"elicitation": {}}


class Desk:
    """A folder with a policy, a state file, and a server that writes down what it was called for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state.sqlite"
        (folder / "policy.yaml").write_text(POLICY)
        (folder / "server.py").write_text(SERVER)

    @contextmanager
    def client(self, *options: str, offers: dict[str, Any] | None = None) -> Iterator[RawClient]:
        log = str(self.folder / "calls")
        audit = str(self.folder / "audit.jsonl")
        command = [*PROXY, "--policy", str(self.folder / "policy.yaml"), "--state", str(self.state), "--audit", audit]
        server = [sys.executable, str(self.folder / "server.py"), log]
        with RawClient([*command, *options, "--", *server], self.folder / "stderr") as client:
            about = {"protocolVersion": "2025-11-25", "capabilities": offers or {}, "clientInfo": {"name": "raw"}}
            client.send(line("initialize", about, "handshake"))
            client.until("handshake")
            client.send(line("notifications/initialized"))
            yield client

    @property
    def calls(self) -> list[str]:
        """What reached the server."""
        log = self.folder / "calls"
        return log.read_text().split() if log.exists() else []

    def approvals(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [*PROXY, "approvals", *words, "--state", str(self.state)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def made(client: RawClient, number: int, tool: str = "pay", **arguments: object) -> dict[str, Any]:
    """The details of a refusal; empty if the call was made."""
    client.send(call(tool, number, **arguments))
    _, answer = client.until(number)
    details: dict[str, Any] = answer["result"].get("_meta", {}).get("intercept/decision", {})
    return details


def test_an_operator_is_told_approves_and_the_call_passes_once(desk: Desk) -> None:
    with Fifo(desk.folder / "told") as told:
        tell = desk.folder / "tell.py"
        tell.write_text(f"import os\nopen({told.path!r}, 'w').write(os.environ['INTERCEPT_APPROVAL_ID'])")
        with desk.client("--approval-command", f"{sys.executable} {tell}") as client:
            waiting = made(client, 1, amount=5)
            assert told.read() == waiting["approval_id"]
            assert made(client, 2, "free") == {}
            listed = json.loads(desk.approvals("list", "--format", "json").stdout)
            assert [(one["id"], one["uses"][0]["arguments"]) for one in listed] == [(told_id(waiting), {"amount": 5})]
            assert desk.approvals("approve", told_id(waiting)).returncode == 0

            assert made(client, 3, amount=5) == {}
            assert made(client, 4, amount=5)["approval"] == "pending"
            assert made(client, 5, amount=6)["approval_id"] != told_id(waiting)
            assert desk.calls == ["free", "pay"]


def test_an_operator_sees_how_dangerous_the_tool_is_by_the_definition_that_was_listed(desk: Desk) -> None:
    with desk.client() as client:
        client.send(line("tools/list", {}, "list"))
        client.until("list")
        waiting = told_id(made(client, 1, amount=5))

    assert "pay on bank, by its definition Financial, critical risk" in desk.approvals().stdout
    assert "\nTool: pay\nBy its definition: Financial, critical risk\n" in desk.approvals("show", waiting).stdout


def told_id(details: dict[str, Any]) -> str:
    return str(details["approval_id"])


def test_what_is_more_than_the_client_s_user_can_be_asked_at_a_time_waits_for_an_operator(desk: Desk) -> None:
    with desk.client(offers=FORM) as client:
        for number in range(64):
            client.send(call("pay", number, amount=number))
            assert json.loads(client.next_frame() or b"")["method"] == "elicitation/create"
        waiting = made(client, 64, amount=64)
        assert waiting["approval"] == "pending"
        assert desk.approvals("approve", told_id(waiting)).returncode == 0
        assert made(client, 65, amount=64) == {}
        assert desk.calls == ["pay"]


def test_with_a_key_only_its_owner_approves(desk: Desk) -> None:
    assert desk.approvals("keygen", str(desk.folder / "key")).returncode == 0
    with desk.client("--approval-key", str(desk.folder / "key.pub")) as client:
        desk.approvals("approve", told_id(made(client, 1, amount=1)))
        assert made(client, 2, amount=1)["approval"] == "pending"
        desk.approvals("approve", told_id(made(client, 3, amount=2)), "--key", str(desk.folder / "key"))
        assert made(client, 4, amount=2) == {}
        assert desk.calls == ["pay"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--approval-key", "{folder}/nothing"), "cannot read the key"),
        (("--approval-webhook", "http://example.com"), "https"),
        (("--approval-webhook", "https://example.com"), "secret"),
        (("--approval-webhook-secret", "x"), "belongs to"),
        (("--approval-command", "'"), "--approval-command"),
    ],
)
def test_what_cannot_be_carried_out_ends_the_start(desk: Desk, options: tuple[str, ...], says: str) -> None:
    words = [word.format(folder=desk.folder) for word in options]
    policy = str(desk.folder / "policy.yaml")
    command = [*PROXY, "--policy", policy, "--audit", "off", *words, "--", sys.executable, "-c", ""]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)

    assert done.returncode == 2
    assert says in done.stderr


def test_a_client_that_goes_away_while_its_call_waits_has_run_nothing(desk: Desk) -> None:
    with desk.client(offers=FORM) as client:
        client.send(call("pay", 1))
        question = json.loads(client.next_frame() or b"")
        assert question["method"] == "elicitation/create"
        assert client.end() == 0
        assert not any("result" in json.loads(frame) for frame in client.rest())
    assert desk.calls == []


def test_a_server_that_goes_away_while_a_call_waits_ends_it(desk: Desk) -> None:
    with desk.client(offers=FORM) as client:
        client.send(call("pay", 1))
        question = json.loads(client.next_frame() or b"")
        client.send(call("exit", 2))
        before, answer = client.until(1)
        assert "error" in answer
        assert json.loads(before[0])["params"]["requestId"] == question["id"]
        accepted = {"action": "accept", "content": {"decision": "allow once"}}
        client.send(json.dumps({"jsonrpc": "2.0", "id": question["id"], "result": accepted}).encode() + b"\n")
        assert client.process.wait(PATIENCE) == 3
    assert desk.calls == ["exit"]


def test_a_call_that_waits_delays_no_other(desk: Desk) -> None:
    with desk.client(offers=FORM) as client:
        client.send(call("pay", 1))
        question = json.loads(client.next_frame() or b"")
        for number in range(2, 12):
            assert made(client, number, "free") == {}
        accepted = {"action": "accept", "content": {"decision": "allow once"}}
        client.send(json.dumps({"jsonrpc": "2.0", "id": question["id"], "result": accepted}).encode() + b"\n")
        client.until(1)
        assert desk.calls == ["free"] * 10 + ["pay"]
    records = [json.loads(text) for text in (desk.folder / "audit.jsonl").read_text().splitlines()]
    [approval] = [record for record in records if record["type"] == "approval"]
    assert (approval["call"], approval["answer"], approval["decision"]) == (1, "approved", "allow")
