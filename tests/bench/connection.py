"""A client as thin as possible: newline-delimited JSON-RPC over pipes, and what the proxy's processes cost.

Nothing here decodes an answer while a clock runs. Linux only: processor time and memory come from `/proc` and
from the clocks of other processes.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from intercept.values import Json

PROTOCOL = "2025-06-18"


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise TimeoutError when the body takes longer: a peer that hangs costs its figure, not the run."""

    def expire(_signal: int, _frame: object) -> None:
        raise TimeoutError(f"no answer within {seconds:g} s")

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class WrongAnswerError(Exception):
    """An answer that is not the one that was asked for; its figure would mean nothing."""


class Connection:
    """One running server, with a proxy before it or without."""

    def __init__(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], upstream: Sequence[str]) -> None:
        self.upstream = list(upstream)
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=cwd,
            env=env,
            bufsize=0,
            start_new_session=True,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.into = self.process.stdin.fileno()
        self.out = self.process.stdout.fileno()
        self.rest = b""
        self.last_id = 0

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def call_bytes(self, tool: str, arguments: Mapping[str, object]) -> tuple[int, bytes]:
        """A `tools/call`, ready to write, and its id."""
        number = self.next_id()
        params = {"name": tool, "arguments": arguments}
        message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
        return number, json.dumps(message).encode() + b"\n"

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self.into, view) :]

    def write_all(self, data: bytes) -> None:
        """Write from a thread; if the server went away, its reader finds out."""
        with contextlib.suppress(OSError):
            self.write(data)

    def answer_line(self) -> bytes:
        """The next line that is an answer; log lines and notifications are passed over."""
        while True:
            line = self._line()
            if line.startswith(b"{") and (b'"result"' in line or b'"error"' in line[:200]):
                return line

    def answer_lines(self, count: int) -> list[bytes]:
        """The next `count` lines that are answers, split in bulk."""
        found: list[bytes] = []
        rest = self.rest
        while True:
            *lines, rest = rest.split(b"\n")
            found += [line for line in lines if b'"id"' in line and b'"method"' not in line]
            if len(found) >= count:
                self.rest = rest
                return found
            data = os.read(self.out, 1 << 16)
            if not data:
                raise EOFError("the server closed its output")
            rest += data

    def _line(self) -> bytes:
        end = self.rest.find(b"\n")
        if end < 0:
            pieces = [self.rest]
            while True:
                data = os.read(self.out, 1 << 16)
                if not data:
                    raise EOFError("the server closed its output")
                pieces.append(data)
                if b"\n" in data:
                    break
            self.rest = b"".join(pieces)
            end = self.rest.index(b"\n")
        if end == len(self.rest) - 1:  # no copy of a long line
            line, self.rest = self.rest, b""
        else:
            line, self.rest = self.rest[:end], self.rest[end + 1 :]
        return line

    def request(self, method: str, params: Mapping[str, object]) -> dict[str, Json]:
        """Ask and wait for the result; requests of the server are refused meanwhile."""
        number = self.next_id()
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        while True:
            message = json.loads(self._line())
            if "method" in message and "id" in message:
                refusal = {"code": -32601, "message": "not here"}
                self._send({"jsonrpc": "2.0", "id": message["id"], "error": refusal})
            elif message.get("id") == number:
                if "result" not in message:
                    raise WrongAnswerError(f"{method}: {message}"[:300])
                result: dict[str, Json] = message["result"]
                return result

    def _send(self, message: Mapping[str, object]) -> None:
        self.write(json.dumps(message).encode() + b"\n")

    def handshake(self, tool: str) -> None:
        """Initialize, and list the tools until `tool` is there: some proxies answer before they are ready."""
        client = {"name": "bench", "version": "1"}
        self.request("initialize", {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": client})
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        while f'"{tool}"' not in json.dumps(self.request("tools/list", {})):
            time.sleep(0.005)

    def processor_time(self) -> float:
        """Seconds of processor time that the proxy's processes have used; 0 for a server without a proxy."""
        # CPUCLOCK_SCHED of a process, as clock_getcpuclockid(3) makes it; /proc has ticks of 10 ms.
        return sum(time.clock_gettime((~pid << 3) | 2) for pid in self._proxy_processes())

    def memory(self, field: str) -> float:
        """MB (2**20 bytes) of the proxy's processes: `VmRSS` now, `VmHWM` at its highest."""
        total = 0
        for pid in self._proxy_processes():
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith(field + ":"):
                    total += int(line.split()[1])
        return total / 1024

    def _proxy_processes(self) -> list[int]:
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                    children.setdefault(parent, []).append(int(entry.name))
        found: list[int] = []
        todo = [self.process.pid]
        while todo:
            pid = todo.pop()
            todo += children.get(pid, [])
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
            if command != self.upstream:
                found.append(pid)
        return found

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
