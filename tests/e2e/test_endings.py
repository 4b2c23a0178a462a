"""However a session ends, at whatever moment, with whatever server: no process is left, and the exit code is right."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from .fifo import Fifo
from .leftovers import left, mark, wait_until_stopped
from .rawclient import PATIENCE, RawClient, call, proxy
from .upstreams import MISBEHAVE

SERVER: Final = shlex.join(MISBEHAVE)

SERVERS: Final[dict[str, tuple[str, ...]]] = {
    "obedient": MISBEHAVE,
    "stubborn": (*MISBEHAVE, "--stubborn"),
    "behind a shell": ("/bin/sh", "-c", f"{SERVER}; exit $?"),
    "stubborn behind a shell": ("/bin/sh", "-c", f"trap '' TERM HUP; exec 3<&0; {SERVER} --stubborn <&3 & wait $!"),
    "with a child in the background": ("/bin/sh", "-c", f"sleep 1000 & exec {SERVER}"),
}
"""As people start them: `npx` and `uvx` put processes of their own between us and the server."""


@dataclass(frozen=True, slots=True)
class Case:
    server: str
    moment: str
    way: str

    @property
    def exit_code(self) -> int | None:
        """What the proxy must exit with: the server's own code, 128 + n if signal n ended it. None: anything."""
        if self.way in OWN:
            return OWN[self.way][1]
        if self.way in {"client killed", "proxy killed"} or self.moment in {"at once", "booting"}:
            return None
        if self.server.startswith("stubborn") or (self.moment == "frozen" and self.server != "behind a shell"):
            return 128 + signal.SIGKILL
        if self.way == "client closes":
            # A server that reads nothing does not see the end of its input.
            return 128 + signal.SIGTERM if self.moment in {"pipe full", "frozen"} else 0
        return 128 + signal.SIGTERM


SIGNALS: Final = {
    "SIGTERM": signal.SIGTERM,
    "SIGINT": signal.SIGINT,
    "SIGHUP": signal.SIGHUP,
    "proxy killed": signal.SIGKILL,
}
OWN: Final[dict[str, tuple[dict[str, int], int]]] = {
    "server exits 0": ({"code": 0}, 0),
    "server exits 3": ({"code": 3}, 3),
    "server killed": ({"signal": signal.SIGKILL}, 128 + signal.SIGKILL),
    "server crashes": ({"signal": signal.SIGSEGV}, 128 + signal.SIGSEGV),
}
MOMENTS: Final = ("at once", "booting", "idle", "in a call", "pipe full", "frozen")
WAYS: Final = ("client closes", "client killed", *SIGNALS)

CASES: Final = [
    *(Case(server, moment, way) for way in WAYS for moment in MOMENTS for server in SERVERS),
    *(Case(server, "in a call", way) for way in OWN for server in SERVERS),
]
"""200 endings."""


