"""The time of day, anchored once: setting the machine's clock neither frees nor blocks anything that counts by it."""

from __future__ import annotations

import time
from typing import Final, final

# Goes on while the machine sleeps: on Linux only this one does, on macOS the other.
_COUNTER: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@final
class Clock:
    """Gives seconds since the epoch and never runs backwards. Thread-safe."""

    __slots__ = ("_read", "_started", "_wall")

    def __init__(self) -> None:
        self._read: Final = time.clock_gettime
        self._wall: Final = time.time()  # noqa: TID251 - the one place where the proxy reads it
        self._started: Final = self._read(_COUNTER)

    def __call__(self) -> float:
        """The time."""
        return self._wall + (self._read(_COUNTER) - self._started)
