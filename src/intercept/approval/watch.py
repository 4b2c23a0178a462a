"""The live view of what waits: which lines are shown, and what a key means. Pure.

One is always selected, by its id and not by its place, so that what comes in meanwhile never moves it under a finger;
and a key approves only what was on the screen when it was pressed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

from ..errors import visible
from .question import described, in_words
from .record import Record, State

HELP = "up/down select   a approve   d deny   q quit"


class Wish(StrEnum):
    """What the person at the keys wants."""

    APPROVE = "approve"
    DENY = "deny"
    QUIT = "quit"


class Watch:
    """The state of the view."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._selected = ""
        self._asked: Wish | None = None
        """What has to be confirmed."""
        self.message = ""
        """What came of the last wish."""

    @property
    def selected(self) -> Record | None:
        """The one that keys are about."""
        return next((record for record in self._records if record.id == self._selected), None)

    def show(self, records: Sequence[Record], now: float) -> None:
        """What there is now."""
        self._records = [record for record in records if record.state is State.WAITING and now < record.expires]
        if self.selected is None:
            self._selected = self._records[0].id if self._records else ""
            self._asked = None

    def press(self, key: str) -> Wish | None:
        """What `key` means, once it is clear; approving and denying are asked about once more."""
        asked, self._asked = self._asked, None
        self.message = ""
        if key in {"q", "\x03", "\x04", "\x1b"}:
            return None if asked else Wish.QUIT
        if self.selected is None:
            return None
        if asked is not None:
            return asked if key == "y" else None
        if key in {"a", "d"}:
            self._asked = Wish.APPROVE if key == "a" else Wish.DENY
        elif key in {"j", "\x1b[B", "k", "\x1b[A"}:
            place = [record.id for record in self._records].index(self._selected)
            step = 1 if key in {"j", "\x1b[B"} else -1
            self._selected = self._records[max(0, min(len(self._records) - 1, place + step))].id
        return None

    def lines(self, now: float, width: int, height: int) -> list[str]:
        """The screen, at most `height` lines of at most `width` characters."""
        lines = [*self._lines(now, max(1, height - 2))][: max(1, height - 2)]
        foot = self.message
        if self._asked is not None:
            foot = f"{self._asked} `{self._selected}`? y to do it, any other key not to"
        return [_fit(line, width) for line in [*lines, "", foot or HELP][-height:]]

    def _lines(self, now: float, height: int) -> Iterator[str]:
        count = len(self._records)
        yield f"{count} approval{'' if count == 1 else 's'} waiting"
        yield ""
        selected = self.selected
        if selected is None:
            return
        place = self._records.index(selected)
        most = max(1, height // 3)
        first = max(0, min(place - most // 2, count - most))
        for record in self._records[first : first + most]:
            yield f"{'>' if record is selected else ' '} {summary(record, now)}"
        yield ""
        yield from details(selected, now)


def summary(record: Record, now: float) -> str:
    """One line about `record`."""
    tools = ", ".join(dict.fromkeys(visible(use.name) for use in record.uses))
    server = f" on {visible(record.server)}" if record.server else ""
    risk = f", by its definition {visible(record.risk)}" if record.risk else ""
    return f"{record.id}  {standing(record, now)}  {tools}{server}{risk}"


def standing(record: Record, now: float) -> str:
    """Where `record` stands: `waits, 4 minutes left`."""
    left = max(0, round(record.expires - now))
    who = f" by {visible(record.who)}" if record.who else ""
    match record.state:
        case State.WAITING:
            return f"waits, {in_words(left)} left" if left else "nobody answered in time"
        case State.APPROVED:
            return f"approved{who}, {in_words(left)} left to call" if left else f"approved{who}, not used in time"
        case State.DENIED:
            return f"denied{who}"
        case State.USED:
            again = f", passes for {in_words(round(record.until - now))}" if now < record.until else ""
            return f"approved{who} and used{again}"


def details(record: Record, now: float) -> Iterator[str]:
    """All that there is to look at before answering."""
    yield from described(record.uses, record.server, record.risk)
    yield f"Reason: {visible(record.reason)}"
    yield f"Grant: {visible(record.grant)}"
    yield f"Policy: {visible(record.policy[:12])}"
    if record.remember:
        yield f"If approved, the same call passes again for {in_words(record.remember)}."
    yield f"State: {standing(record, now)}"


def _fit(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: max(0, width - 1)]}…"
