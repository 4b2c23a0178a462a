from __future__ import annotations

import hashlib
import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intercept.audit import Arguments
from intercept.audit.events import stamp, time_of
from intercept.audit.reading import verify
from intercept.detectors import SECRET
from intercept.limits.windows import microseconds
from intercept.policy import Decision, Effect, ToolCall
from intercept.uses import Peers

from .logs import PEERS, START, Log

COMMON = {"type", "seq", "prev", "time", "session", "hash"}


def test_a_decision_record_says_who_asked_for_what_and_what_was_decided_why(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path)
    log.call("drop", outcome=None, table="users", amount=3)
    record = log.records()[1]

    assert record == {
        "type": "decision",
        "seq": 1,
        "prev": log.records()[0]["hash"],
        "time": "2027-01-15T08:00:00.000000Z",
        "session": log.recorder.session,
        "call": 1,
        "server": {"name": "a server", "version": "3.4"},
        "principal": {"client": "a client", "version": "1.2", "grant": "a grant"},
        "protocol": "2025-11-25",
        "kind": "tool",
        "tool": "drop",
        "decision": "deny",
        "rules": [{"rule": "drop#1", "effect": "deny", "path": log.policy.paths[0], "line": 2}],
        "reason": "Nothing is dropped.",
        "limits": [],
        "policy": log.policy.digest,
        "mode": "enforce",
        "answered": 0,
        "duration_us": 12,
        "keys": ["amount", "table"],
        "arguments_sha256": hashlib.sha256(b'{"amount":3,"table":"users"}').hexdigest(),
        "hash": record["hash"],
    }


def test_an_allowed_call_names_its_limits_and_an_outcome_joins_it(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path)
    log.call("send", outcome="tool_error")
    start, decision, outcome = log.records()

    assert decision["limits"] == [{"counter": "send#1", "scope": "session", "max": 30, "window_s": 60, "cost": 1}]
    assert outcome == {key: outcome[key] for key in COMMON} | {"call": 1, "outcome": "tool_error", "duration_us": 1000}
    assert start == {key: start[key] for key in COMMON} | {
        "format": 1,
        "version": start["version"],
        "pid": start["pid"],
        "command": ["/usr/bin/server", "--verbose"],
        "grant": "a grant",
        "arguments": "keys",
        "optional": False,
        "keep_days": None,
        "policy": log.policy.digest,
        "policies": list(log.policy.paths),
        "mode": "enforce",
    }


def test_an_outcome_that_was_left_for_later_has_the_time_when_it_came(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path)
    calls = [log.decide("send", outcome=None) for _ in range(3)]
    began = log.now
    log.recorder.outcome_later(calls[0], "ok", now=began)
    assert log.records()[-1]["type"] == "decision"

    log.now += 1
    log.recorder.catch_up()
    log.recorder.catch_up()
    log.recorder.outcome_later(calls[1], "tool_error", now=began + 0.5)
    log.recorder.outcome(calls[2], "ok", now=log.now)
    log.recorder.end("over", 0)

    kept = [(record["type"], record["time"][17:21], record.get("call")) for record in log.records()[4:]]
    assert kept == [("outcome", "00.0", 1), ("outcome", "01.0", 3), ("outcome", "00.5", 2), ("end", "01.0", None)]
    assert log.records()[-1]["outcomes"] == 3
    assert verify([str(log.path)]).faults == ()


def test_only_so_many_outcomes_are_left_for_later(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path)
    recorded = log.decide("send", outcome=None)
    for _ in range(1_000):
        log.recorder.outcome_later(recorded, "ok", now=log.now)

    assert 1_000 - len(log.records()[2:]) < 20


def test_reload_approval_pin_and_end_are_on_record(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path)
    use = ToolCall("send", {})
    asked = Decision(Effect.ASK, "send", (), "A person has to agree.", log.policy.digest)
    recorded = log.recorder.decision([use], asked, PEERS, policy=log.policy, now=log.now, took=1)
    allowed = Decision(Effect.ALLOW, "send", (), "", log.policy.digest)
    log.recorder.approval(recorded, allowed, channel="elicitation", answer="approved", now=log.now + 2)
    log.recorder.reload(log.policy)
    log.recorder.pin("send", "its definition changed")
    log.recorder.end("the client went away", 0)
    approval, reload, pin, end = log.records()[2:]

    assert approval["call"] == recorded.call
    assert (approval["answer"], approval["decision"], approval["waited_us"]) == ("approved", "allow", 2_000_000)
    assert reload["policy"] == log.policy.digest
    assert (pin["tool"], pin["what"]) == ("send", "its definition changed")
    assert (end["why"], end["code"], end["decisions"], end["outcomes"], end["lost_in_all"]) == (
        *("the client went away", 0),
        *(1, 0, 0),
    )
    assert verify([str(tmp_path / "audit")]).sessions[0].ended


@pytest.mark.parametrize("mode", list(Arguments))
def test_arguments_are_recorded_as_much_as_was_asked_for(mode: Arguments, tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path, arguments=mode)
    secret = "ghp_" + "a1B2" * 9
    log.call(to="+55", note=f"with {secret}", password="hunter2")
    text = log.path.read_text()
    record = log.records()[1]

    assert ("keys" in record) is (mode is not Arguments.NONE)
    assert ("arguments_sha256" in record) is (mode is not Arguments.NONE)
    assert (
        record.get("arguments")
        == {
            Arguments.NONE: None,
            Arguments.KEYS: None,
            Arguments.REDACTED: {"to": "+55", "note": f"with {SECRET}", "password": SECRET},
            Arguments.FULL: {"to": "+55", "note": f"with {secret}", "password": "hunter2"},
        }[mode]
    )
    assert (secret in text) is (mode is Arguments.FULL)
    assert ("+55" in text) is (mode in {Arguments.REDACTED, Arguments.FULL})


def test_what_peers_say_of_themselves_is_bounded_and_escaped(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path)
    loud = Peers("c\n\x1b[2J" + "x" * 10_000, "", "s" * 10_000, "", "p" * 10_000)
    use = ToolCall("t\n" * 10_000, {"k\n" * 10_000: 1})
    decision = Decision(Effect.DENY, use.name, (), "no\n" * 10_000, log.policy.digest)
    log.recorder.decision([use], decision, loud, policy=log.policy, now=log.now, took=1)
    (_, line) = log.path.read_bytes().splitlines()

    assert len(line) < 5_000
    assert line.isascii()
    assert verify([str(log.path)]).faults == ()


def test_records_of_many_threads_follow_each_other(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path)
    threads = [threading.Thread(target=lambda: [log.call() for _ in range(100)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [record["seq"] for record in log.records()] == list(range(801))
    assert sorted(record["call"] for record in log.records() if record["type"] == "decision") == list(range(1, 401))
    assert verify([str(log.path)]).faults == ()


def test_times_are_exact_to_the_microsecond() -> None:
    for now in (0.0, START + 0.123456, START + 0.9999996, 1_795_262_733.000001):
        text = stamp(microseconds(now))
        assert time_of(text) == microseconds(now)
        assert abs(datetime.fromisoformat(text).astimezone(UTC).timestamp() - now) < 1e-6


def test_a_record_is_one_line_that_any_json_reader_reads(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path, arguments=Arguments.FULL)
    log.call(text="a\u2028b\nc\x00d é 😀", number=2**64, part=0.1)

    assert json.loads(log.path.read_bytes().splitlines()[1])["arguments"] == {
        "text": "a\u2028b\nc\x00d é 😀",
        "number": 2**64,
        "part": 0.1,
    }
