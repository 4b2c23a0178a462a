"""When a charge stops to count, and what one counter holds. Pure arithmetic: no clock, no lock.

Times are whole microseconds since the epoch, so that sums of them are exact. A charge in a sliding window that is made
at t counts up to, but not at, t + window: no interval of the window's length ever holds more than what was let in, and
what is used up is free again at an exact time. A charge in a calendar window counts up to the end of the period that t
lies in, one of a call in flight until the call has ended. Sums are exact decimals.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from functools import lru_cache
from sys import byteorder
from typing import Final, NamedTuple, assert_never

from ..policy.model import CalendarWindow, InFlight, Unit, Window

MAX_ENTRIES: Final = 4096
"""Entries a counter keeps before neighbours are merged (POLICY section 5)."""
MAX_LIVE: Final = 100_000
"""`per` values of one counter that may count at a time; calls that would need more are refused (POLICY section 5)."""
FOREVER: Final = 2**62
"""The end of what has none: later than any time."""
ASK_AGAIN: Final = 1_000_000
"""Microseconds after which to ask again for what is free once a call ends: nobody knows when that will be."""

# Costs and maxima lie within 1e-400 and 1e400 (`source` and double arithmetic see to that), so sums have fewer digits.
EXACT: Final = Context(prec=2000, traps=[Inexact, InvalidOperation, Overflow])
"""For amounts: the arithmetic of `Decimal` itself rounds to 28 digits."""


def microseconds(seconds: float) -> int:
    """`seconds` in the unit that counters count in."""
    return round(seconds * 1_000_000)


def end_of(window: Window | CalendarWindow | InFlight, now: int) -> int:
    """When a charge that is made `now` stops to count."""
    if isinstance(window, Window):  # first, and no `match`, which takes five times as long
        return now + (round(window.seconds * 1_000_000) or 1)
    if isinstance(window, CalendarWindow):
        return period(window.unit, window.timezone, now).end
    return FOREVER


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
    if name == "UTC":  # there without any data on time zones
        return UTC
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


_known: Final[dict[tuple[Decimal, int], int]] = {}
"""Amounts as multiples of the smallest of so many decimal places: most calls cost the same, and to make a number of a
`Decimal` takes several times as long as to find it."""


def _multiple(amount: Decimal, places: int) -> int:
    """`amount` as a multiple of the smallest of `places` decimal places, rounded down; `_known` if it is one."""
    scaled = EXACT.scaleb(amount, places)
    multiple = int(scaled)
    if multiple == scaled:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        _known[amount, places] = multiple
    return multiple


class Tally:
    """The charges of one counter that may still count, oldest first.

    Costs are whole multiples of the smallest decimal place that any of them has. Where each costs 1, which is what most
    limits count, they take no room.
    """

    __slots__ = ("_costs", "_ends", "_late", "_places", "_used")

    def __init__(
        self, ends: bytes | bytearray = b"", costs: bytes | bytearray | str = b"", used: str = "0", places: int = 0
    ) -> None:
        """As `written` gives it; new without."""
        self._ends = array("q", ends)
        """When each entry stops to count."""
        self._costs: array[int] | list[int] | None
        """Of each entry; None if each costs 1, a list if one is too large for an array."""
        if not costs:
            self._costs = None
        elif isinstance(costs, str):
            self._costs = [int(cost) for cost in costs.split()]
        else:
            self._costs = array("q", costs)
        if byteorder == "big":
            self._swap()
        self._used = int(used)
        self._late = 0
        """What does not count any more of what is kept elsewhere, where it is still to be taken off."""
        self._places = places
        """How many decimal places the costs and their sum have."""

    def written(self) -> tuple[bytearray, bytearray | str, str, int]:
        """All there is, to be kept: when entries end, what they cost, the sum as it is kept, and its decimal places.

        What is binary comes as `sqlite3` takes it without looking for an adapter, which is slow.
        """
        if byteorder == "big":
            self._swap()
        costs = "" if self._costs is None else _text(self._costs)
        kept = bytearray(self._ends), costs, str(self._used + self._late), self._places
        if byteorder == "big":
            self._swap()
        return kept

    def _swap(self) -> None:
        """What is kept is read on other machines too."""
        self._ends.byteswap()
        if isinstance(self._costs, array):
            self._costs.byteswap()

    @property
    def used(self) -> Decimal:
        """What counts, as of the last `expire`."""
        used, places = self._used, self._places
        while places and used % 10 == 0:
            used, places = used // 10, places - 1
        return EXACT.scaleb(Decimal(used), -places)

    @property
    def first(self) -> int:
        """When some of what was charged will not count any more; 0 if nothing was."""
        return self._ends[0] if self._ends else 0

    @property
    def last(self) -> int:
        """When nothing that was charged so far will count any more; 0 if nothing was."""
        return self._ends[-1] if self._ends else 0

    def __len__(self) -> int:
        return len(self._ends)

    def left(self, maximum: Decimal) -> Decimal:
        """What fits under `maximum`, as of the last `expire`; 0 where more is used, as after a `max` was lowered."""
        return max(Decimal(0), EXACT.subtract(maximum, self.used))

    def expire(self, now: int) -> None:
        """Forget what no longer counts at `now`."""
        ends = self._ends
        if not ends or ends[0] > now:
            return
        past = bisect_right(ends, now)
        if past == len(ends):
            self._costs = None
            self._used = self._late = self._places = 0
        elif self._costs is None:
            self._used -= past
        else:
            self._used -= sum(self._costs[:past])
            del self._costs[:past]
        del ends[:past]

    def wait(self, cost: Decimal, maximum: Decimal, now: int) -> int | None:
        """Microseconds until `cost` fits under `maximum`, 0 if it does; None if it never can.

        To be called after `expire(now)`.
        """
        excess = self._excess(cost, maximum)
        if excess <= 0:
            return 0
        if cost > maximum:
            return None
        if self._costs is None:
            return self._ends[excess - 1] - now
        for end, spent in zip(self._ends, self._costs, strict=True):
            excess -= spent
            if excess <= 0:
                return end - now
        raise ValueError("the sum of a counter differs from its entries")

    def in_units(self, cost: Decimal, maximum: Decimal) -> tuple[int, int, int]:
        """`cost` and `maximum` as numbers of the smallest decimal place, and how many places there are.

        The numbers hold for as long as there are as many, which `has_room` looks at.
        """
        amount = self._units(cost)
        return amount, _multiple(maximum, self._places), self._places

    def has_room(self, amount: int, most: int, places: int) -> bool:
        """As `fits`, for what `in_units` gave; False also if that does not hold any more."""
        return self._places == places and self._used + amount <= most

    def fits(self, cost: Decimal, maximum: Decimal) -> bool:
        """Whether nothing has to be waited for. To be called after `expire(now)`."""
        amount, most = _known.get((cost, self._places)), _known.get((maximum, self._places))
        if amount is None or most is None:
            return self._excess(cost, maximum) <= 0
        return self._used + amount <= most

    def charge(self, end: int, cost: Decimal) -> int:
        """Add `cost`, which counts until `end`, or until what was charged before stops to count if that is later.

        Return until when.
        """
        return self.charge_units(end, self._units(cost))

    def charge_units(self, end: int, amount: int) -> int:
        """As `charge`, for as many of the smallest decimal place as `in_units` gives."""
        ends = self._ends
        self._used += amount
        if ends and ends[-1] >= end:
            self._change(len(ends) - 1, amount)
            return ends[-1]
        ends.append(end)
        if amount != 1 and self._costs is None:
            self._costs = array("q", [1]) * (len(ends) - 1)
        if self._costs is not None:
            try:
                self._costs.append(amount)
            except OverflowError:
                self._costs = [*self._costs, amount]
        if len(ends) > MAX_ENTRIES:
            self.merge()
        return end

    def give_back(self, end: int, cost: Decimal, now: int) -> None:
        """Undo a `charge` of `cost` that returned `end`, unless it has stopped to count."""
        if end <= now:
            return  # if it was merged with a later one it counts a little longer: never too little
        ends = self._ends
        at = bisect_left(ends, end)
        if at == len(ends):
            return  # somebody has emptied the counter
        amount = self._units(cost)
        spent = 1 if self._costs is None else self._costs[at]
        if spent > amount:
            self._used -= amount
            self._change(at, -amount)
            return
        self._used -= spent
        del ends[at]
        if self._costs is not None:
            del self._costs[at]

    def take(self, count: int) -> Tally:
        """Take the `count` oldest entries, to be kept elsewhere; they go on to be part of the sum."""
        older = Tally()
        older._places = self._places
        older._ends = self._ends[:count]
        del self._ends[:count]
        if self._costs is None:
            older._used = count
        else:
            older._costs = _packed(list(self._costs[:count]))
            older._used = sum(older._costs)
            del self._costs[:count]
        return older

    def expire_older(self, older: Tally, now: int) -> int:
        """Forget what no longer counts of `older`, which is kept elsewhere and part of the sum; how many entries."""
        entries, used, finer = len(older), older._used, self._places - older._places
        older.expire(now)
        gone = used - older._used
        if finer:
            gone *= 10**finer
        self._used -= gone
        self._late += gone
        return entries - len(older)

    def settle(self) -> None:
        """What is kept elsewhere is as it is told here."""
        self._late = 0

    def after(self, older: Sequence[Tally]) -> Tally:
        """A tally of all entries of `older`, which are part of the sum here, and of the own ones behind them."""
        whole = Tally()
        whole._places, whole._used = self._places, self._used
        costs: list[int] = []
        for part in (*older, self):
            part_ends, part_costs = part.entries(self._places)
            whole._ends += part_ends
            costs += part_costs
        if whole._places or any(cost != 1 for cost in costs):
            whole._costs = _packed(costs)
        return whole

    def become(self, other: Tally) -> None:
        """Be `other`, which is of no use any more."""
        self._ends, self._costs = other._ends, other._costs
        self._used, self._late, self._places = other._used, other._late, other._places

    def entries(self, places: int) -> tuple[array[int], list[int]]:
        """When each entry ends, and what it costs with `places` decimal places, which are no fewer than it has."""
        factor = 10 ** (places - self._places)
        costs = [1] * len(self._ends) if self._costs is None else self._costs
        return self._ends, [cost * factor for cost in costs]

    def merge(self) -> None:
        """Halve the number of entries: each pair of neighbours counts until the later one ends."""
        costs = [1] * len(self._ends) if self._costs is None else list(self._costs)
        pairs = len(costs) // 2 * 2
        merged = [first + second for first, second in zip(costs[0:pairs:2], costs[1:pairs:2], strict=True)]
        self._costs = _packed(merged + costs[pairs:])
        self._ends = self._ends[1:pairs:2] + self._ends[pairs:]

    def _excess(self, cost: Decimal, maximum: Decimal) -> int:
        """By how many of the smallest places `cost` is too much."""
        amount = self._units(cost)
        most = _known.get((maximum, self._places))
        return self._used + amount - (_multiple(maximum, self._places) if most is None else most)

    def _units(self, cost: Decimal) -> int:
        """`cost` as a multiple of the smallest place, which becomes smaller if it has to."""
        known = _known.get((cost, self._places))
        if known is not None:
            return known
        exponent = cost.as_tuple().exponent
        if not isinstance(exponent, int):
            raise ValueError("a cost that is not a number")
        if -exponent > self._places and cost != int(cost):
            factor = 10 ** (-exponent - self._places)
            if self._ends:
                self._costs = _packed([spent * factor for spent in self._costs or [1] * len(self._ends)])
            self._used *= factor
            self._late *= factor
            self._places = -exponent
        return _multiple(cost, self._places)

    def _change(self, at: int, amount: int) -> None:
        if self._costs is None:
            self._costs = array("q", [1]) * len(self._ends)
        try:
            self._costs[at] += amount
        except OverflowError:
            self._costs = list(self._costs)
            self._costs[at] += amount


def _packed(costs: list[int]) -> array[int] | list[int]:
    try:
        return array("q", costs)
    except OverflowError:
        return costs


def _text(costs: array[int] | list[int]) -> bytearray | str:
    return bytearray(costs) if isinstance(costs, array) else " ".join(map(str, costs))
