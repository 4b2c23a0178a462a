"""Run a client program against a server, bounded in time, and see that nothing of it is left behind.

Linux only: what is left behind is found in /proc, by a mark in the environment that every descendant inherits.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from intercept.values import Json

from .scenarios import NODE, Step
from .transcripts import Recording, recordings

HERE = Path(__file__).parent
TIMEOUT = 60.0  # seconds for one client to run its whole script; a few are usual
FAREWELL = 5.0  # seconds for the last process to be gone after its client
MARK = "INTERCEPT_E2E_RUN"


@dataclass(frozen=True, slots=True)
class Client:
    """A client program; `kind` is what the scripts call its SDK."""

    name: str
    kind: str
    command: tuple[str, ...]
    speaks_modern: bool = False


CLIENTS: tuple[Client, ...] = (
    Client("python-legacy", "python", (sys.executable, str(HERE / "python_client.py"), "legacy")),
    Client("python-auto", "python", (sys.executable, str(HERE / "python_client.py"), "auto"), True),
    Client("sdk-1", "sdk", ("node", str(NODE / "sdk_client.mjs"))),
    Client("client-2-legacy", "client", ("node", str(NODE / "client.mjs"), "legacy")),
    Client("client-2-auto", "client", ("node", str(NODE / "client.mjs"), "auto"), True),
)


@dataclass(frozen=True, slots=True)
class Run:
    """What a client's application saw, in order, and what was recorded at its own end and at its server's."""

    seen: tuple[dict[str, Json], ...]
    outer: tuple[Recording, ...]
    inner: tuple[Recording, ...]

    @property
    def steps(self) -> list[dict[str, Json]]:
        """The lines that tell what the steps gave."""
        return [line for line in self.seen if "step" in line]

    @property
    def events(self) -> frozenset[Json]:
        """The kinds of events that the application was told of."""
        return frozenset(line["event"] for line in self.seen if "event" in line)

    @property
    def protocol(self) -> Json:
        """The negotiated protocol version."""
        connected = self.steps[0]["result"]
        assert isinstance(connected, dict)
        return connected["protocol"]


def run(
    client: Client,
    server: Sequence[str],
    steps: Sequence[Step],
    *,
    folder: Path,
    proxy: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    elicited: Mapping[str, Json] | None = None,
    answers: Sequence[Mapping[str, Json]] | None = None,
    elicits: bool = True,
) -> Run:
    """Run the steps against `proxy` before `server` (or the server alone), a tap at each end.

    `answers` are what the user says to one question after the other, see `scenarios.py`; without `elicits` the
    client cannot ask its user anything.
    The server works in `folder / "work"`, which must exist. Raises AssertionError if the client fails, takes
    longer than TIMEOUT, or leaves a process behind; nothing runs any more in any case.
    """
    work, records, mark = folder / "work", folder / "records", str(uuid.uuid4())
    records.mkdir()
    command = _tapped(records, "inner", server)
    if proxy:
        command = _tapped(records, "outer", [*proxy, "--", *command])
    plan = folder / "plan.json"
    plan.write_text(
        json.dumps(
            {
                "command": command[0],
                "args": command[1:],
                "cwd": str(work),
                "env": {MARK: mark, **(environment or {})},
                "roots": [{"uri": work.as_uri(), "name": "work"}],
                "elicited": dict(elicited or {}),
                "answers": None if answers is None else [dict(answer) for answer in answers],
                "elicits": elicits,
                "steps": list(steps),
            }
        ),
        encoding="utf-8",
    )
    output = _output([*client.command, str(plan)], mark)
    inner = tuple(recordings(records, "inner"))
    return Run(
        seen=tuple(json.loads(line) for line in output.split("\n") if line),
        outer=tuple(recordings(records, "outer")) if proxy else inner,
        inner=inner,
    )


def _tapped(records: Path, label: str, command: Sequence[str]) -> list[str]:
    return [sys.executable, "-I", str(HERE / "tap.py"), str(records), label, "--", *command]


def _output(command: Sequence[str], mark: str) -> str:
    """What the command prints; its whole family is gone when this returns or raises."""
    process = subprocess.Popen(
        command,
        env=os.environ | {MARK: mark},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    try:
        output, errors = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        _kill(_family(mark))
        output, errors = process.communicate()
        raise AssertionError(
            f"not through after {TIMEOUT:.0f} s; printed last:\n{output[-2000:]}\n{errors[-2000:]}"
        ) from None
    assert process.returncode == 0, f"the client failed:\n{output[-2000:]}\n{errors[-4000:]}"
    deadline = time.monotonic() + FAREWELL
    while family := _family(mark):
        if time.monotonic() > deadline:
            left = [_command_line(pid) for pid in family]
            _kill(family)
            raise AssertionError(f"left behind: {left}")
        time.sleep(0.01)
    return output


def _family(mark: str) -> list[int]:
    """Every living process that inherited the mark, whatever group or parent it has now."""
    needle = f"{MARK}={mark}".encode()
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with suppress(OSError), open(f"/proc/{entry}/environ", "rb") as source:
                if needle in source.read():
                    found.append(int(entry))
    return found


def _command_line(pid: int) -> str:
    with suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as source:
        return source.read().replace(b"\0", b" ").decode(errors="replace").strip()
    return "?"


def _kill(family: Sequence[int]) -> None:
    for pid in family:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
