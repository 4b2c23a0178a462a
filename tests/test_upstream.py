"""The upstream's process and its watchdog, with real processes."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from intercept.errors import UpstreamError
from intercept.upstream import Upstream

WAIT_MS = 10_000


def wait_for_exit(upstream: Upstream) -> int:
    while (code := upstream.poll()) is None:
        select.poll().poll(5)
    upstream.release()
    return code


def gone(pid: int) -> bool:
    """Whether the process ends within a few seconds."""
    for _ in range(WAIT_MS // 10):
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat")
            if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        select.poll().poll(10)
    return False


def read_line(fd: int) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(fd, 1)
        if not part:
            break
        line += part
    return line


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137), ("kill -TERM $$", 143)]
)
def test_the_exit_code_is_the_upstream_s_own(script: str, code: int) -> None:
    assert wait_for_exit(Upstream(["sh", "-c", script])) == code


def test_the_upstream_gets_pipes_and_the_whole_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCEPT_TEST", "value")
    upstream = Upstream(["sh", "-c", 'read -r line; echo "$line $INTERCEPT_TEST"'])
    os.write(upstream.stdin, b"hello\n")

    assert read_line(upstream.stdout) == b"hello value\n"
    assert wait_for_exit(upstream) == 0


def test_a_signal_reaches_what_the_upstream_started() -> None:
    upstream = Upstream(["sh", "-c", "sleep 300 & echo $!; wait"])
    grandchild = int(read_line(upstream.stdout))

    assert upstream.signal_group(signal.SIGTERM)
    assert wait_for_exit(upstream) == 143
    assert gone(grandchild)


@pytest.mark.parametrize("stubborn", [False, True])
def test_the_group_ends_when_we_are_killed(stubborn: bool) -> None:
    """Even one that ignores SIGTERM, and even though nothing of ours is left to end it."""
    trap = "trap '' TERM; " if stubborn else ""
    program = (
        "import os, sys; from intercept.upstream import Upstream\n"
        f"upstream = Upstream(['sh', '-c', {trap + 'sleep 300 & echo $$ $!; wait; wait'!r}])\n"
        "print(os.read(upstream.stdout, 100).decode(), flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as proxy:
        assert proxy.stdout is not None
        pids = [int(pid) for pid in proxy.stdout.readline().split()]
        assert len(pids) == 2
        proxy.kill()

    assert all(gone(pid) for pid in pids)


def test_the_watchdog_leaves_a_group_alone_once_it_is_dismissed() -> None:
    upstream = Upstream(["sh", "-c", "read -r line; exit 5"])
    watched = os.dup(upstream.stdout)
    upstream.release()
    os.close(watched)
    os.write(upstream.stdin, b"go\n")
    while (code := upstream.poll()) is None:
        select.poll().poll(5)

    assert code == 5


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("no-such-program-anywhere", "not found in PATH"),
        ("./no/such/file", "no such file"),
        (".", "it is a directory"),
        ("{tmp}/plain.txt", "not executable"),
    ],
)
def test_a_command_that_cannot_be_started_says_why_in_one_line(command: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "plain.txt").write_text("x")
    with pytest.raises(UpstreamError) as caught:
        Upstream([command.format(tmp=tmp_path)])

    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
