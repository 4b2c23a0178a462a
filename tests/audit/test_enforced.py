"""What the log has to do with whether a call passes, played without processes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from intercept.actions import Ended, Outcome
from intercept.audit import Place, Recorder, Settings
from intercept.audit.reading import records_of
from intercept.audit.recorder import MAX_REFUSALS
from intercept.enforcement import Admission, Enforcer
from intercept.limits import Granted
from intercept.replay import KeyedStore, Stores

from ..harness import Conversation, call, denied, modern, request, result
from .logs import Log, room_for

LIMITED = (
    "default: deny\ntools: {send: {rate_limit: 2/minute}, ask: {action: require_approval}, drop: {action: deny}}\n"
)


class Recorded(Conversation):
    """A conversation that is recorded in `folder`."""

    def __init__(self, folder: Path, *policies: str, optional: bool = False) -> None:
        super().__init__(*policies)
        self.recorder = Recorder(
            Settings(Place.of(str(folder)), optional=optional),
            command=["server"],
            grant="test",
            policy=self.session.policy,
            clock=lambda: self.now,
            note=self.notes.append,
        )
        self.record_with(self.recorder)

    def records(self, kind: str) -> list[dict[str, Any]]:
        return [record.body for record in records_of([self.recorder.path]) if record.type == kind]


def test_every_call_is_on_record_whatever_is_decided_about_it(tmp_path: Path) -> None:
    talk = Recorded(tmp_path / "audit", LIMITED)
    for n, tool in enumerate(["send", "send", "send", "ask", "drop", "unknown"]):
        talk.client(call(n, tool))
    talk.upstream(result(0, content=[]))
    talk.upstream({"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "no"}})

    decisions = talk.records("decision")
    assert [record["decision"] for record in decisions] == ["allow", "allow", "deny", "ask", "deny", "deny"]
    assert decisions[2]["limits"][0]["retry_after_s"] == 60
    assert decisions[2]["rules"][0]["rule"] == "send#1"
    assert [(record["call"], record["outcome"]) for record in talk.records("outcome")] == [(1, "ok"), (2, "rpc_error")]


def test_what_cannot_be_recorded_is_refused_and_charges_nothing(tmp_path: Path) -> None:
    talk = Recorded(tmp_path / "audit", LIMITED)
    with room_for(Path(talk.recorder.path).stat().st_size):
        for n in range(5):
            talk.client(call(n, "send"))
        talk.client(call(5, "drop"))
    assert talk.to_upstream == []
    assert "the audit log cannot be written" in denied(talk.to_client[0])["reason"]
    assert denied(talk.to_client[5])["rule"] == "drop#1", "what is refused anyway says why"

    talk.client(call(6, "send"))
    talk.client(call(7, "send"))
    assert [message["id"] for message in talk.to_upstream] == [6, 7]
    assert talk.records("decision")[0]["lost"] == 6


def test_where_the_log_is_optional_the_call_passes(tmp_path: Path) -> None:
    talk = Recorded(tmp_path / "audit", LIMITED, optional=True)
    with room_for(Path(talk.recorder.path).stat().st_size):
        talk.client(call(1, "send"))

    assert [message["id"] for message in talk.to_upstream] == [1]


def test_who_talks_is_on_record_in_both_eras(tmp_path: Path) -> None:
    talk = Recorded(tmp_path / "audit", LIMITED)
    talk.client(call(1, "send"))
    talk.client(request(2, "initialize", protocolVersion="2099-01-01", clientInfo={"name": "old", "version": "1"}))
    talk.upstream(result(2, protocolVersion="2025-06-18", serverInfo={"name": "orders", "version": "2"}))
    talk.client(call(3, "send"))
    message = modern(call(4, "drop"))
    message["params"]["_meta"]["io.modelcontextprotocol/clientInfo"] = {"name": "new", "version": 3}
    talk.client(message)

    before, legacy, new = talk.records("decision")
    assert (before["server"]["name"], before["protocol"]) == ("server", ""), "the command, while nobody has said more"
    assert legacy["server"] == new["server"] == {"name": "orders", "version": "2"}
    assert legacy["principal"] == {"client": "old", "version": "1", "grant": "test"}
    assert legacy["protocol"] == "2025-06-18"
    assert new["principal"] == {"client": "new", "version": "", "grant": "test"}
    assert new["protocol"] == "2026-07-28"


def test_a_call_that_is_cancelled_and_answered_later_has_both_outcomes(tmp_path: Path) -> None:
    talk = Recorded(tmp_path / "audit", LIMITED)
    talk.client(call(1, "send"))
    talk.client({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
    talk.upstream(result(1, content=[], isError=True))
    talk.client(call(2, "send"))
    talk.upstream_exits()

    outcomes = [(record["call"], record["outcome"]) for record in talk.records("outcome")]
    assert outcomes == [(1, "cancelled"), (1, "tool_error"), (2, "upstream_exit")]


def test_nothing_passes_and_nothing_is_written_after_the_end(tmp_path: Path) -> None:
    talk = Recorded(tmp_path / "audit", LIMITED)
    talk.recorder.end("over", 0)
    talk.client(call(1, "send"))

    assert talk.to_upstream == []
    assert [record.type for record in records_of([talk.recorder.path])] == ["start", "end"]


def test_what_rules_looked_at_beside_the_call_is_on_record(tmp_path: Path) -> None:
    policy = """
