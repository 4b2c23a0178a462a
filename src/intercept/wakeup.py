"""Wakes the control plane, which waits here, from the pump and signal handlers."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from typing import Final

ENDING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LONGEST: Final = 86_400
"""Seconds; `poll` takes no more than 24 days."""


class Wakeup:
    """A pipe that is readable after a call, and the signal that asked for the end. To be made on the main thread."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self.signal: int | None = None
        """The last signal that asked us to end; None if none did."""
        # Whichever thread the system gives a signal to, the pipe wakes the main one, where handlers run.
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` leaves SIGHUP
                signal.signal(number, self._on_signal)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def __call__(self) -> None:
        """Wake whoever waits, or will wait next."""
        with suppress(BlockingIOError):  # nobody has looked yet, and once is enough
            os.write(self._writer, b"\0")

    def wait(self, timeout: float) -> None:
        """Sleep until there was a call or a signal since the last time, at most `timeout` seconds or a day."""
        # Not `select.select`, which takes no descriptor above 1023: our parent may have left us many.
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        poll.poll(max(0, min(timeout, _LONGEST)) * 1_000)
        with suppress(BlockingIOError):
            while os.read(self._reader, 4096):
                pass

    def _on_signal(self, number: int, _frame: object) -> None:
        self.signal = number
