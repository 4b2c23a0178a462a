"""What is done with the bytes that come: decided by the session and the enforcer, and written in one go.

A peer that does not read stops the direction that writes to it and no other, so memory is bounded by the largest
message and never by a peer's speed (DESIGN section 2). Ends of streams are reported to the control plane by `wake`.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import assert_never

from .actions import Answer, Ask, Done, Drop, Ended, Forward, Judge, Unapproved
from .answers import MAX_PRINTED, printable
from .enforcement import AT_ONCE, Enforcer, Verdict
from .errors import ProtocolError, StoreBusy
from .frames import MAX_CLIENT_FRAME, MAX_UPSTREAM_FRAME
from .outlet import Outlet
from .parking import Parking
from .policy import Effect
from .protocol import INVALID_REQUEST
from .pump import Intake, Pump
from .session import Session
from .wire import parse_client, parse_upstream


class Ends:
    """Which streams are over; set by the pump, read by the control plane after each `wake`."""

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
        """Where the pump met a mistake of ours, after which nothing is judged or relayed any more."""

    @property
    def any(self) -> bool:
        """Whether the session is over."""
        return self.client or self.upstream or self.beyond_waiting

    @property
    def beyond_waiting(self) -> bool:
        """Whether it is over in a way that leaves the upstream nothing to finish."""
        return self.stalled or self.overflow or bool(self.failed)


class Relay:
    """A pump around one session. `wake` is called from any thread when `ends` has changed."""

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
        self._note = note
        self._wake = wake
        self.ends = Ends()
        self._pump = Pump(
            Intake(client_in, MAX_CLIENT_FRAME, self._relay_client, self._end_client, is_worked_on=True),
            Intake(upstream_out, MAX_UPSTREAM_FRAME, self._relay_upstream, self._end_upstream),
            idle=enforcer.catch_up,
        )
        self.to_client = Outlet(client_out, on_wait=self._pump.give_way)
        self.to_upstream = Outlet(upstream_in, on_wait=self._pump.give_way, watched=client_in, on_stall=self._stalled)

    def start(self) -> None:
        """Start the threads of the pump. They are daemons: the process ends without asking them."""
        # One that waits for the interpreter while the main thread imports or compiles waits this long at most.
        sys.setswitchinterval(0.0005)
        for number in (1, 2):
            threading.Thread(target=self._guard, args=(self._pump.run,), name=f"pump-{number}", daemon=True).start()

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

    def _end_client(self, last: list[bytes | None]) -> None:
        # A last line without its newline is judged like any other: some servers would run it as it is.
        self._relay_client(last)
        self._pump.give_way()
        self._parking.wait_until_empty()
        self.to_upstream.close()
        self.ends.client = True
        self._wake()

    def _relay_client(self, frames: list[bytes | None]) -> bool:
        onward: list[bytes] = []
        back: list[bytes] = []
        for frame in frames:
            self._perform(self._decide_client(frame), onward, back)
        self._send_on(onward, back)
        return not (self.to_upstream.broken or self.to_client.broken)

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

    def _end_upstream(self, _last: list[bytes | None]) -> None:
        # What is left without a newline is half a message, and no client ever sees one.
        self.ends.upstream = True
        self._wake()

    def _relay_upstream(self, frames: list[bytes | None]) -> bool:
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
        # The client need not wait for this; nor need its next call, which one that waits for each answer makes at once.
        for ended in unrecorded:
            self._enforcer.record(ended, later=len(unrecorded) == 1)
        if back and not self.to_upstream.offer(b"".join(back)):
            self._note("left requests of the server unanswered: it does not read what it is sent")
        return not self.ends.overflow

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
