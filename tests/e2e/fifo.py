"""A named pipe between a test and a server, for events that the protocol does not carry."""

from __future__ import annotations

import os
import select
from contextlib import suppress
from pathlib import Path
from typing import Self

from .rawclient import PATIENCE, Missing


class Fifo:
    """Open at both ends here, so that neither side waits for the other to open it."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __enter__(self) -> Self:
        os.mkfifo(self.path)
        self._pipe = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._pipe)

    def read(self) -> str:
        """What the server reports, waiting for it. Raises `Missing`."""
        if not select.select([self._pipe], [], [], PATIENCE)[0]:
            raise Missing("nothing was reported")
        return self.peek()

    def peek(self) -> str:
        """What was reported since the last time, without waiting."""
        try:
            return os.read(self._pipe, 65_536).decode(errors="backslashreplace")
        except BlockingIOError:
            return ""

    def release(self) -> None:
        """Let the server that waits at this pipe go on."""
        os.write(self._pipe, b".")

    def fill(self) -> None:
        """Write until nobody can write any more."""
        for block in (b"\n" * 4096, b"\n"):
            with suppress(BlockingIOError):
                while True:
                    os.write(self._pipe, block)
