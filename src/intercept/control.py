"""The control plane: signals, timers, reload and the end of everything, on the main thread.

It sleeps in `Wakeup.wait` and holds nobody up. No event loop: there is one thing to wait for, and importing one would
take 50 ms of processor time from the first messages. The order of an ending is DESIGN section 8; how long clients wait
for each step is in PROTOCOL section 1.4.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import partial
from math import inf
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final

from .errors import PolicyError
from .frames import MAX_UPSTREAM_FRAME
from .notices import Notices
from .relay import Relay
from .reload import LOOK_EVERY, Reloader
from .session import Session
from .upstream import KILL_AFTER, Upstream
from .wakeup import Wakeup

if TYPE_CHECKING:
    from .audit import Recorder
    from .pins.lock import Lock
    from .policy import PolicySet

EXIT_AFTER: Final = 2.5
"""Seconds that the upstream has to exit by itself once its input has ended. Real servers take up to 0.8; a client that
sends SIGTERM after 2 s makes us hurry."""
DRAIN_FOR: Final = 0.7
"""Seconds that output may still come after the upstream has exited, if something it started holds its stdout."""


class Control:
    """Runs until the session is over, and leaves nobody behind."""

    def __init__(
        self,
        relay: Relay,
        upstream: Upstream,
        wakeup: Wakeup,
        notices: Notices,
        reloader: Reloader[PolicySet] | None,
        recorder: Recorder | None = None,
        lock_reloader: Reloader[Lock] | None = None,
    ) -> None:
        self._relay = relay
        self._upstream = upstream
        self._wakeup = wakeup
        self._notices = notices
        self._reloader = reloader
        self._recorder = recorder
        self._lock_reloader = lock_reloader

    def run(self) -> int:
        """Supervise the session; return the exit code, which is the upstream's."""
        look_at = monotonic() + LOOK_EVERY if self._reloader or self._lock_reloader else inf
        while not self._is_over():
            due_in = self._relay.tick()
            self._wakeup.wait(min(inf if due_in is None else due_in, look_at - monotonic()))
            if monotonic() >= look_at:
                if self._reloader is not None:
                    self._reload(self._reloader)
                if self._lock_reloader is not None:
                    self._reload_lock(self._lock_reloader)
                look_at = monotonic() + LOOK_EVERY
        code = self._end()
        if self._recorder is not None:
            self._recorder.end(self._why(), code)
        return code

    def _until(self, reached: Callable[[], bool], timeout: float) -> bool:
        """Wait for a wake-up after which `reached()` holds; False if it still does not after `timeout` seconds."""
        deadline = monotonic() + timeout
        while not reached():
            left = deadline - monotonic()
            if left <= 0:
                return False
            self._wakeup.wait(left)
        return True

    def _is_over(self) -> bool:
        return (
            self._wakeup.signal is not None
            or self._relay.ends.any
            or self._relay.to_upstream.broken
            or self._upstream.poll() is not None
        )

    def _why(self) -> str:
        """What ended the session, for the record."""
        ends = self._relay.ends
        if self._wakeup.signal is not None:
            return signal.Signals(self._wakeup.signal).name
        if ends.failed:
            return "internal error"
        return "the client went away" if ends.client else "the server ended"

    def _end(self) -> int:
        ends = self._relay.ends
        if ends.overflow:
            self._notices.say(f"the server sent a line of over {MAX_UPSTREAM_FRAME} bytes; ending it")
        if ends.failed:
            self._notices.say(f"internal error, ending the session: {ends.failed}; please report it")
        if ends.upstream and self._upstream.poll() is None:
            # Nothing can answer any more, and the client need not wait for the process to see it too.
            self._answer_pending("it closed its output")
        if self._wakeup.signal is None and not ends.beyond_waiting:
            self._relay.to_upstream.close(timeout=0.1)
            self._until(lambda: self._has_exited() or self._wakeup.signal is not None, EXIT_AFTER)
        if not self._has_exited():
            self._upstream.signal_group(signal.SIGTERM)
            if not self._until(self._has_exited, KILL_AFTER):
                self._upstream.signal_group(signal.SIGKILL)
                self._until(self._has_exited, KILL_AFTER)
        self._while_client_reads(lambda: ends.upstream or ends.beyond_waiting)
        self._upstream.release()
        self._end_group()
        code = self._upstream.poll()
        self._answer_pending(f"it exited with code {code}")
        self._while_client_reads(lambda: not self._relay.to_client.busy)
        if code is None:
            return 1  # not even SIGKILL ends a process that waits for a broken disk
        return code or (1 if ends.beyond_waiting else 0)

    def _while_client_reads(self, done: Callable[[], bool]) -> None:
        """Wait until `done()`, or until it is plain that nobody waits for what is still to be written.

        A client that is slow to read gets all of it; one that has ended its input gets it while it goes on reading.
        """
        outlet, asked = self._relay.to_client, self._wakeup.signal
        patience = DRAIN_FOR
        while not done():
            before = outlet.written
            deadline = monotonic() + patience
            while not done() and self._wakeup.signal is asked and monotonic() < deadline:
                sleep(0.01)
            given_up = self._wakeup.signal is not None or outlet.broken
            if given_up or not outlet.busy or (self._relay.ends.client and outlet.written == before):
                return
            patience = EXIT_AFTER

    def _end_group(self) -> None:
        """End what the upstream started and left behind in its group."""
        if not self._upstream.signal_group(signal.SIGTERM):
            return
        deadline = monotonic() + KILL_AFTER
        while self._upstream.signal_group(0) and monotonic() < deadline:
            sleep(0.02)  # nobody tells us of the end of a grandchild
        self._upstream.signal_group(signal.SIGKILL)

    def _has_exited(self) -> bool:
        return self._upstream.poll() is not None

    def _answer_pending(self, why: str) -> None:
        self._relay.with_session(lambda session: session.upstream_gone(why))

    def _reload_lock(self, reloader: Reloader[Lock]) -> None:
        loaded = reloader.look()
        if isinstance(loaded, PolicyError):
            self._notices.say(f"the changed lock file cannot be used, the old one stays in force: {loaded}")
        elif loaded is not None:
            self._relay.with_session(partial(Session.replace_lock, lock=loaded))
            self._notices.say("reloaded the lock file")

    def _reload(self, reloader: Reloader[PolicySet]) -> None:
        loaded = reloader.look()
        if isinstance(loaded, PolicyError):
            self._notices.say("the changed policy cannot be used, the old one stays in force:")
            for problem in loaded.problems:
                self._notices.say(str(problem))
        elif loaded is not None:
            if self._recorder is not None:
                self._recorder.reload(loaded)
            self._relay.with_session(partial(Session.replace_policy, policy=loaded))
            self._notices.say(f"reloaded the policy ({loaded.digest[:12]})")
