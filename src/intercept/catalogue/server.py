"""A server that is started to be asked a few things: its lines, its last words, and the end of all that it started.

One thread and `poll`; nothing here knows what the lines mean.
"""

from __future__ import annotations

import os
import secrets
import select
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, Self

from ..errors import UpstreamError
from ..frames import MAX_UPSTREAM_FRAME, Frames
from ..upstream import KILL_AFTER, Upstream

_TELL_EVERY: Final = 1.0
"""Seconds of silence after which whoever waits is told that we still do."""
_EXIT_AFTER: Final = 2.5
"""Seconds between the end of its input and SIGTERM: servers flush and say goodbye."""
_LAST_WORDS: Final = 4096
"""Bytes of stderr that are kept: the last lines say why it failed."""
_MARK: Final = "INTERCEPT_ASKED"
"""An environment variable that everything a server starts inherits, so that it is found wherever it hides."""


class Server:
    """A running server process.

    Used as a context manager; at its end nothing of the server is left: neither its process group, nor (where there is
    a `/proc`) processes that left the group.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        waiting: Callable[[float], None] = lambda _: None,
    ) -> None:
        """Start `command` with `environment` added to ours; `waiting` is called with the seconds of a long silence.

        Raises:
            UpstreamError: it cannot be started.
        """
        self._mark = secrets.token_hex(16)
        self.name = command[0]
        self._waiting = waiting
        ours, theirs = os.pipe()
        try:
            self._upstream = Upstream(command, {**(environment or {}), _MARK: self._mark}, errors=theirs)
        except UpstreamError:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self._errors = ours
        self._words = b""
        self._frames = Frames(MAX_UPSTREAM_FRAME)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def send(self, line: bytes, patience: float) -> None:
        """Write `line`.

        Raises:
            UpstreamError: it has ended, or does not read for `patience` seconds.
        """
        until = time.monotonic() + patience
        rest = memoryview(line)
        while rest:
            self._wait(self._upstream.stdin, select.POLLOUT, until, patience)
            try:
                rest = rest[os.write(self._upstream.stdin, rest) :]
            except BlockingIOError:
                continue
            except OSError:
                raise self.failed("it ended") from None

    def lines(self, until: float, patience: float) -> list[bytes]:
        """The lines that came with the next bytes; there may be none.

        Raises:
            UpstreamError: it has ended, is silent until the time `until`, or sends a line that is too long.
        """
        self._wait(self._upstream.stdout, select.POLLIN, until, patience)
        chunk = os.read(self._upstream.stdout, 1 << 20)
        if not chunk:
            raise self.failed("it ended")
        frames = self._frames.feed(chunk)
        whole = [frame for frame in frames if frame is not None]
        if len(whole) < len(frames):
            raise self.failed(f"it sent a line of over {MAX_UPSTREAM_FRAME >> 20} MiB")
        return whole

    def failed(self, why: str) -> UpstreamError:
        """An error that says `why`, with what the server said last on its stderr below it."""
        self._listen(0.2)
        words = self._words.decode("utf-8", "replace").strip().splitlines()[-8:]
        told = "".join(f"\n  it says: {line[:300]}" for line in words if line.strip())
        return UpstreamError(f"`{self.name}` does not list its tools: {why}{told}")

    def _wait(self, fd: int, event: int, until: float, patience: float) -> None:
        """Wait for `event` and keep what the server says on stderr meanwhile, so that it never waits for us."""
        began = time.monotonic()
        poll = select.poll()
        poll.register(fd, event)
        poll.register(self._errors, select.POLLIN)
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise self.failed(f"no answer within {patience:.0f} seconds")
            ready = dict(poll.poll(min(left, _TELL_EVERY) * 1000))
            if self._errors in ready and not self._hear():
                poll.unregister(self._errors)
            if fd in ready:
                return
            if not ready:
                self._waiting(time.monotonic() - began)

    def _hear(self) -> bool:
        try:
            chunk = os.read(self._errors, 1 << 16)
        except OSError:
            return False
        self._words = (self._words + chunk)[-_LAST_WORDS:]
        return bool(chunk)

    def _listen(self, seconds: float) -> None:
        """Read what is still coming on stderr, up to its end."""
        until = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._errors, select.POLLIN)
        while (left := until - time.monotonic()) > 0 and poll.poll(left * 1000):
            if not self._hear():
                return

    # --- the end ------------------------------------------------------------------------------------------------------

    def _end(self) -> None:
        upstream = self._upstream
        os.close(upstream.stdin)
        for number, seconds in ((0, _EXIT_AFTER), (signal.SIGTERM, KILL_AFTER), (signal.SIGKILL, KILL_AFTER)):
            if number:
                upstream.signal_group(number)
            if self._has_ended(time.monotonic() + seconds):
                break
        os.close(upstream.stdout)
        os.close(self._errors)
        upstream.signal_group(signal.SIGKILL)
        upstream.release()
        _kill_marked(f"{_MARK}={self._mark}".encode())

    def _has_ended(self, until: float) -> bool:
        """Whether the process ends before `until`. What it still says is read, or it could wait for us for ever."""
        poll = select.poll()
        poll.register(self._upstream.stdout, select.POLLIN)
        poll.register(self._errors, select.POLLIN)
        while self._upstream.poll() is None and time.monotonic() < until:
            for fd, _ in poll.poll(10):
                if not os.read(fd, 1 << 20):
                    poll.unregister(fd)
        return self._upstream.poll() is not None


def _kill_marked(mark: bytes) -> None:
    """Kill every process of ours that was started with `mark` in its environment, and wait until it is gone."""
    until = time.monotonic() + KILL_AFTER
    while (found := _marked(mark)) and time.monotonic() < until:
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        select.select([], [], [], 0.01)


def _marked(mark: bytes) -> list[int]:
    found: list[int] = []
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    except OSError:  # no Linux; the process group is what we know
        return []
    for pid in pids:
        # Not of ours, or gone meanwhile.
        with suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
            if mark in file.read().split(b"\0"):
                found.append(pid)
    return found