default: deny
tools:
  read: {}
  list: {}
  send: {action: deny, after: read, after_scope: grant}
  wipe: {action: deny, when: [{path: tool.annotations.destructiveHint, op: eq, value: true}]}
"""
    talk = Recorded(tmp_path / "audit", policy)
    talk.client(request(0, "tools/list"))
    talk.upstream(result(0, tools=[{"name": "wipe", "annotations": {"destructiveHint": False}}]))
    for n, tool in enumerate(["list", "read", "send", "wipe"], 1):
        talk.client(call(n, tool))
        talk.upstream(result(n, content=[]))

    listed, read, send, wipe = talk.records("decision")
    assert [record["answered"] for record in (listed, read, send, wipe)] == [0, 1, 2, 2]
    assert "grant_answered" not in read
    assert send["grant_answered"] == ["read"], "of the others nobody asked"
    assert (send["decision"], wipe["decision"]) == ("deny", "allow")
    assert wipe["annotations"] == {"destructiveHint": False}
    assert "withheld" not in wipe


def test_a_flood_of_refused_messages_is_counted_and_not_told_one_by_one(tmp_path: Path) -> None:
    talk = Recorded(tmp_path / "audit", LIMITED)
    for _ in range(MAX_REFUSALS + 10):
        talk.recorder.refusal("server", "dropped a response of the upstream to no request in flight")
    talk.recorder.end("over", 0)

    assert len(talk.records("refusal")) == MAX_REFUSALS
    assert talk.records("end")[0]["refusals"] == MAX_REFUSALS + 10


def test_a_refusal_that_cannot_be_recorded_refuses_nothing_else(tmp_path: Path) -> None:
    talk = Recorded(tmp_path / "audit", LIMITED)
    with room_for(Path(talk.recorder.path).stat().st_size):
        talk.recorder.refusal("client", "refused a message of the client: frame is not JSON")
    talk.client(call(1, "send"))

    assert [message["id"] for message in talk.to_upstream] == [1]
    assert talk.records("decision")[0]["lost"] == 1


class Slow(KeyedStore):
    """Takes a second to free what a call held."""

    def __init__(self, log: Log) -> None:
        super().__init__(Stores(), log.recorder.session, "a grant")
        self.log = log

    def release(self, granted: Granted) -> None:
        self.log.now += 1
        super().release(granted)

    def finish(self, granted: Granted) -> None:
        self.log.now += 1
        super().finish(granted)


def test_a_call_has_ended_on_record_before_anybody_can_get_its_place(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path, policy="tools: {send: {limits: [{max_concurrent: 1}]}}\n")
    log.enforcer = Enforcer(Slow(log), grant="a grant", clock=lambda: log.now, recorder=log.recorder)
    log.enforcer.ended(Ended(log.admit("send").admission, Outcome.OK))
    unsent = log.admit("send").admission
    assert isinstance(unsent, Admission)
    log.enforcer.withdraw(unsent)

    times = [(record["type"], record["time"][17:]) for record in log.records()[1:]]
    assert times == [
        ("decision", "00.000000Z"),
        ("outcome", "00.000000Z"),
        ("decision", "01.000000Z"),
        ("outcome", "01.000000Z"),
    ]


@pytest.mark.parametrize("arguments", [{"a": 1, "b": {"c": "é"}}, {"b": 1, "a": 2}, {"text": "x\n" * 5_000}, {}])
def test_the_digest_is_that_of_the_sorted_arguments_in_whatever_order_they_came(
    arguments: dict[str, Any], tmp_path: Path
) -> None:
    talk = Recorded(tmp_path / "audit", LIMITED)
    talk.client(call(1, "send", **arguments))

    (record,) = talk.records("decision")
    expected = json.dumps(arguments, separators=(",", ":"), sort_keys=True)
    assert record["arguments_sha256"] == hashlib.sha256(expected.encode()).hexdigest()
