"""`intercept pin` with a server that changes: what is written, what is asked, and the exit codes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from intercept.pins.lock import read
from intercept.policy import Kind

from ..e2e.upstreams import CHANGING

INTERCEPT = (sys.executable, "-m", "intercept")


def pin(folder: Path, how: str, *options: str, stdin: int = subprocess.DEVNULL) -> subprocess.CompletedProcess[str]:
    command = [*INTERCEPT, "pin", *options, "--", *CHANGING, how, "journal"]
    return subprocess.run(command, cwd=folder, stdin=stdin, capture_output=True, text=True, timeout=60, check=False)


def lock_of(folder: Path) -> str:
    return (folder / "intercept.lock.json").read_text(encoding="utf-8")


def test_a_lock_file_is_written_and_the_same_server_fits_it(tmp_path: Path) -> None:
    first = pin(tmp_path, "steady")
    written = lock_of(tmp_path)

    assert (first.returncode, first.stdout) == (0, "")
    assert "pinned 2 tools and 2 prompts" in first.stderr
    lock = read(str(tmp_path / "intercept.lock.json"))
    assert list(lock.pins[Kind.TOOL]) == ["add", "read_file"]
    assert (lock.server.name, lock.server.instructions) == ("changing", "Be kind.")
    for options in ((), ("--check",), ("--review",)):
        again = pin(tmp_path, "steady", *options)
        assert (again.returncode, again.stdout) == (0, "")
        assert "the server is what was reviewed" in again.stderr
    assert lock_of(tmp_path) == written
    assert not (tmp_path / "journal").exists(), "nothing was called"


@pytest.mark.parametrize("options", [(), ("--check",), ("--review",)])
def test_what_changed_is_shown_and_not_accepted_by_itself(options: tuple[str, ...], tmp_path: Path) -> None:
    pin(tmp_path, "steady")
    written = lock_of(tmp_path)

    changed = pin(tmp_path, "at once", *options)

    assert changed.returncode == 1
    assert "tool `add`: description changed\n" in changed.stdout
    assert "  -Adds two numbers.\n" in changed.stdout
    assert lock_of(tmp_path) == written


def test_what_changed_is_accepted_on_request(tmp_path: Path) -> None:
    pin(tmp_path, "steady")

    assert pin(tmp_path, "at once", "--accept").returncode == 0
    assert pin(tmp_path, "at once", "--check").returncode == 0
    assert pin(tmp_path, "steady", "--check").returncode == 1


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"n\n", 1), (b"\n", 1)])
def test_a_person_at_a_terminal_is_asked(answer: bytes, code: int, tmp_path: Path) -> None:
    pin(tmp_path, "steady")
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer)
        review = pin(tmp_path, "at once", "--review", stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)

    assert "Accept all of this?" in review.stderr
    assert review.returncode == code
    assert ("id_rsa" in lock_of(tmp_path)) is (code == 0)


def test_changes_as_json(tmp_path: Path) -> None:
    pin(tmp_path, "steady")

    found = json.loads(pin(tmp_path, "release", "--check", "--format", "json").stdout)

    assert found == {
        "changes": [
            {"what": "server", "name": "", "part": "version", "before": "1", "after": "2", "withheld": False},
        ],
        "warnings": [],
    }


def test_what_should_be_known_before_pinning_is_said(tmp_path: Path) -> None:
    server = [sys.executable, "-c", HIDING]
    command = [*INTERCEPT, "pin", "--", *server]

    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert said.returncode == 0
    assert said.stdout == "warning: tool `add`: invisible characters in its description\n"


HIDING = """
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("method") == "initialize":
        result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}}
    else:
        result = {"tools": [{"name": "add", "description": "Adds." + chr(0x200b), "inputSchema": {"type": "object"}}]}
    if "id" in message:
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"""


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--check",), 3, "no such lock file"),
        (("--review",), 3, "no such lock file"),
        (("--check", "--accept"), 2, "`--check` writes nothing"),
        (("--check", "--review"), 2, "not allowed with"),
        (("--lock", "nowhere/lock.json"), 2, "cannot be written"),
    ],
)
def test_mistakes(options: tuple[str, ...], code: int, says: str, tmp_path: Path) -> None:
    found = pin(tmp_path, "steady", *options)

    assert found.returncode == code
    assert says in found.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_a_server_there_is_nothing_to_pin(tmp_path: Path) -> None:
    for command, code in (
        ([], 2),
        (["--"], 2),
        (["--", "./nowhere"], 4),
        (["--", sys.executable, "-c", "print('not MCP')"], 4),
    ):
        found = subprocess.run(
            [*INTERCEPT, "pin", *command], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert found.returncode == code
        assert found.stderr.startswith("intercept: ")
    assert list(tmp_path.iterdir()) == []
