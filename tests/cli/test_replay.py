from __future__ import annotations

import json
from pathlib import Path

import pytest

from intercept.audit import Arguments
from intercept.cli import main

from ..audit.logs import Log

OLD = "default: deny\ntools: {send: {rate_limit: 3/minute}, pay: {}}\n"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A log of five calls of `send` and one of `pay`, without arguments, with two policies beside it."""
    log = Log(tmp_path / "audit", tmp_path, policy=OLD, arguments=Arguments.KEYS)
    for number in range(5):
        log.decide("send", text=number)
    log.decide("pay", amount=1)
    log.recorder.end("over", 0)
    (tmp_path / "same.yaml").write_text(OLD)
    (tmp_path / "new.yaml").write_text(
        "default: deny\ntools:\n  send: {rate_limit: 1/minute}\n"
        "  pay: {require: [{path: args.amount, op: lt, value: 5}]}\n"
    )
    return tmp_path


def test_the_same_policy_changes_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "-p", str(here / "same.yaml"), str(here / "audit"), "--fail-on-change"]) == 0
    assert capsys.readouterr().out == "6 calls of 1 sessions: 6 decided as they were, 0 otherwise, 0 cannot be known\n"


def test_changes_are_grouped_with_examples_and_what_cannot_be_known_is_said(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "-p", str(here / "new.yaml"), str(here / "audit")]) == 0
    head, first, second, unknown, last = capsys.readouterr().out.splitlines()

    assert head == "allow -> deny  send  by send#1 (new.yaml:3)  2 calls"
    assert first.split()[0] == "2027-01-15T08:00:00.002000Z"
    assert "call 2  limit of 1 call per minute for `send` is used up." in first
    assert "call 3" in second
    assert unknown.startswith("cannot be known: 1 call of pay: their arguments were not recorded")
    assert last == "6 calls of 1 sessions: 3 decided as they were, 2 otherwise, 1 cannot be known"
    assert main(["replay", "-p", str(here / "new.yaml"), str(here / "audit"), "--fail-on-change"]) == 1


def test_programs_get_json(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "-p", str(here / "new.yaml"), str(here / "audit"), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)

    assert {key: found[key] for key in ("sessions", "calls", "same")} == {"sessions": 1, "calls": 6, "same": 3}
    (changed,) = found["changed"]
    assert (changed["before"], changed["after"], changed["tool"], changed["calls"]) == ("allow", "deny", "send", 2)
    assert changed["rules"][0]["rule"] == "send#1"
    assert [example["call"] for example in changed["examples"]] == [2, 3]
    assert found["unknown"] == [{"why": "arguments", "calls": 1, "tools": ["pay"]}]


def test_a_policy_or_log_that_cannot_be_used_is_told_apart(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "bad.yaml").write_text("tools: 1\n")
    assert main(["replay", "-p", str(here / "bad.yaml"), str(here / "audit")]) == 3
    assert main(["replay", "-p", str(here / "same.yaml"), str(here / "nothing")]) == 2
    assert "cannot read" in capsys.readouterr().err
