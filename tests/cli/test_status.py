from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from intercept.cli import main
from intercept.limits import Granted
from intercept.limits.sqlite import SQLiteStore
from intercept.policy import Circumstances, Scope, ToolCall, load
from intercept.values import Json

POLICY = """
default: deny
timezone: America/Sao_Paulo
tools:
  refund:
    limits:
      - {counter: refunded, max: 500.50, window: day, cost: {from: args.amount}, scope: grant}
      - {max: 3, window: 1h, per: [args.to, tool], scope: grant}
      - {max: 100, window: month, align: calendar, scope: global}
  render: {limits: [{max_concurrent: 2, scope: global}, {max: 9, window: 1m}]}
"""
NOW = 1_800_025_200.0
"""2027-01-15 12:00 in Sao Paulo."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INTERCEPT_STATE", str(tmp_path / "state.sqlite"))
    monkeypatch.setattr("time.time", lambda: NOW)
    (tmp_path / "policy.yaml").write_text(POLICY)
    return tmp_path


@pytest.fixture
def charged(folder: Path) -> Callable[..., Granted]:
    """Makes calls as a proxy of some grant does, an hour ago unless it is said when."""

    def charged(grant: str, tool: str, ago: float = 3_000, /, **arguments: Json) -> Granted:
        store = SQLiteStore(str(folder / "state.sqlite"), grant=grant)
        decision = load(["policy.yaml"]).evaluate(ToolCall(tool, arguments), Circumstances(NOW - ago))
        stored = [charge for charge in decision.charges if charge.scope is not Scope.SESSION]
        granted = store.reserve(stored, NOW - ago, patience=5)
        assert isinstance(granted, Granted)
        if tool != "render":
            store.close()
        return granted

    return charged


def told(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main(["status", *words]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out.splitlines()


def as_json(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["status", *words, "--format", "json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_each_limit_tells_what_is_left_for_each_grant_and_value(
    charged: Callable[..., Granted], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    charged("ana", "refund", amount=0.1, to="a@example.com")
    charged("ana", "refund", 600, amount=20, to="a@example.com")
    charged("ben", "refund", amount=7, to="x" * 100)
    charged("ben", "render", 1)

    policy = folder / "policy.yaml"
    lines = told(capsys)

    assert (
        f"{policy}: limit `refunded` (grant `ana`): 20.1 of 500.50 per day used, 480.40 left; some free in 23 h "
        "10 min, all in 23 h 50 min" in lines
    )
    assert (
        f'{policy}: limit `refund#1` (grant `ana`) for args.to tool.name = "a@example.com","refund": 2 of 3 per hour '
        "used, 1 left; some free in 10 min, all in 50 min" in lines
    )
    assert any(
        line.startswith(f"{policy}: limit `refund#1` (grant `ben`) for args.to tool.name with the digest ")
        for line in lines
    )
    assert (
        f"{policy}: limit `refund#1` (global): 3 of 100 per calendar month (America/Sao_Paulo) used, 97 left; "
        "all free in 16 d 12 h" in lines
    )
    assert f"{policy}: limit `render#1` (global): 1 of 2 calls at a time used, 1 left" in lines
    assert len(lines) == 6
    assert not any("render#1` (grant" in line for line in lines)


def test_a_policy_shows_every_limit_it_has_and_what_it_has_no_more(
    charged: Callable[..., Granted], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    charged("ana", "refund", amount=1, to="a")
    (folder / "policy.yaml").write_text(
        POLICY.replace("max: 3, window: 1h", "max: 5, window: 2h").replace("500.50", "9")
    )
    (folder / "other.yaml").write_text("tools: {x: {limits: [{max: 1, window: 1h, scope: grant}]}}")

    policy = folder / "policy.yaml"
    lines = told(capsys, "-p", "policy.yaml")

    assert [line.partition(": limit ")[2] for line in lines[:-1]] == [
        "`refunded` (grant `ana`): 1 of 9 per day used, 8 left; all free in 23 h 10 min",
        '`refund#1` (grant `ana`) for args.to tool.name = "a","refund": 1 of 3 per hour used, 2 left; '
        "all free in 10 min; the policy has no such limit now",
        "`refund#1` (global): 1 of 100 calls per calendar month (America/Sao_Paulo) used, 99 left; all free in "
        "16 d 12 h",
        "`refund#1` (grant): 0 of 5 calls per 2 hours used, 5 left",
        "`render#1` (global): 0 of 2 calls at a time used, 2 left",
    ]
    assert lines[-1] == (
        "policy.yaml: 1 limit of scope `session` is counted by each proxy for itself and cannot be told here"
    )
    assert {row["policy"] for row in as_json(capsys, "-p", "other.yaml")["limits"]} == {str(folder / "other.yaml")}
    assert all(line.startswith(str(policy)) for line in told(capsys))


def test_programs_read_the_same(
    charged: Callable[..., Granted], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    charged("ana", "refund", amount=2**60 / 2**55, to="a")
    charged("ben", "refund", amount=1, to="a")

    rows = as_json(capsys, "--grant", "ana")["limits"]

    assert [row for row in rows if row["counter"] == "refunded"] == [
        {
            "policy": str(folder / "policy.yaml"),
            "counter": "refunded",
            "scope": "grant",
            "grant": "ana",
            "per": None,
            "value": None,
            "value_digest": None,
            "shadow": False,
            "max": 500.5,
            "window_s": 86_400,
            "used": 32,
            "left": 468.5,
            "some_free_s": 83_400,
            "all_free_s": 83_400,
            "in_policy": True,
        }
    ]
    (month,) = [row for row in rows if row["scope"] == "global"]
    assert (month["window_s"], month["period"], month["timezone"], month["used"]) == (
        None, "month", "America/Sao_Paulo", 2
    )  # fmt: skip


def test_only_the_counters_that_are_meant_are_emptied_and_who_did_it_is_recorded(
    charged: Callable[..., Granted], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    charged("ana", "refund", amount=5, to="a")
    charged("ben", "refund", amount=6, to="a")

    assert told(capsys, "reset", "refunded", "--grant", "ana") == [
        f"emptied {folder / 'policy.yaml'}: limit `refunded` (grant `ana`): 5 of 500.50 per day used"
    ]
    used = {(row["counter"], row["grant"]): row["used"] for row in as_json(capsys)["limits"]}
    assert used == {("refund#1", None): 2, ("refunded", "ben"): 6, ("refund#1", "ana"): 1, ("refund#1", "ben"): 1}
    with closing(sqlite3.connect(folder / "state.sqlite")) as db:
        ((who, counter),) = db.execute("SELECT who, counter FROM reset").fetchall()
    assert who
    assert counter == "refunded"
    assert len(as_json(capsys, "reset", "refund#1")["reset"]) == 3
    assert [row["counter"] for row in as_json(capsys)["limits"]] == ["refunded"]


def test_what_was_answered_to_a_grant_is_told_and_forgotten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = SQLiteStore(str(folder / "state.sqlite"), grant="ana")
    store.remember_answered("read_mail", patience=5)
    store.remember_answered("get_page", patience=5)
    store.close()

    assert told(capsys) == [
        "no limit of scope `grant` or `global` holds anything",
        "grant `ana` was answered by `get_page`, `read_mail`",
    ]
    assert as_json(capsys)["answered"] == {"ana": ["get_page", "read_mail"]}
    assert as_json(capsys, "--grant", "ben")["answered"] == {}
    assert told(capsys, "forget", "--grant", "ana") == ["forgot 2 tools that were answered to grant `ana`"]
    assert as_json(capsys)["answered"] == {}


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["reset"], 2, "which counter is to be emptied? write `intercept status reset COUNTER`"),
        (["reset", "nothing"], 1, "no counter called `nothing` holds anything here"),
        (["forget"], 2, "write `intercept status forget --grant NAME`"),
        (["forget", "--grant", "ana"], 1, "nothing is known to have been answered to grant `ana`"),
        (["-p", "missing.yaml"], 3, "missing.yaml"),
        (["reset", "--policy"], 2, "expected one argument"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(
    words: list[str], code: int, says: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        found = main(["status", *words])
    except SystemExit as exit_:
        found = int(exit_.code or 0)

    captured = capsys.readouterr()
    assert (found, captured.out) == (code, "")
    assert says in captured.err
    assert captured.err.count("\n") == 1


def test_a_store_that_cannot_be_read_is_told_with_the_remedy(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "state.sqlite").write_bytes(b"no database" * 1000)

    assert main(["status"]) == 1
    assert "the state file is damaged: " in capsys.readouterr().err
