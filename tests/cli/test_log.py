from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intercept.cli import main

from ..audit.logs import START, Log


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Two sessions: calls that were answered, failed and were refused, an hour apart."""
    for n in range(2):
        log = Log(tmp_path / "audit", tmp_path, now=START + 3600 * n)
        log.call("send", outcome="ok")
        log.call("send", outcome="tool_error")
        log.call("drop", outcome=None)
        log.call("unlisted", outcome=None)
        log.call("send", outcome=None)
        if n:
            log.recorder.end("over", 0)
    return tmp_path / "audit"


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_every_call_is_a_line_with_what_became_of_it(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", str(place)]) == 0
    out, err = capsys.readouterr()

    head, *calls = rows(out)
    assert head == ["time", "server", "tool", "decision", "outcome", "ms", "by", "reason"]
    assert len(calls) == 10
    assert calls[0][:8] == ["2027-01-15", "08:00:00.000", "a", "server", "send", "allow", "ok", "1.0"]
    assert calls[1][6] == "tool_error"
    assert calls[2][5:] == [*("deny", "-", "-"), "drop#1", "(policy0.yaml:2)", "Nothing", "is", "dropped."]
    assert calls[3][5:9] == ["deny", "-", "-", "-"]
    assert err == ""


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--tool", "send"], 6),
        (["--tool", "s*"], 6),
        (["--decision", "deny"], 4),
        (["--server", "a *"], 10),
        (["--server", "other"], 0),
        (["--since", "2027-01-15T08:30"], 5),
        (["--until", "2027-01-15T08:30+00:00", "--decision", "deny"], 2),
        (["--since", "2027-01-15T09:00:00.002"], 4),
        (["--since", "1s"], 10 if datetime.now(UTC).timestamp() < START else 0),
    ],
)
def test_calls_are_chosen_by_tool_decision_server_and_time(
    options: list[str], expected: int, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["log", str(place), *options]) == 0
    assert len(rows(capsys.readouterr().out)[1:]) == expected


def test_programs_get_the_records_as_they_are(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", str(place), "--format", "json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sorted(lines) == sorted(line for path in place.iterdir() for line in path.read_text().splitlines())

    assert main(["log", str(place), "--format", "json", "--tool", "send"]) == 0
    kinds = [json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()]
    assert kinds == ["decision", "outcome", "decision", "outcome", "decision"] * 2


def test_what_is_no_record_is_left_out_and_said(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sorted(place.iterdir())[0].open("ab") as file:
        file.write(b'{"type":"decision"}\n')
    assert main(["log", str(place)]) == 0
    out, err = capsys.readouterr()

    assert len(rows(out)) == 11
    assert err == "left out 1 lines that are no whole record; see `intercept log verify`\n"


def test_a_whole_log_is_said_to_be_with_a_head_for_each_session(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["log", "verify", str(place)]) == 0
    first, second, last = capsys.readouterr().out.splitlines()

    assert "open (running, killed, or its tail is missing)" in first
    assert "9 records, ended, head " in second
    assert last == "whole: 17 records of 2 sessions in 2 files"
    head = second.rpartition(" ")[2]
    assert main(["log", "verify", str(place), "--head", head]) == 0
    assert main(["log", "verify", str(place), "--head", "0" * 64]) == 1
    assert "missing: no record has the hash 000" in capsys.readouterr().out


def test_a_bad_line_is_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = sorted(place.iterdir())[1]
    path.write_bytes(path.read_bytes().replace(b'"outcome":"ok"', b'"outcome":"no"'))
    assert main(["log", "verify", str(place)]) == 1
    out = capsys.readouterr().out

    assert f"{path}:3: it was changed: its text does not fit its hash\n" in out
    assert out.splitlines()[-1].startswith("NOT WHOLE: 1 files with a bad line")
    assert main(["log", "verify", str(place), "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["whole"] is False
    assert [(fault["path"], fault["line"]) for fault in found["faults"]] == [(str(path), 3)]
    assert [session["ended"] for session in found["sessions"]] == [False, True]


def test_statistics_count_calls_denials_rules_and_times(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", "stats", str(place), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)

    assert found["decisions"] == {"allow": 6, "ask": 0, "deny": 4}
    assert found["outcomes"] == {"ok": 2, "tool_error": 2}
    assert (found["calls"], found["unanswered"], found["sessions"], found["lost"]) == (10, 2, 2, 0)
    assert found["deciding_us"] == {"median": 12, "p99": 12}
    assert found["tools"][0] == {
        "tool": "send",
        "calls": 6,
        "denied": 0,
        "asked": 0,
        "errors": 2,
        "median_us": 1000,
        "p95_us": 1000,
        "longest_us": 1000,
    }
    assert [(rule["rule"], rule["line"], rule["denied"]) for rule in found["rules"]] == [
        (None, None, 2),
        ("drop#1", 2, 2),
    ]

    assert main(["log", "stats", str(place)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("10 calls in 2 sessions, 2027-01-15 08:00:00.000 to 2027-01-15 09:00:00.006\n")
    assert ["send", "6", "0", "0", "2", "1.0", "1.0", "1.0"] in rows(out)
    assert ["drop#1", "(policy0.yaml:2)", "2", "0"] in rows(out)


def test_follow_shows_calls_as_they_come(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit", tmp_path)
    log.call("send")
    command = [sys.executable, "-m", "intercept", "log", str(tmp_path / "audit"), "--follow", "--decision", "deny"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        log.call("drop", outcome=None)
        assert "drop  deny  drop#1" in following.stdout.readline()
        other = Log(tmp_path / "audit", tmp_path)
        other.call("send")
        other.call("unlisted", outcome=None)
        assert "unlisted  deny" in following.stdout.readline()
        following.terminate()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{place}", "--since", "yesterday"], "`yesterday` is not a time"),
        (["{place}", "--head", "0"], "`--head` belongs to `intercept log verify`"),
        (["stats", "{place}", "--follow"], "`--follow` does not belong to `intercept log stats`"),
        (["/nowhere/at/all"], "cannot read `/nowhere/at/all`: no such file or directory"),
        (["{place}", "--tool", "a**"], "`**`"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str], told: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["log", *(argument.format(place=place) for argument in arguments)]) == 2
    assert told in capsys.readouterr().err


def test_without_a_place_it_is_the_one_where_the_proxy_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert main(["log"]) == 2
    assert "nothing was recorded" in capsys.readouterr().err

    Log(tmp_path / "intercept" / "audit", tmp_path).call("send")
    assert main(["log"]) == 0
    assert "send" in capsys.readouterr().out


def test_nothing_that_a_peer_wrote_reaches_the_terminal_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Log(tmp_path / "audit", tmp_path)
    log.call("\x1b]0;owned\x07\nforged line", outcome=None)
    for what in ([], ["stats"]):
        assert main(["log", *what, str(tmp_path / "audit")]) == 0
        out = capsys.readouterr().out
        assert "\x1b" not in out
        assert "\nforged" not in out