@pytest.mark.parametrize("way", [*WAYS, *OWN])
def test_no_process_is_left_however_the_session_ends(way: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("default: allow\n", encoding="utf-8")
    numbers = count()

    def run(case: Case) -> str:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        try:
            return "; ".join(faults(case, policy, folder))
        except (AssertionError, subprocess.TimeoutExpired) as problem:
            return str(problem)

    cases = [case for case in CASES if case.way == way]
    with ThreadPoolExecutor(max_workers=10) as pool:
        found = {case: fault for case, fault in zip(cases, pool.map(run, cases), strict=True) if fault}
    assert found == {}


def test_there_are_two_hundred_endings() -> None:
    assert len(CASES) == len(set(CASES)) == 200


def faults(case: Case, policy: Path, folder: Path) -> Iterator[str]:
    """Start a session, bring it to the moment, end it; what was wrong afterwards."""
    environment = mark()
    command = proxy(policy, *SERVERS[case.server])
    if case.moment == "booting":
        command = proxy(policy, "/bin/sh", "-c", f"echo up >&2; exec {shlex.join(SERVERS[case.server])}")
    with Fifo(folder / "pipe") as pipe:
        words = Path(pipe.path) if case.moment == "booting" else folder / "stderr"
        if case.way == "client killed":
            command = [sys.executable, "-I", "-c", RELAYING_CLIENT, *command]
        with RawClient(command, words, environment) as client:
            MOMENT[case.moment](client, pipe)
            if case.moment == "frozen":
                wait_until_stopped(environment, within=PATIENCE)
            end(client, case)
            code = client.process.wait(PATIENCE)
        remaining = left(environment, within=PATIENCE)
        if remaining:
            yield f"still there: {remaining}"
        if case.exit_code is not None and code != case.exit_code:
            yield f"exit code {code} instead of {case.exit_code}"
        said = pipe.peek() if case.moment == "booting" else client.words()
        # Interrupted before any code of ours runs, the interpreter itself shows where it was.
        if "Traceback" in said and case.moment != "at once":
            yield f"a traceback: {said[-1500:]}"


RELAYING_CLIENT: Final = (
    "import os, subprocess, sys; p = subprocess.Popen(sys.argv[1:], stdin=-1, stdout=-1)\n"
    "import threading\n"
    "def pump(a, b):\n"
    "    while data := os.read(a, 65536): os.write(b, data)\n"
    "threading.Thread(target=pump, args=(p.stdout.fileno(), 1), daemon=True).start()\n"
    "pump(0, p.stdin.fileno())\n"
)
"""A client in a process of its own, so that it can be killed. What it reads on its input it sends to the proxy."""


def at_once(client: RawClient, pipe: Fifo) -> None:
    """Before anything happened."""


def booting(client: RawClient, pipe: Fifo) -> None:
    """The server runs and the policy is being loaded."""
    while "up" not in pipe.read():
        pass


def idle(client: RawClient, pipe: Fifo) -> None:
    client.handshake()


def in_a_call(client: RawClient, pipe: Fifo) -> None:
    client.handshake()
    client.send(call("hold", 1) + call("hold", 2) + call("ok", 3))
    client.until(3)


def pipe_full(client: RawClient, pipe: Fifo) -> None:
    client.handshake()
    client.send(call("deaf", 1, until=pipe.path))
    chunk = b"".join(call("ok", number, text="x" * 1000) for number in range(2, 16_000))
    assert client.offer(chunk, within=0.5) > 0


def frozen(client: RawClient, pipe: Fifo) -> None:
    client.handshake()
    client.send(call("ok", 1) + call("leave", 2, signal=int(signal.SIGSTOP), code=0))
    client.until(1)


MOMENT: Final[dict[str, Callable[[RawClient, Fifo], None]]] = {
    "at once": at_once,
    "booting": booting,
    "idle": idle,
    "in a call": in_a_call,
    "pipe full": pipe_full,
    "frozen": frozen,
}


def end(client: RawClient, case: Case) -> None:
    match case.way:
        case "client closes":
            client.close_input()
        case "client killed":
            client.process.kill()
        case way if way in SIGNALS:
            client.process.send_signal(SIGNALS[way])
        case way:
            client.send(call("leave", "last", **OWN[way][0]))


@pytest.mark.parametrize("repeated", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_an_impatient_client_that_signals_again_and_again_changes_nothing(repeated: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("default: allow\n", encoding="utf-8")
    environment = mark()
    with RawClient(proxy(policy, *SERVERS["stubborn"]), tmp_path / "stderr", environment) as client:
        client.handshake()
        client.close_input()
        for _ in range(50):
            client.process.send_signal(SIGNALS[repeated])
        assert client.process.wait(PATIENCE) == 128 + signal.SIGKILL
    assert left(environment, within=PATIENCE) == []
    assert "Traceback" not in client.words()


def test_a_session_that_the_typescript_clients_probe_with_ends_like_any_other(tmp_path: Path) -> None:
    """They close the input and send SIGTERM in the same breath, to a process that may not have started yet."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("default: allow\n", encoding="utf-8")
    environment = mark()
    with RawClient(proxy(policy, *SERVERS["behind a shell"]), tmp_path / "stderr", environment) as client:
        client.close_input()
        client.process.send_signal(signal.SIGTERM)
        client.process.wait(PATIENCE)
    assert left(environment, within=PATIENCE) == []
    assert "Traceback" not in client.words()


def test_the_server_gets_the_whole_environment_and_the_stderr_of_the_client(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("default: allow\n", encoding="utf-8")
    environment = {"INTERCEPT_E2E_WORD": "a b\u00e9", **mark()}
    command = proxy(policy, "/bin/sh", "-c", 'echo "word: $INTERCEPT_E2E_WORD" >&2; exit 5')
    with RawClient(command, tmp_path / "stderr", environment) as client:
        assert client.process.wait(PATIENCE) == 5
    assert "word: a b\u00e9\n" in client.words()


def test_signals_of_the_clients_terminal_do_not_reach_the_server_past_the_proxy(tmp_path: Path) -> None:
    """It is not in the process group that a terminal's signals go to, so that the proxy alone decides when it ends."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("default: allow\n", encoding="utf-8")
    script = "import os, sys; print('group', os.getpgrp(), file=sys.stderr)"
    done = subprocess.run(
        proxy(policy, sys.executable, "-I", "-c", script), capture_output=True, check=True, stdin=subprocess.DEVNULL
    )
    groups = [line.split()[1] for line in done.stderr.decode().splitlines() if line.startswith("group ")]
    assert len(groups) == 1
    assert groups != [str(os.getpgrp())]
