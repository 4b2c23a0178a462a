"""The only module that moves bytes: one pump thread a direction between the client, the session and the upstream.

A pump reads what is there, lets the session decide about each message, and writes what came of it in one go. Reading
is what waits: a peer that does not read stops the pump that writes to it, so memory is bounded by the largest message
and never by a peer's speed (DESIGN section 2). Ends of streams are reported to the control plane through `wake`.
"""

from __future__ import annotations

import os
import select
import sys
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, assert_never

from .actions import Answer, Ask, Done, Drop, Ended, Forward, Judge, Unapproved
from .allocation import keep_freed_memory, widen
from .answers import MAX_PRINTED, printable
from .enforcement import AT_ONCE, Enforcer, Verdict
from .errors import ProtocolError, StoreBusy
from .frames import MAX_CLIENT_FRAME, MAX_UPSTREAM_FRAME, Frames
from .parking import Parking
from .policy import Effect
from .protocol import INVALID_REQUEST
from .session import Session
from .wire import parse_client, parse_upstream

SMALL_READ: Final = 64 * 1024
LARGE_READ: Final = 1024 * 1024
"""Bytes. Reads grow while they come back full; always large ones would cost a memory mapping each."""
BATCH: Final = 64
"""Calls that are written together: the upstream works on them while the next ones are decided, a tenth more a second
than if it got all of a large read at once."""
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

    def __init__(self, fd: int, *, watched: int | None = None, on_stall: Callable[[], None] = lambda: None) -> None:
        """`watched` is a stream whose hang-up ends the patience with `fd`: see `STALLED_AFTER` and `on_stall`."""
        self._fd = fd
        self._watched = watched
        self._on_stall = on_stall
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
        self._writing.acquire()
        try:
            if self._posted:
                self._drain()
            self._put(data)
        finally:
            self._writing.release()

    @property
    def busy(self) -> bool:
        """Whether something is still to be written, or being written."""
        return self._writing.locked() or bool(self._posted)

    def post(self, data: bytes, *, bounded: bool = True) -> None:
        """Write `data` soon, without waiting for the reader; `bounded`: unless `MAX_POSTED` bytes wait already."""
        if len(data) <= select.PIPE_BUF and not self._posted and self._writing.acquire(blocking=False):
            try:
                # A pipe that is ready takes this much without waiting (POSIX write, PIPE_BUF).
                if not self._posted and (self.broken or self._is_ready()):
                    self._put(data)
                    return
            finally:
                self._writing.release()
        with self._changed:
            while bounded and self._posted_size + len(data) > MAX_POSTED and self._posted and not self.broken:
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

    def _drain(self) -> None:
        while self._posted:
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
                self._wait_until_ready()
            except OSError:  # EPIPE and its kin: nobody reads any more
                self.broken = True

    def _is_ready(self) -> bool:
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        return bool(poll.poll(0))

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


class Ends:
    """Which streams are over; set by the pumps, read by the control plane after each `wake`."""

    def __init__(self) -> None:
        self.client = False
        """The client's stdin has ended and all of it was dealt with, or the client does not read any more."""
        self.upstream = False
        """The upstream's stdout has ended and all of it was dealt with."""
        self.stalled = False
        """The client is gone and the upstream does not read what it left behind."""
        self.overflow = False
        """The upstream sent a frame over the limit."""
        self.failed = ""
        """Where a pump met a mistake of ours, after which nothing is judged or relayed any more."""

    @property
    def any(self) -> bool:
        """Whether the session is over."""
        return self.client or self.upstream or self.beyond_waiting

    @property
    def beyond_waiting(self) -> bool:
        """Whether it is over in a way that leaves the upstream nothing to finish."""
        return self.stalled or self.overflow or bool(self.failed)


