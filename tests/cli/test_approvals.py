from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from intercept.approval.keys import make_key, verifier
from intercept.approval.operator import Operator
from intercept.approval.record import Record, State
from intercept.approval.sqlite import SQLiteApprovals
from intercept.cli import main
from intercept.policy import Asking, Decision, Effect, ToolCall

PATIENCE = 30.0
"""Seconds after which what has to be shown is taken for missing."""
DECISION = Decision(Effect.ASK, "pay", (), "Payments are for people.", "0123456789abcdef")


class Waiting:
    """A state file in which approvals wait."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "state.sqlite")
        self.store = SQLiteApprovals(self.path)
        self._operator = Operator(self.store, grant="me", random=os.urandom)

    def ask(self, *, ago: float = 0.0, remember: float = 0.0, risk: str = "", **arguments: int) -> str:
        asking = Asking(300.0, remember, risk=risk)
        uses = (ToolCall("pay", dict(arguments)),)
        return self._operator.ask(uses, DECISION, asking, "bank", time.time() - ago, patience=5).id

    def record(self, name: str) -> Record:
        [record] = [record for record in self.store.every(patience=5) if record.id == name]
        return record


@pytest.fixture
def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Waiting:
    found = Waiting(tmp_path)
    monkeypatch.setenv("INTERCEPT_STATE", found.path)
    return found


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["approvals", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_what_waits_is_listed(waiting: Waiting, told: Callable[..., tuple[int, str, str]]) -> None:
    assert told() == (0, "nothing waits for an answer\n", "")
    first, over = waiting.ask(amount=5), waiting.ask(amount=6, ago=301)

    assert re.fullmatch(rf"{first}  waits, (5 minutes|\d+ seconds) left  pay on bank\n", told()[1])
    assert told("list", "--all")[1].splitlines()[0] == f"{over}  nobody answered in time  pay on bank"


def test_how_dangerous_the_tool_is_by_its_definition_is_shown_and_cannot_break_a_line(
    waiting: Waiting, told: Callable[..., tuple[int, str, str]]
) -> None:
    name, forged = waiting.ask(risk="Financial, high risk"), waiting.ask(risk="Read\nArguments: none")

    assert told()[1].splitlines()[0].endswith("pay on bank, by its definition Financial, high risk")
    assert len(told()[1].splitlines()) == 2
    assert told("show", name)[1].splitlines()[:3] == [
        "Server: bank",
        "Tool: pay",
        "By its definition: Financial, high risk",
    ]
    assert told("show", forged)[1].splitlines()[2] == "By its definition: Read\\nArguments: none"
    assert json.loads(told("show", name, "--format", "json")[1])["risk"] == "Financial, high risk"


def test_the_list_is_there_for_programs(waiting: Waiting, told: Callable[..., tuple[int, str, str]]) -> None:
    name = waiting.ask(amount=5)
    [record] = json.loads(told("--format", "json")[1])

    assert record.keys() == {
        "id", "state", "server", "tool", "uses", "reason", "risk", "grant", "policy", "created", "expires",
        "remember_s", "who",
    }  # fmt: skip
    assert (record["id"], record["state"], record["tool"]) == (name, "waiting", "pay")
    assert record["uses"] == [{"kind": "tool", "name": "pay", "arguments": {"amount": 5}}]
    assert json.loads(told("show", name, "--format", "json")[1]) == record


def test_one_is_shown_with_every_argument(waiting: Waiting, told: Callable[..., tuple[int, str, str]]) -> None:
    name = waiting.ask(amount=5, remember=900.0)

    assert told("show", name)[1].splitlines() == [
        "Server: bank",
        "Tool: pay",
        "Arguments:",
        "  amount: 5",
        "Reason: Payments are for people.",
        "Grant: me",
        "Policy: 0123456789ab",
        "If approved, the same call passes again for 15 minutes.",
        "State: waits, 5 minutes left",
    ]


@pytest.mark.parametrize(("action", "state"), [("approve", State.APPROVED), ("deny", State.DENIED)])
def test_one_is_answered_once(
    waiting: Waiting, told: Callable[..., tuple[int, str, str]], action: str, state: State
) -> None:
    name = waiting.ask(amount=5)
    code, out, _ = told(action, name)

    record = waiting.record(name)
    assert (code, record.state) == (0, state)
    assert out.startswith(f"`{name}` is {state} by {record.who}")
    assert record.who
    code, _, err = told("approve", name)
    assert code == 1
    assert "cannot be answered any more" in err


def test_too_late_is_too_late(waiting: Waiting, told: Callable[..., tuple[int, str, str]]) -> None:
    name = waiting.ask(ago=301)
    code, _, err = told("approve", name)

    assert (code, waiting.record(name).state) == (1, State.WAITING)
    assert "nobody answered in time" in err


def test_an_approval_is_signed_with_the_key(
    waiting: Waiting, told: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    code, out, _ = told("keygen", str(tmp_path / "key"))
    assert code == 0
    assert f"--approval-key {tmp_path / 'key'}.pub" in out
    first, second = waiting.ask(amount=1), waiting.ask(amount=2)
    told("approve", first, "--key", str(tmp_path / "key"))
    told("approve", second)

    verify = verifier(str(tmp_path / "key.pub"))
    assert verify(waiting.record(first))
    assert not verify(replace(waiting.record(first), until=1.0))
    assert not verify(waiting.record(second))


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("approve",), 2, "needs an id"),
        (("keygen",), 2, "needs a file"),
        (("list", "k3m9x2pt"), 2, "`show k3m9x2pt` shows one"),
        (("show", "nothing"), 1, "no approval `nothing`"),
        (("approve", "nothing"), 1, "no approval `nothing`"),
        (("show", "x", "--watch"), 2, "--watch"),
        (("--watch", "--format", "json"), 2, "--watch"),
        (("--watch",), 2, "needs a terminal"),
        (("approve", "x", "--state", "redis://127.0.0.1:1"), 1, "the state server cannot be reached: look at redis"),
        (("list", "--state", "mysql://localhost"), 2, "--state mysql://"),
    ],
)
def test_a_command_line_that_makes_no_sense_says_why_in_one_line(
    waiting: Waiting, told: Callable[..., tuple[int, str, str]], arguments: tuple[str, ...], code: int, says: str
) -> None:
    found, out, err = told(*arguments)

    assert (found, out) == (code, "")
    assert says in err
    assert err.count("\n") == 1


def test_a_secret_key_that_is_none_approves_nothing(
    waiting: Waiting, told: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    make_key(str(tmp_path / "key"))
    name = waiting.ask()
    code, _, err = told("approve", name, "--key", str(tmp_path / "key.pub"))

    assert (code, waiting.record(name).state) == (2, State.WAITING)
    assert "no secret key" in err


class Terminal:
    """`intercept approvals --watch` on a terminal."""

    def __init__(self) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "intercept", "approvals", "--watch"], stdin=theirs, stdout=theirs, close_fds=True
        )
        os.close(theirs)
        self.shown = ""

    def until(self, text: str) -> None:
        """Read until `text` was shown since the last call."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.shown:
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([self._ours], [], [], left)[0]
            assert ready, f"never showed {text!r}: {self.shown[-500:]!r}"
            self.shown += os.read(self._ours, 65_536).decode("utf-8", "replace")
        self.shown = self.shown.partition(text)[2]

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


def test_the_live_view_shows_what_comes_in_and_answers_it(waiting: Waiting) -> None:
    terminal = Terminal()
    try:
        terminal.until("0 approvals waiting")
        name = waiting.ask(amount=5)
        terminal.until(f"> {name}")
        terminal.until("amount: 5")
        terminal.press("a")
        terminal.until(f"approve `{name}`?")
        terminal.press("y")
        terminal.until(f"`{name}` is approved")
        assert waiting.record(name).state is State.APPROVED
        terminal.press("q")
        terminal.until("\x1b[?1049l")
        assert terminal.process.wait(20) == 0
    finally:
        terminal.close()
