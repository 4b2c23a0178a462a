"""A client that speaks bytes: what it sends is never repaired, and what it gets is kept as it came."""

from __future__ import annotations

import json
import os
import queue
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

PROXY: Final[list[str]] = [sys.executable, "-m", "intercept"]
"""What starts the proxy; `--policy FILE -- COMMAND` is still to be appended."""

PATIENCE: Final = 30.0
"""Seconds after which an answer is taken for missing. Nothing waits this long unless it is broken."""

ENVELOPE: Final[dict[str, Any]] = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
}
"""What every request of the 2026-07-28 protocol carries in `params._meta`."""


_NONE: Final = object()


class Missing(AssertionError):  # noqa: N818 - not an error of the code but of what it talks to
    """Something that had to arrive did not."""


def line(method: str, params: object = None, id: object = None) -> bytes:  # noqa: A002
    """One message as a well-behaved client writes it; without `id` a notification."""
    message: dict[str, object] = {"jsonrpc": "2.0", "method": method}
    if id is not None:
        message["id"] = id
    if params is not None:
        message["params"] = params
    return json.dumps(message).encode() + b"\n"


def call(tool: str, id: object, **arguments: object) -> bytes:  # noqa: A002
    return line("tools/call", {"name": tool, "arguments": arguments}, id)


def is_answer(frame: bytes, id: object) -> bool:  # noqa: A002
    """Is this the response to `id`, identical in type and value?"""
    try:
        message = json.loads(frame)
    except ValueError:
        return False
    found = message.get("id")
    return "method" not in message and type(found) is type(id) and found == id


class RawClient:
    """One process to talk to over its standard streams. Its stderr goes to a file, so that it never blocks."""

    def __init__(
        self,
        command: Sequence[str],
        stderr: Path,
        environment: Mapping[str, str] | None = None,
        *,
        folder: Path | None = None,
        reading: bool = True,
    ) -> None:
        self._stderr = stderr
        with stderr.open("wb") as words:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                env={**os.environ, **(environment or {})},
                cwd=folder,
                bufsize=0,
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._stdin, self._stdout = self.process.stdin, self.process.stdout
        os.set_blocking(self._stdin.fileno(), False)
        self._frames: queue.Queue[bytes | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        if reading:
            self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if not self._stdin.closed:
            self._stdin.close()
        if self._reader.ident is not None:
            self._reader.join()
        self._stdout.close()

    def start_reading(self) -> None:
        """For a client made with `reading=False`, which leaves the proxy's output in the pipe until now."""
        self._reader.start()

    def _read(self) -> None:
        unfinished: list[bytes] = []
        while chunk := os.read(self._stdout.fileno(), 1 << 20):
            *finished, rest = chunk.split(b"\n")
            for piece in finished:
                self._frames.put(b"".join((*unfinished, piece)))
                unfinished.clear()
            unfinished.append(rest)
        if last := b"".join(unfinished):
            self._frames.put(last)
        self._frames.put(None)

    def words(self) -> str:
        """What the process said on stderr so far; nothing if that is no file."""
        if not self._stderr.is_file():
            return ""
        return self._stderr.read_text(encoding="utf-8", errors="backslashreplace")

    def send(self, data: bytes, *, within: float = PATIENCE) -> None:
        """Write all of `data`. Raises `Missing` if the other side stops reading."""
        if (unsent := self.offer(data, within=within)) and self.process.poll() is None:
            raise Missing(f"{unsent} of {len(data)} bytes were not read; stderr: {self.words()[-1000:]}")

    def offer(self, data: bytes, *, within: float) -> int:
        """Write `data` until nobody takes any of it for `within` seconds; how many bytes were left over."""
        view = memoryview(data)
        while view:
            if not select.select([], [self._stdin], [], within)[1]:
                break
            try:
                view = view[os.write(self._stdin.fileno(), view) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                break
        return len(view)

    def next_frame(self, *, within: float = PATIENCE) -> bytes | None:
        """The next line, without its newline; None at the end of the stream. Raises `Missing`."""
        try:
            return self._frames.get(timeout=within)
        except queue.Empty:
            raise Missing(f"nothing came for {within:.0f} s; stderr: {self.words()[-1000:]}") from None

    def until(self, *ids: object, within: float = PATIENCE) -> tuple[list[bytes], dict[str, Any]]:
        """What came before the responses to all of `ids`, and the one to the last of them. Raises `Missing`."""
        before: list[bytes] = []
        waiting = list(ids)
        last: dict[str, Any] = {}
        deadline = time.monotonic() + within
        while waiting:
            frame = self.next_frame(within=max(0.1, deadline - time.monotonic()))
            if frame is None:
                raise Missing(f"the stream ended before an answer to {waiting!r}; stderr: {self.words()[-1000:]}")
            answered = next((id for id in waiting if is_answer(frame, id)), _NONE)  # noqa: A001
            if answered is _NONE:
                before.append(frame)
                continue
            waiting.remove(answered)
            if answered == ids[-1]:
                last = json.loads(frame)
        return before, last

    def rest(self) -> list[bytes]:
        """Every frame until the end of the stream."""
        return list(iter(self.next_frame, None))

    def handshake(self, capabilities: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Open a session of the 2025-06-18 protocol; the answer to `initialize`."""
        info = {"name": "raw", "version": "1"}
        about = {"protocolVersion": "2025-06-18", "capabilities": capabilities or {}, "clientInfo": info}
        self.send(line("initialize", about, "handshake"))
        _, answer = self.until("handshake")
        self.send(line("notifications/initialized"))
        return answer

    def close_input(self) -> None:
        self._stdin.close()

    def end(self) -> int:
        """Close the input, wait for the process; its exit code. What it still said can be had from `rest`."""
        self.close_input()
        return self.process.wait(PATIENCE)


def proxy(policy: Path, *command: str) -> list[str]:
    """The command line that puts the proxy with `policy` before `command`."""
    return [*PROXY, "--policy", str(policy), "--", *command]
