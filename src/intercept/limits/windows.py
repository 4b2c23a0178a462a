"""What one counter holds in a sliding window. Pure arithmetic: no clock, no lock.

A charge made at t counts up to, but not at, t + window. So no interval of the window's length ever holds more than what
was let in, and what is used up is free again at an exact time. Sums are exact decimals.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Final

MAX_ENTRIES: Final = 4096
"""Entries a counter keeps before neighbours are merged (POLICY section 5)."""

# Costs and maxima lie within 1e-400 and 1e400 (`source` and double arithmetic see to that), so sums have fewer digits.
_EXACT: Final = Context(prec=2000, traps=[Inexact, InvalidOperation, Overflow])


class Sliding:
    """The charges of one counter that may still count, oldest first."""

    __slots__ = ("_entries", "_used")

    def __init__(self) -> None:
        # When it stops to count, and the cost. A list: a tenth of the memory of a deque, where most keys have one.
        self._entries: list[tuple[float, Decimal]] = []
        self._used = Decimal(0)

    @property
    def used(self) -> Decimal:
        """What counts, as of the last `expire`."""
        return self._used

    @property
    def last(self) -> float:
        """When nothing that was charged so far will count any more; 0 if nothing was."""
        return self._entries[-1][0] if self._entries else 0.0

    def expire(self, now: float) -> None:
        """Forget what no longer counts at `now`."""
        entries = self._entries
        if not entries or entries[0][0] > now:
            return
        past = bisect_right(entries, now, key=_end)
        for _, cost in entries[:past]:
            self._used = _EXACT.subtract(self._used, cost)
        del entries[:past]

    def wait(self, cost: Decimal, maximum: Decimal, now: float) -> float | None:
        """Seconds until `cost` fits under `maximum`, 0 if it does; None if it never can.

        To be called after `expire(now)`.
        """
        total = _EXACT.add(self._used, cost)
        if total <= maximum:
            return 0.0
        if cost > maximum:
            return None
        excess = _EXACT.subtract(total, maximum)
        for end, spent in self._entries:
            excess = _EXACT.subtract(excess, spent)
            if excess <= 0:
                return end - now
        raise AssertionError("the sum of a counter differs from its entries")

    def charge(self, end: float, cost: Decimal) -> None:
        """Add `cost`, which counts until `end`; `end` is never earlier than that of a charge before."""
        entries = self._entries
        self._used = _EXACT.add(self._used, cost)
        if entries and entries[-1][0] == end:
            entries[-1] = (end, _EXACT.add(entries[-1][1], cost))
            return
        entries.append((end, cost))
        if len(entries) > MAX_ENTRIES:
            self._merge()

    def give_back(self, end: float, cost: Decimal, now: float) -> None:
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


def _end(entry: tuple[float, Decimal]) -> float:
    return entry[0]
