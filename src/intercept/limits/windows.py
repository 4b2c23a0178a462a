"""When a charge stops to count, and what one counter holds. Pure arithmetic: no clock, no lock.

Times are whole microseconds since the epoch, so that sums of them are exact. A charge in a sliding window that is made
at t counts up to, but not at, t + window: no interval of the window's length ever holds more than what was let in, and
what is used up is free again at an exact time. A charge in a calendar window counts up to the end of the period that t
lies in, one of a call in flight until the call has ended. Sums are exact decimals.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import datetime, timedelta, tzinfo
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from functools import lru_cache
from typing import Final, NamedTuple, assert_never

from ..policy.model import CalendarWindow, InFlight, Unit, Window

MAX_ENTRIES: Final = 4096
"""Entries a counter keeps before neighbours are merged (POLICY section 5)."""
FOREVER: Final = 2**62
"""The end of what has none: later than any time."""
ASK_AGAIN: Final = 1_000_000
"""Microseconds after which to ask again for what is free once a call ends: nobody knows when that will be."""

# Costs and maxima lie within 1e-400 and 1e400 (`source` and double arithmetic see to that), so sums have fewer digits.
_EXACT: Final = Context(prec=2000, traps=[Inexact, InvalidOperation, Overflow])


def microseconds(seconds: float) -> int:
    """`seconds` in the unit that counters count in."""
    return round(seconds * 1_000_000)


def end_of(window: Window | CalendarWindow | InFlight, now: int) -> int:
    """When a charge that is made `now` stops to count."""
    match window:
        case Window(seconds):
            return now + max(1, round(seconds * 1_000_000))
        case CalendarWindow(unit, timezone):
            return period(unit, timezone, now).end
        case InFlight():
            return FOREVER
        case _:
            assert_never(window)


class Period(NamedTuple):
    """A period of a calendar, half-open, in microseconds since the epoch."""

    start: int
    end: int


def period(unit: Unit, timezone: str, now: int) -> Period:
    """The period of the calendar of `timezone` that `now` lies in.

    A day begins at local midnight, a week on Monday, a month on its first day; where the clocks skip midnight, when
    they go on. So days have 23 or 25 hours where clocks change, and a midnight that comes twice begins one day. An hour
    (minute, second) begins whenever the local clock shows a full one.
    """
    key = (unit, timezone)
    known = _last.get(key)
    if known is None or not known.start <= now < known.end:
        known = _period(unit, _zone(timezone), now)
        if len(_last) >= _REMEMBERED:
            _last.clear()
        _last[key] = known
    return known


_REMEMBERED: Final = 64
_last: Final[dict[tuple[Unit, str], Period]] = {}
"""The period found last: the next call most likely lies in it too."""


@lru_cache(maxsize=_REMEMBERED)
def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def _period(unit: Unit, zone: tzinfo, now: int) -> Period:
    local = _local(now, zone)
    starts: list[int] = []
    for step in range(-2, 4):
        first = _moved(_begin(local, unit), unit, step)
        starts.append(_instant(first, zone))
        if unit in _CLOCK:
            starts.append(_instant(first.replace(fold=1), zone))
    return Period(max(start for start in starts if start <= now), min(start for start in starts if start > now))


_CLOCK: Final = {Unit.SECOND: timedelta(seconds=1), Unit.MINUTE: timedelta(minutes=1), Unit.HOUR: timedelta(hours=1)}
_MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - local times are compared as they are shown


def _local(now: int, zone: tzinfo) -> datetime:
    """What a clock in `zone` shows, without its zone."""
    utc = (_EPOCH + timedelta(microseconds=now)).replace(tzinfo=zone)
    return zone.fromutc(utc).replace(tzinfo=None, fold=0)


def _begin(local: datetime, unit: Unit) -> datetime:
    match unit:
        case Unit.SECOND:
            return local.replace(microsecond=0)
        case Unit.MINUTE:
            return local.replace(second=0, microsecond=0)
        case Unit.HOUR:
            return local.replace(minute=0, second=0, microsecond=0)
        case Unit.DAY:
            return local.replace(hour=0, minute=0, second=0, microsecond=0)
        case Unit.WEEK:
            return _begin(local, Unit.DAY) - timedelta(days=local.weekday())
        case Unit.MONTH:
            return _begin(local, Unit.DAY).replace(day=1)
        case _:
            assert_never(unit)


def _moved(begin: datetime, unit: Unit, steps: int) -> datetime:
    match unit:
        case Unit.SECOND | Unit.MINUTE | Unit.HOUR:
            return begin + steps * _CLOCK[unit]
        case Unit.DAY:
            return begin + timedelta(days=steps)
        case Unit.WEEK:
            return begin + timedelta(weeks=steps)
        case Unit.MONTH:
            years, month = divmod(begin.month - 1 + steps, 12)
            return begin.replace(year=begin.year + years, month=month + 1)
        case _:
            assert_never(unit)


def _instant(local: datetime, zone: tzinfo) -> int:
    """When a clock in `zone` shows `local`, the second time if its `fold` is 1; if it never does, when it skips it."""
    before, after = (
        (local - _EPOCH - (local.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta())) // _MICROSECOND
        for fold in (0, 1)
    )
    if before <= after:  # once, or twice
        return after if local.fold else before
    # Skipped: the clock goes on somewhere between what the offsets after and before that say, on a whole second.
    low, high = after // 1_000_000, before // 1_000_000
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _local(middle * 1_000_000, zone) >= local else (middle, high)
    return high * 1_000_000


class Tally:
    """The charges of one counter that may still count, oldest first."""

    __slots__ = ("_entries", "_used")

    def __init__(self) -> None:
        # When it stops to count, and the cost. A list: a tenth of the memory of a deque, where most keys have one.
        self._entries: list[tuple[int, Decimal]] = []
        self._used = Decimal(0)

    @property
    def used(self) -> Decimal:
        """What counts, as of the last `expire`."""
        return self._used

    @property
    def last(self) -> int:
        """When nothing that was charged so far will count any more; 0 if nothing was."""
        return self._entries[-1][0] if self._entries else 0

    def expire(self, now: int) -> None:
        """Forget what no longer counts at `now`."""
        entries = self._entries
        if not entries or entries[0][0] > now:
            return
        past = bisect_right(entries, now, key=_end)
        for _, cost in entries[:past]:
            self._used = _EXACT.subtract(self._used, cost)
        del entries[:past]

    def wait(self, cost: Decimal, maximum: Decimal, now: int) -> int | None:
        """Microseconds until `cost` fits under `maximum`, 0 if it does; None if it never can.

        To be called after `expire(now)`.
        """
        total = _EXACT.add(self._used, cost)
        if total <= maximum:
            return 0
        if cost > maximum:
            return None
        excess = _EXACT.subtract(total, maximum)
        for end, spent in self._entries:
            excess = _EXACT.subtract(excess, spent)
            if excess <= 0:
                return end - now
        raise AssertionError("the sum of a counter differs from its entries")

    def charge(self, end: int, cost: Decimal) -> None:
        """Add `cost`, which counts until `end`; `end` is never earlier than that of a charge before."""
        entries = self._entries
        self._used = _EXACT.add(self._used, cost)
        if entries and entries[-1][0] == end:
            entries[-1] = (end, _EXACT.add(entries[-1][1], cost))
            return
        entries.append((end, cost))
        if len(entries) > MAX_ENTRIES:
            self._merge()

    def give_back(self, end: int, cost: Decimal, now: int) -> None:
        """Undo `charge(end, cost)`, unless it has stopped to count."""
        if end <= now:
            return  # if it was merged with a later one it counts a little longer: never too little
        entries = self._entries
        at = bisect_left(entries, end, key=_end)
        kept, spent = entries[at]
        self._used = _EXACT.subtract(self._used, cost)
        if spent == cost:
            del entries[at]
        else:
            entries[at] = (kept, _EXACT.subtract(spent, cost))

    def _merge(self) -> None:
        """Halve the number of entries: each pair of neighbours counts until the later one ends."""
        old = self._entries
        pairs = zip(old[0::2], old[1::2], strict=False)
        merged = [(end, _EXACT.add(first, second)) for (_, first), (end, second) in pairs]
        self._entries = merged + old[len(merged) * 2 :]


def _end(entry: tuple[int, Decimal]) -> int:
    return entry[0]
