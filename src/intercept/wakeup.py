"""Wakes the control plane from pumps and signal handlers, which both run before it does."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Final

ENDING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Wakeup:
    """A pipe that is readable after a call, and the signal that asked for the end. To be made on the main thread."""

    def __init__(self) -> None:
        self.reader, self._writer = os.pipe()
        os.set_blocking(self.reader, False)
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
        """Make `reader` readable."""
        with suppress(BlockingIOError):  # nobody has looked yet, and once is enough
            os.write(self._writer, b"\0")

    def clear(self) -> None:
        """Make `reader` wait for the next call."""
        try:
            while os.read(self.reader, 4096):
                pass
        except BlockingIOError:
            return

    def _on_signal(self, number: int, _frame: object) -> None:
        self.signal = number
