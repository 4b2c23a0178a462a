"""Two threads that read both directions, one of them at a time.

Whoever has the turn waits for either stream and deals with what comes: a call and its answer meet the same warm
caches, and nobody hands the interpreter over in between, which makes a round trip an eighth shorter than a thread for
each direction, and one that is put on record a quarter. Where it would have to wait for a reader it gives the turn to
the other thread first, which serves what is left; so a direction that is blocked never stops the other one.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from time import monotonic
from typing import Final

from .allocation import keep_freed_memory, widen
from .frames import Frames

SMALL_READ: Final = 64 * 1024
LARGE_READ: Final = 1024 * 1024
"""Bytes. Reads grow while they come back full; always large ones would cost a memory mapping each."""
BATCH: Final = 64
"""Frames that are dealt with together: the peer works on them while the next ones are decided, a tenth more a second
than if it got all of a large read at once, and the other direction has its turn in between."""

AWAKE: Final = 0.0001
"""Seconds that are waited awake for what came that soon the last time. Going to sleep and being woken takes as long as
a quick server needs for its answer, and leaves cold caches behind; whoever is slower is never waited for like that."""


class Intake:
    """A stream, and what is to be done with what comes out of it."""

    def __init__(
        self,
        fd: int,
        limit: int,
        deal: Callable[[list[bytes | None]], bool],
        end: Callable[[list[bytes | None]], None],
        *,
        is_worked_on: bool = False,
    ) -> None:
        """`deal` takes at most `BATCH` frames, None for one of over `limit` bytes, and says whether to go on.

        `end` is called once, when it does not or the stream is over, with what there is of a last line that has no
        newline. `is_worked_on`: somebody else works on what came out of it before the next message comes.
        """
        self.fd = fd
        self.is_worked_on = is_worked_on
        self._frames = Frames(limit)
        self._deal = deal
        self._end = end
        self._size = SMALL_READ
        self._left: Iterator[bytes | None] | None = None
        self.over = False
        """Whether nothing more will come."""
        self.brisk = False
        """Whether what came next, on any stream, came within `AWAKE` seconds the last time."""

    @property
    def has_more(self) -> bool:
        """Whether something that was read is not dealt with yet."""
        return self._left is not None

    def serve(self) -> None:
        """Deal with some of what was read, or else read: that waits if nothing is there."""
        left = self._left
        frames = self._read() if left is None else list(islice(left, BATCH))
        if frames is None:
            self._finish(self._frames.end())
            return
        if left is not None and len(frames) < BATCH:
            self._left = None
        elif left is None and len(frames) > BATCH:
            self._left = iter(frames[BATCH:])
            del frames[BATCH:]
        if not self._deal(frames):
            self._finish([])

    def _read(self) -> list[bytes | None] | None:
        """The frames that the next read completes; None at the end of the stream."""
        try:
            chunk = os.read(self.fd, self._size)
        except BlockingIOError:  # whoever shares the stream with us has made it so, and was faster
            return []
        except OSError:  # a terminal or socket that was reset: as over as one that ended
            return None
        if not chunk:
            return None
        self._size = LARGE_READ if len(chunk) == self._size else SMALL_READ
        frames = self._frames.feed(chunk)
        if not frames and len(chunk) >= SMALL_READ:  # part of a large one
            keep_freed_memory()
            widen(self.fd)
        return frames

    def _finish(self, last: list[bytes | None]) -> None:
        self._left = None
        self.over = True
        self._end(last)


class Pump:
    """Serves its intakes as long as they last. `give_way` is for whoever deals with what comes out of them."""

    def __init__(self, *intakes: Intake, idle: Callable[[], None] | None = None) -> None:
        """`idle` is called while nothing is to be read, for what nobody waits for."""
        self._idle = idle
        self._poll = select.poll()
        self._served: dict[int, Intake] = {}
        """By descriptor, without those that are over or that somebody waits for."""
        self._back: deque[Intake] = deque(intakes)
        """What is to be served again; whoever has the turn takes it from here."""
        self._turn = threading.Lock()
        self._serving = 0
        """The thread that has the turn."""
        self._current: Intake | None = None
        """What it deals with."""
        self._waker: tuple[int, int] | None = None
        """A pipe that wakes it; made when the turn is first given away."""

    def run(self) -> None:
        """What each of the two threads does for ever."""
        me = threading.get_ident()
        while True:
            self._turn.acquire()
            self._serving = me
            intake = self._serve(me)
            # The turn was given away, and what was waited for has happened.
            waker = self._waker
            if not intake.over and waker is not None:
                self._back.append(intake)
                with suppress(BlockingIOError):  # nobody has looked yet, and once is enough
                    os.write(waker[1], b"\0")

    def give_way(self) -> None:
        """Let the other thread serve the other intake. To be called before waiting for anything but the next message.

        Does nothing the second time, nor in any other thread.
        """
        intake = self._current
        if self._serving != threading.get_ident() or intake is None:
            return
        self._retire(intake)
        if self._waker is None:
            self._waker = os.pipe()
            for fd in self._waker:
                os.set_blocking(fd, False)
            self._poll.register(self._waker[0], select.POLLIN)
        self._serving = 0
        self._turn.release()

    def _serve(self, me: int) -> Intake:
        """Serve what has something to be dealt with, until the turn is given away; return what it was given away in."""
        self._take_back()
        served = self._served
        last: Intake | None = None
        while True:
            more = [one for one in served.values() if one.has_more]
            for fd, _ in self._poll.poll(0) if more else self._wait_after(last):
                intake = served.get(fd)
                if intake is None:
                    self._woken(fd)
                elif intake not in more:
                    more.append(intake)
            for intake in more:
                self._current = last = intake
                intake.serve()
                if self._serving != me:
                    return intake
                if intake.over:
                    self._retire(intake)

    def _wait_after(self, last: Intake | None) -> list[tuple[int, int]]:
        """Wait until there is something to be read; `last` is what was served before."""
        poll = self._poll.poll
        began = monotonic()
        idle = self._idle
        if last is not None and last.brisk:
            if idle is not None and last.is_worked_on:
                idle()
            while monotonic() - began < AWAKE:
                if ready := poll(0):
                    return ready
                os.sched_yield()  # whom we wait for may have no other processor
        if idle is not None:
            idle()
        ready = poll()
        if last is not None:
            last.brisk = monotonic() - began < AWAKE
        return ready

    def _woken(self, waker: int) -> None:
        with suppress(BlockingIOError):
            while os.read(waker, 4096):
                pass
        self._take_back()

    def _take_back(self) -> None:
        while self._back:
            intake = self._back.popleft()
            self._served[intake.fd] = intake
            self._poll.register(intake.fd, select.POLLIN)

    def _retire(self, intake: Intake) -> None:
        if self._served.pop(intake.fd, None) is not None:
            self._poll.unregister(intake.fd)
