"""Lines for the operator on stderr: prefixed, never waiting for a reader, and never more than a person could read."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from typing import Final

from .errors import visible

PREFIX: Final = "intercept: "
BURST: Final = 20
"""Notes that may come at once."""
PER_SECOND: Final = 2.0
"""Notes a second after that."""


class Notices:
    """`say` is for what happens rarely (start, reload), `note` for what a peer can cause at will.

    Clients that do not read stderr are common. A line that would have to wait for them is lost, and counted.
    """

    def __init__(self, fd: int, clock: Callable[[], float]) -> None:
        """`clock` gives seconds from any start."""
        self._fd = fd
        self._clock = clock
        self._lock = threading.Lock()
        self._allowance = float(BURST)
        self._seen = clock()
        self._lost = 0

    def say(self, line: str) -> None:
        """Write `line`."""
        with self._lock:
            self._write(line)

    def note(self, line: str) -> None:
        """Write `line`, or count it if there were too many."""
        with self._lock:
            now = self._clock()
            self._allowance = min(float(BURST), self._allowance + (now - self._seen) * PER_SECOND)
            self._seen = now
            if self._allowance < 1:
                self._lost += 1
                return
            self._allowance -= 1
            self._write(line)

    def _write(self, line: str) -> None:
        if self._lost:
            line = f"({self._lost} lines left out) {line}"
        # No more than a pipe that is ready takes without waiting.
        data = f"{PREFIX}{visible(line)}".encode("utf-8", "backslashreplace")[: select.PIPE_BUF - 1] + b"\n"
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        if not poll.poll(0):
            self._lost += 1
            return
        try:
            os.write(self._fd, data)
        except OSError:
            self._lost += 1
            return
        self._lost = 0
