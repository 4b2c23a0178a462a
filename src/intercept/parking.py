"""Where a call waits whose decision takes longer than the pump may: behind a locked file or a network.

The pump never waits for anything but pipes. What would make it wait is parked here and finished by a worker, while it
reads on; nothing is ever dropped, and what cannot be taken in is refused by whoever brought it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

MAX_PARKED: Final = 64
MAX_PARKED_SIZE: Final = 64 * 1024 * 1024
"""Calls, and bytes of calls, that may wait at a time; more are denied (DESIGN section 2)."""
_WORKERS: Final = 8
"""Calls that wait side by side. Each is a thread that sleeps, started when first needed."""


class Parking:
    """Work that waits. Thread-safe; the first use starts the first worker."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._calls = 0
        self._size = 0
        self._workers: ThreadPoolExecutor | None = None

    def park(self, size: int, work: Callable[[], None]) -> bool:
        """Have a call of `size` bytes finished by `work`; False if there is no room for it."""
        with self._changed:
            if self._calls >= MAX_PARKED or (self._calls and self._size + size > MAX_PARKED_SIZE):
                return False
            self._calls += 1
            self._size += size
            if self._workers is None:
                from concurrent.futures import ThreadPoolExecutor  # 5 ms, and most sessions never wait

                self._workers = ThreadPoolExecutor(_WORKERS, "parked")
            self._workers.submit(self._run, size, work)
        return True

    def wait_until_empty(self) -> None:
        """Wait until all that was parked is finished."""
        with self._changed:
            self._changed.wait_for(lambda: not self._calls)

    def _run(self, size: int, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            with self._changed:
                self._calls -= 1
                self._size -= size
                self._changed.notify_all()
