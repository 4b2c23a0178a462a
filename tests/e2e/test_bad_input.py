"""What cannot work is said in one line on stderr, with an exit code that tells which kind of mistake it was."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import pytest

from .leftovers import left, mark
from .rawclient import PATIENCE, PROXY, RawClient

USAGE: Final = 2
POLICY: Final = 3
UPSTREAM: Final = 4

FINE: Final = b"default: allow\n"
SERVER: Final = ["/bin/sh", "-c", "exec cat"]
"""It would run until its input ends, which it never does here: what ends it is the proxy."""

POLICIES: Final[dict[str, tuple[bytes, list[str]]]] = {
    # What the file holds, and for each line that must be said the words in it.
    "empty": (b"", ["policy.yaml"]),
    "only a comment": (b"# nothing yet\n", ["policy.yaml"]),
    "a list": (b"- tools\n", ["policy.yaml:1:1"]),
    "a word": (b"allow\n", ["policy.yaml:1:1"]),
    "not YAML": (b"tools: {a: [}\n", ["policy.yaml:1"]),
    "not UTF-8": (b"tools:\n  caf\xe9: {}\n", ["UTF-8"]),
    "UTF-16": ("default: allow\n".encode("utf-16"), ["UTF-8"]),
    "a NUL": (b"default: allow\0\n", ["policy.yaml"]),
    "a tab": (b"tools:\n\tsafe: {}\n", ["policy.yaml:2"]),
    "an unknown key": (b"default: allow\ntoools: {}\n", ["policy.yaml:2:1: error: toools: .*`tools`"]),
    "the wrong type": (b"default: [allow]\n", ["policy.yaml:1:"]),
    "an unknown word": (b"default: maybe\n", ["policy.yaml:1:10: error: default"]),
    "a key twice": (b"default: allow\ndefault: deny\n", ["policy.yaml:2:1"]),
    "two documents": (b"default: allow\n---\ndefault: deny\n", ["policy.yaml"]),
    "a tag": (b"default: !!python/object/apply:os.getcwd []\n", ["policy.yaml:1"]),
    "nested too deep": (b"tools: " + b"[" * 100_000 + b"\n", ["policy.yaml"]),
    "an alias bomb": (
        b"a: &a [x]\n" + b"".join(b"%c: &%c [*%c,*%c]\n" % (n + 1, n + 1, n, n) for n in range(97, 121)),
        ["policy.yaml"],
    ),
    "too large": (b"description: " + b"x" * (1 << 20) + b"\n", ["policy.yaml"]),
    "an unknown JSON member": (b'{"default": "allow", "tolls": {}}', ["policy.yaml:1:22: error: tolls: .*`tools`"]),
    "several mistakes": (
        b"default: maybe\ntools:\n  a: {action: alow}\n  b: {rate_limit: often}\nversion: '2'\n",
        ["policy.yaml:1:10", "policy.yaml:3:15", "policy.yaml:4:19", "policy.yaml:5:10"],
    ),
    "a pattern that cannot be searched for": (
        b"results: {redact: [{regex: '(?=a)'}]}\n",
        ["policy.yaml:1:28: error: results.*look-around"],
    ),
}


def outcome(folder: Path, *arguments: str) -> tuple[int, list[str]]:
    """Run the proxy in `folder` with its input open: the exit code and the lines it said.

    Whatever happens, nothing is written to stdout, no traceback is shown and no process is left.
    """
    environment = mark()
    with RawClient([*PROXY, *arguments], folder / "stderr", environment, folder=folder) as client:
        assert client.rest() == []
        code = client.process.wait(PATIENCE)
    assert left(environment, within=PATIENCE) == []
    words = client.words()
    assert "Traceback" not in words
    assert str(folder) not in words
    return code, words.splitlines()


@pytest.mark.parametrize("mistake", POLICIES)
def test_each_mistake_in_a_policy_is_one_line_that_names_the_place(mistake: str, tmp_path: Path) -> None:
    text, expected = POLICIES[mistake]
    (tmp_path / "policy.yaml").write_bytes(text)

    code, lines = outcome(tmp_path, "--policy", "policy.yaml", "--", *SERVER)

    assert code == POLICY
    assert len(lines) == len(expected), lines
    for said, pattern in zip(lines, expected, strict=True):
        assert said.startswith("intercept: ")
        assert "policy.yaml" in said
        assert len(said) < 300
        assert _matches(pattern, said), said


def test_a_missing_policy_is_named(tmp_path: Path) -> None:
    code, lines = outcome(tmp_path, "--policy", "nowhere.yaml", "--", *SERVER)
    assert code == POLICY
    assert len(lines) == 1
    assert lines[0].startswith("intercept: nowhere.yaml: ")


def test_a_folder_is_no_policy(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    code, lines = outcome(tmp_path, "--policy", "folder", "--", *SERVER)
    assert code == POLICY
    assert len(lines) == 1
    assert "directory" in lines[0]


def test_the_mistakes_of_several_policies_are_all_said(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_bytes(b"default: maybe\n")
    (tmp_path / "two.yaml").write_bytes(FINE)
    code, lines = outcome(
        tmp_path, "--policy", "one.yaml", "--policy", "two.yaml", "--policy", "three.yaml", "--", *SERVER
    )
    assert code == POLICY
    assert len(lines) == 2
    assert "one.yaml:1:10" in lines[0]
    assert "three.yaml" in lines[1]


COMMANDS: Final[dict[str, tuple[list[str], str]]] = {
    "unknown": (["no-such-server-anywhere", "--stdio"], "no-such-server-anywhere"),
    "a missing path": (["./no-such-server"], "./no-such-server"),
    "not executable": (["./policy.yaml"], "executable"),
    "a folder": (["./folder"], "director"),
    "neither program nor script": (["./text"], "`#!`"),
    "an interpreter that is missing": (["./script"], "./script"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_server_that_cannot_be_started_is_named(command: str, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_bytes(FINE)
    (tmp_path / "folder").mkdir()
    for name, text in {"text": "just words\n", "script": "#!/no/such/interpreter\n"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    words, named = COMMANDS[command]

    code, lines = outcome(tmp_path, "--policy", "policy.yaml", "--", *words)

    assert code == UPSTREAM
    assert len(lines) == 1, lines
    assert lines[0].startswith("intercept: ")
    assert named in lines[0]


USAGES: Final[dict[str, list[str]]] = {
    "nothing": [],
    "no policy": ["--", *SERVER],
    "no command": ["--policy", "policy.yaml"],
    "no command after the dashes": ["--policy", "policy.yaml", "--"],
    "an empty command": ["--policy", "policy.yaml", "--", ""],
    "a policy without a value": ["--policy"],
    "an unknown option": ["--polcy", "policy.yaml", "--", *SERVER],
    "an unknown option after a known one": ["--policy", "policy.yaml", "--verbosely", "--", *SERVER],
    "an abbreviated option": ["--pol", "policy.yaml", "--", *SERVER],
    "an unknown command": ["frobnicate"],
    "a server without the dashes": ["--policy", "policy.yaml", *SERVER],
    "a word before the dashes": ["--policy", "policy.yaml", "word", "--", *SERVER],
}


@pytest.mark.parametrize("mistake", USAGES)
def test_a_command_line_that_cannot_be_carried_out_is_refused(mistake: str, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_bytes(FINE)

    code, lines = outcome(tmp_path, *USAGES[mistake])

    assert code == USAGE
    assert len(lines) == 1, lines
    assert lines[0].startswith("intercept: ")


def test_a_server_that_needs_no_input_has_its_own_exit_code(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_bytes(FINE)
    code, _ = outcome(tmp_path, "--policy", "policy.yaml", "--", sys.executable, "-c", "raise SystemExit(42)")
    assert code == 42


def test_a_path_with_odd_characters_is_shown_harmlessly(tmp_path: Path) -> None:
    name = "a\x1b[31m\n\u202eb.yaml"
    (tmp_path / name).write_bytes(b"default: maybe\n")
    code, lines = outcome(tmp_path, "--policy", name, "--", *SERVER)
    assert code == POLICY
    assert len(lines) == 1
    assert "\x1b" not in lines[0]
    assert "\u202e" not in lines[0]


def _matches(pattern: str, said: str) -> bool:
    """Do the parts of `pattern` (between `.*`) stand in `said`, in this order?"""
    at = 0
    for part in pattern.split(".*"):
        at = said.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True
