"""The one writer of a destination, which never lets frames of several threads mix nor a denial wait for a reader."""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from .allocation import widen
from .pump import SMALL_READ

MAX_POSTED: Final = 4 * 1024 * 1024
"""Bytes of answers that wait for one peer to read, before the other one has to wait too."""
STALLED_AFTER: Final = 2.5
"""Seconds that a write to the upstream may make no progress once the client is gone: what it has to exit at the end
of its input."""


class Outlet:
    """The one writer of a destination: frames never interleave.

    `write` is for the pump whose direction this is, and waits for the reader. `post` is for everybody else and does
    not: what cannot be written at once is left to a thread, so that a denial to a client which does not read never
    stops the pump that would take the client's next message.
    """

    def __init__(
        self,
        fd: int,
        *,
        on_wait: Callable[[], None] = lambda: None,
        watched: int | None = None,
        on_stall: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_wait` is called by whoever is about to wait for the reader, or for somebody else who does.

        `watched` is a stream whose hang-up ends the patience with `fd`: see `STALLED_AFTER` and `on_stall`.
        """
        self._fd = fd
        self._on_wait = on_wait
        self._watched = watched
        self._on_stall = on_stall
        self._blocks = os.get_blocking(fd)
        self._ready = select.poll()
        self._ready.register(fd, select.POLLOUT)
        self._writing = threading.Lock()
        self._posted: deque[bytes] = deque()
        self._posted_size = 0
        self._changed = threading.Condition()
        self._poster: threading.Thread | None = None
        self._closed = False
        self.broken = False
        """Whether the reader is gone; what is written then is lost."""
        self.written = 0
        """Bytes so far; whoever waits can see whether the reader reads."""

    def write(self, data: bytes) -> None:
        """Write `data` whole, waiting for the reader as long as it takes."""
        if not self._writing.acquire(blocking=False):
            self._on_wait()
            self._writing.acquire()
        try:
            if self._posted:
                self._drain()
            if self._blocks and not self._takes(len(data)):
                self._on_wait()
            self._put(data)
        finally:
            self._writing.release()

    @property
    def busy(self) -> bool:
        """Whether something is still to be written, or being written."""
        return self._writing.locked() or bool(self._posted)

    def post(self, data: bytes, *, bounded: bool = True) -> None:
        """Write `data` soon, without waiting for the reader; `bounded`: unless `MAX_POSTED` bytes wait already."""
        if not self._posted and self._writing.acquire(blocking=False):
            try:
                if not self._posted and self._takes(len(data)):
                    self._put(data)
                    return
            finally:
                self._writing.release()
        with self._changed:
            while bounded and self._is_full(len(data)):
                self._on_wait()
                self._changed.wait()
            self._posted.append(data)
            self._posted_size += len(data)
            if self._poster is None:
                self._poster = threading.Thread(target=self._write_posted, daemon=True)
                self._poster.start()
            self._changed.notify_all()

    def offer(self, data: bytes) -> bool:
        """Post `data`, or drop it and return False if `MAX_POSTED` bytes wait already. Never waits."""
        if self._posted_size + len(data) > MAX_POSTED:
            return False
        self.post(data, bounded=False)
        return True

    def flush(self, timeout: float) -> None:
        """Wait until all that was posted is written, but at most `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: not self._posted or self.broken, timeout)
        if self._writing.acquire(timeout=timeout):
            self._writing.release()

    def close(self, timeout: float = -1) -> None:
        """Close the destination; what is written later is lost.

        With a `timeout` in seconds it waits for nothing longer: it is given up if somebody still writes then, and what
        was posted is lost.
        """
        if self._writing.acquire(timeout=timeout):
            try:
                if not self._closed:
                    if timeout < 0:
                        self._drain()
                    self.broken = self._closed = True
                    os.close(self._fd)
            finally:
                self._writing.release()

    def _write_posted(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._posted))
            with self._writing:
                self._drain()

    def _is_full(self, more: int) -> bool:
        return self._posted_size + more > MAX_POSTED and bool(self._posted) and not self.broken

    def _drain(self) -> None:
        while self._posted:
            if self._blocks:
                self._on_wait()
            data = self._posted[0]
            self._put(data)
            with self._changed:
                self._posted.popleft()
                self._posted_size -= len(data)
                self._changed.notify_all()

    def _put(self, data: bytes) -> None:
        if len(data) > SMALL_READ:
            widen(self._fd)
        rest: bytes | memoryview = data
        while not self.broken:
            try:
                size = os.write(self._fd, rest)
                self.written += size
                if size == len(rest):
                    return
                rest = memoryview(rest)[size:]
            except BlockingIOError:
                self._on_wait()
                self._wait_until_ready()
            except OSError:  # EPIPE and its kin: nobody reads any more
                self.broken = True

    def _takes(self, size: int) -> bool:
        """Whether a write of `size` bytes is certain not to wait."""
        # A pipe that is ready takes this much (POSIX write).
        return self.broken or (size <= select.PIPE_BUF and bool(self._ready.poll(0)))

    def _wait_until_ready(self) -> None:
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        if self._watched is not None:
            poll.register(self._watched, getattr(select, "POLLRDHUP", 0))  # how a socket hangs up on Linux
        if self._fd in dict(poll.poll()):
            return
        # Only the watched stream is left: it hung up while we wait.
        patience = select.poll()
        patience.register(self._fd, select.POLLOUT)
        if not patience.poll(STALLED_AFTER * 1000):
            self._on_stall()
            patience.poll()
