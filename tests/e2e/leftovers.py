"""Which processes that a test started are still there. Linux only: it looks into /proc."""

from __future__ import annotations

import os
import select
import signal
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Final

MARK: Final = "INTERCEPT_E2E_MARK"
"""An environment variable that every process of one test case inherits, its server and what that starts included."""


def mark() -> dict[str, str]:
    """An environment to start something with, so that it can be found again."""
    return {MARK: uuid.uuid4().hex}


def left(environment: dict[str, str], *, within: float) -> list[str]:
    """The command lines of marked processes that do not end within `within` seconds. Those are then killed."""
    deadline = time.monotonic() + within
    while found := _marked(environment[MARK]):
        poll = select.poll()
        handles = [handle for process in found if (handle := _handle(process)) is not None]
        for handle in handles:
            poll.register(handle, select.POLLIN)
        remaining = deadline - time.monotonic()
        ended = not handles or (remaining > 0 and poll.poll(remaining * 1000))
        for handle in handles:
            os.close(handle)
        if not ended:
            commands = [_command(process) for process in found]
            for process in found:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            return commands
    return []


def wait_until_stopped(environment: dict[str, str], *, within: float) -> None:
    """Wait until a marked process is stopped by a signal; only its parent could be told, and that is not us."""
    deadline = time.monotonic() + within
    while not any(_state(process) == "T" for process in _marked(environment[MARK])):
        assert time.monotonic() < deadline, "nothing was stopped"
        time.sleep(0.005)


def _state(process: int) -> str:
    """One letter (proc(5), stat), which stands behind the name in parentheses; empty for a process that is gone."""
    return _read(Path(f"/proc/{process}/stat")).decode("utf-8", "replace").rpartition(") ")[2][:1]


def _marked(value: str) -> list[int]:
    wanted = f"{MARK}={value}".encode()
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and wanted in _read(entry / "environ")
    ]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has just ended, or is not ours
        return b""


def _handle(process: int) -> int | None:
    try:
        return os.pidfd_open(process)
    except ProcessLookupError:
        return None


def _command(process: int) -> str:
    return _read(Path(f"/proc/{process}/cmdline")).replace(b"\0", b" ").decode(errors="replace")