class Relay:
    """Two pumps around one session. `wake` is called from any thread when `ends` has changed."""

    def __init__(
        self,
        session: Session,
        enforcer: Enforcer,
        *,
        client_in: int,
        client_out: int,
        upstream_in: int,
        upstream_out: int,
        note: Callable[[str], None],
        wake: Callable[[], None],
    ) -> None:
        self._session = session
        self._enforcer = enforcer
        self._lock = threading.Lock()
        self._parking = Parking()
        self._client_in = client_in
        self._upstream_out = upstream_out
        self._note = note
        self._wake = wake
        self.ends = Ends()
        self.to_client = Outlet(client_out)
        self.to_upstream = Outlet(upstream_in, watched=client_in, on_stall=self._stalled)

    def start(self) -> None:
        """Start both pumps. They are daemons: the process ends without asking them."""
        # A pump that waits for the interpreter while the main thread imports or compiles waits this long at most.
        sys.setswitchinterval(0.0005)
        for name, pump in (("client", self._pump_client), ("upstream", self._pump_upstream)):
            threading.Thread(target=self._guard, args=(pump,), name=name, daemon=True).start()

    def tick(self) -> float | None:
        """Carry out what is due without a message; return in how many seconds that is so again, None if nothing waits.

        `wake` is called when something begins to wait.
        """
        with self._lock:
            waits = self._session.due_in is not None
        if waits:
            self.with_session(Session.tick)
        with self._lock:
            return self._session.due_in

    def with_session(self, change: Callable[[Session], list[Done]]) -> None:
        """Change the session under its lock and carry out what it says: `Forward` is to the client."""
        onward: list[bytes] = []
        with self._lock:
            actions = change(self._session)
        for action in actions:
            self._perform(action, onward, [])
        if onward:
            self.to_client.post(b"".join(onward), bounded=False)

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - half a session must not live on, whatever the mistake was
            # Without its message, which may hold what a peer sent.
            trace = error.__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            place = f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace is not None else "?"
            self.ends.failed = f"{type(error).__name__} in {place}"
            self._wake()

    # --- client to upstream -----------------------------------------------------------------------------------------

    def _pump_client(self) -> None:
        frames = Frames(MAX_CLIENT_FRAME)
        size = SMALL_READ
        while chunk := _read(self._client_in, size):
            size = LARGE_READ if len(chunk) == size else SMALL_READ
            self._relay_client(_cut(frames, chunk, self._client_in))
            if self.to_upstream.broken or self.to_client.broken:
                break
        else:
            # A last line without its newline is judged like any other: some servers would run it as it is.
            self._relay_client(frames.end())
        self._parking.wait_until_empty()
        self.to_upstream.close()
        self.ends.client = True
        self._wake()

    def _relay_client(self, frames: list[bytes | None]) -> None:
        onward: list[bytes] = []
        back: list[bytes] = []
        for frame in frames:
            self._perform(self._decide_client(frame), onward, back)
            if len(onward) == BATCH:
                self._send_on(onward, back)
                onward, back = [], []
        self._send_on(onward, back)

    def _send_on(self, onward: list[bytes], back: list[bytes]) -> None:
        if onward:
            self.to_upstream.write(b"".join(onward))
        if back:
            self.to_client.post(b"".join(back))

    def _decide_client(self, frame: bytes | None) -> Done:
        try:
            if frame is None:
                raise ProtocolError(INVALID_REQUEST, f"frame is longer than {MAX_CLIENT_FRAME} bytes")
            message = parse_client(frame)
        except ProtocolError as error:
            with self._lock:
                done = self._session.refuse(error)
            self._record_note("client", done)
            return done
        if message is None:
            return Drop()
        # Not `with self._lock`, which takes twice as long: this is every message.
        self._lock.acquire()
        try:
            action = self._session.from_client(message)
        finally:
            self._lock.release()
        if not isinstance(action, Judge):
            self._record_note("client", action)
            return action
        try:
            return self._settle(action, self._enforcer.admit(action, patience=AT_ONCE))
        except StoreBusy:
            if self._parking.park(len(frame), partial(self._guard, partial(self._decide_parked, action))):
                return Drop()
            return self._settle(action, Verdict(self._enforcer.overloaded(action)))

    def _decide_parked(self, judge: Judge) -> None:
        """Finish a call that the pump could not wait for."""
        verdict = self._judged(judge)
        onward: list[bytes] = []
        back: list[bytes] = []
        self._perform(self._settle(judge, verdict), onward, back)
        self._send_on(onward, back)

    def _judged(self, judge: Judge) -> Verdict:
        try:
            return self._enforcer.admit(judge)
        except StoreBusy:
            return Verdict(self._enforcer.busy(judge))

    def _settle(self, judge: Judge, verdict: Verdict) -> Done:
        self._lock.acquire()
        try:
            done = self._session.settle(judge, verdict.decision, verdict.admission)
        finally:
            self._lock.release()
        if isinstance(done, Forward):
            return done
        if verdict.admission is not None and verdict.decision.effect is Effect.ALLOW:
            self._enforcer.withdraw(verdict.admission)
        return self._settle(done, self._judged(done)) if isinstance(done, Judge) else done

    # --- upstream to client -----------------------------------------------------------------------------------------

    def _pump_upstream(self) -> None:
        frames = Frames(MAX_UPSTREAM_FRAME)
        size = SMALL_READ
        while chunk := _read(self._upstream_out, size):
            size = LARGE_READ if len(chunk) == size else SMALL_READ
            self._relay_upstream(_cut(frames, chunk, self._upstream_out))
            if self.ends.overflow:
                break
        # What is left without a newline is half a message, and no client ever sees one.
        self.ends.upstream = True
        self._wake()

    def _relay_upstream(self, frames: list[bytes | None]) -> None:
        onward: list[bytes] = []
        back: list[bytes] = []
        unrecorded: list[Ended | Unapproved] = []
        for frame in frames:
            if frame is None:
                self.ends.overflow = True
                break
            for message in parse_upstream(frame):
                if isinstance(message, ProtocolError):
                    self._note(_described(frame, message))
                    self._enforcer.message_refused(
                        "server", f"dropped {len(frame)} bytes that are no message: {message}"
                    )
                self._lock.acquire()
                try:
                    action = self._session.from_upstream(message)
                finally:
                    self._lock.release()
                self._record_note("server", action)
                self._perform(action, onward, back, unrecorded)
        if onward:
            self.to_client.write(b"".join(onward))
            if self.to_client.broken and not self.ends.client:
                self.ends.client = True
                self._wake()
        for ended in unrecorded:  # the client need not wait for this
            self._enforcer.record(ended)
        if back and not self.to_upstream.offer(b"".join(back)):
            self._note("left requests of the server unanswered: it does not read what it is sent")

    # --- both -------------------------------------------------------------------------------------------------------

    def _record_note(self, sender: str, action: Done) -> None:
        """Put on record what is noted about a message of `sender` that no other record tells of."""
        if action.note and not isinstance(action, Ask) and action.ended is None:
            self._enforcer.message_refused(sender, action.note)

    def _perform(
        self,
        action: Done,
        onward: list[bytes],
        back: list[bytes],
        unrecorded: list[Ended | Unapproved] | None = None,
    ) -> None:
        """Carry out `action`; what became of a call is recorded at once, or left in `unrecorded`."""
        # Not a `match`, whose patterns take five times as long: this is every message.
        if isinstance(action, Forward):
            onward.append(action.data)
            if action.ended is not None:
                self._end(action.ended, unrecorded)
            if action.drift:
                self._enforcer.drifted(action.drift)
        elif isinstance(action, Answer):
            back.append(action.data)
            if action.ended is not None:
                self._end(action.ended, unrecorded)
        elif isinstance(action, Ask):
            back.append(action.data)
            self._wake()
        elif isinstance(action, Drop):
            if action.ended is not None:
                self._end(action.ended, unrecorded)
        else:
            assert_never(action)
        if action.note:
            self._note(action.note)

    def _end(self, ended: Ended | Unapproved, unrecorded: list[Ended | Unapproved] | None) -> None:
        self._enforcer.free(ended)  # before the client knows, who may make the next call at once
        if unrecorded is None:
            self._enforcer.record(ended)
        else:
            unrecorded.append(ended)

    def _stalled(self) -> None:
        self.ends.stalled = True
        self._wake()


def _described(frame: bytes, error: ProtocolError) -> str:
    """A line for the operator about a frame of the upstream that is no message."""
    text = frame[: 4 * MAX_PRINTED].decode("utf-8", "replace").strip()
    if text.startswith(("{", "[")):
        # It may be an answer with data in it.
        return f"dropped a malformed message of the server ({len(frame)} bytes): {error}"
    return f"the server wrote to its stdout: {printable(text)}"


def _cut(frames: Frames, chunk: bytes, source: int) -> list[bytes | None]:
    whole = frames.feed(chunk)
    if not whole and len(chunk) >= SMALL_READ:  # part of a large one
        keep_freed_memory()
        widen(source)
    return whole


def _read(fd: int, size: int) -> bytes:
    try:
        while True:
            try:
                return os.read(fd, size)
            except BlockingIOError:  # whoever shares the stream with us has made it so
                poll = select.poll()
                poll.register(fd, select.POLLIN)
                poll.poll()
    except OSError:  # a terminal or socket that was reset: as over as one that ended
        return b""
