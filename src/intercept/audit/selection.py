"""Which calls of a log are meant, and what became of each: records joined by session and call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import AuditFormatError
from ..policy import Effect
from ..policy.names import Glob
from ..values import Json
from .events import Decided, Type, decided, time_of
from .reading import Record
from .recorder import arguments_digest


@dataclass(frozen=True, slots=True)
class Wanted:
    """What decisions have to be like; what is None does not matter."""

    tool: Glob | None = None
    decision: Effect | None = None
    server: Glob | None = None
    since: int | None = None
    """Microseconds since the epoch; so is the next one, which is not included."""
    until: int | None = None

    def takes(self, one: Decided) -> bool:
        """Whether `one` is meant."""
        return (
            (self.since is None or one.time >= self.since)
            and (self.until is None or one.time < self.until)
            and (self.decision is None or one.effect is self.decision)
            and (self.tool is None or self.tool.matches(one.tool))
            and (self.server is None or self.server.matches(one.server))
        )

    @property
    def takes_all(self) -> bool:
        """Whether nothing but time matters, so that records about no call are meant too."""
        return self.tool is None and self.decision is None and self.server is None


@dataclass(slots=True)
class Call:
    """A decision, and the last that is known of what became of it."""

    decided: Decided
    outcome: str | None = None
    """None: it was not forwarded, or nothing is known."""
    duration: int | None = None
    """Microseconds from the decision to the outcome."""


class Selection:
    """Takes records in the order of each session, and gives those that are meant."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._meant: dict[tuple[str, int], Call] = {}
        self.lost = 0
        """Records that the log says are missing."""
        self.unread = 0
        """Records that are of another format."""

    def take(self, record: Record) -> Call | None:
        """The call that `record` is about, if it is meant."""
        body = record.body
        lost = body.get("lost")
        self.lost += lost if isinstance(lost, int) else 0
        key = (str(body.get("session")), body.get("call"))
        if record.type == Type.DECISION:
            try:
                one = read_decision(body)
            except AuditFormatError:
                self.unread += 1
                return None
            if not self._wanted.takes(one):
                return None
            call = self._meant[one.session, one.call] = Call(one)
            return call
        found = self._meant.get(key) if isinstance(key[1], int) else None  # type: ignore[arg-type]
        if found is not None and record.type == Type.OUTCOME:
            outcome, duration = body.get("outcome"), body.get("duration_us")
            found.outcome = outcome if isinstance(outcome, str) else None
            found.duration = duration if isinstance(duration, int) else None
        return found

    def takes_time(self, record: Record) -> bool:
        """Whether a record that is about no call is meant."""
        if not self._wanted.takes_all:
            return False
        try:
            time = time_of(str(record.body.get("time")))
        except ValueError:
            return False
        since, until = self._wanted.since, self._wanted.until
        return (since is None or time >= since) and (until is None or time < until)

    @property
    def calls(self) -> Iterable[Call]:
        """All calls that are meant, in the order in which they were taken."""
        return self._meant.values()


def calls_of(records: Iterable[Record], selection: Selection) -> list[Call]:
    """The calls in `records` that are meant, oldest first."""
    for record in records:
        selection.take(record)
    return sorted(selection.calls, key=lambda call: call.decided.time)


def read_decision(body: dict[str, Json]) -> Decided:
    """The decision record `body`, with its arguments if these were recorded as they were.

    Raises:
        AuditFormatError: it is none of this format.
    """
    arguments = body.get("arguments")
    exact = isinstance(arguments, dict) and arguments_digest(arguments) == body.get("arguments_sha256")
    return decided(body, arguments if exact and isinstance(arguments, dict) else None)
