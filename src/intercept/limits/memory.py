"""Counters in this process's memory: those of the session, gone when it ends."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from itertools import islice
from threading import Lock
from typing import Final, TypeAlias

from ..policy.model import Charge, Exhausted
from . import MAX_ANSWERED, Granted, Made, Refused, merged
from .windows import ASK_AGAIN, FOREVER, MAX_LIVE, Tally, end_of, microseconds

_CLEANED: Final = 2
"""Keys looked at for cleaning when a key is added to a counter: more than are added."""
_SWEPT: Final = 16
_SWEEP_EVERY: Final = 8
"""Reserves between two looks at a counter that may not be used any more, and the keys looked at then."""

_Counter: TypeAlias = tuple[str, ...]
_Group: TypeAlias = OrderedDict[str, Tally]
_EMPTY: Final[_Group] = OrderedDict()


class MemoryStore:
    """A `CounterStore` in memory. Each operation is bounded, whatever is kept."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._now = 0
        self._groups: dict[_Counter, _Group] = {}
        """Counter to `per` values to charges; in a group, what was charged last comes last and so ends last."""
        self._rounds: deque[_Counter] = deque()
        """Every counter once, for sweeping one after the other."""
        self._reserved = 0
        self._answered: frozenset[str] = frozenset()

    def reserve(self, charges: Sequence[Charge], now: float, *, patience: float = 0) -> Granted | Refused:
        """See `CounterStore.reserve`; nothing has to be waited for here."""
        del patience
        with self._lock:
            self._now = max(self._now, microseconds(now))
            self._reserved += 1
            if self._reserved % _SWEEP_EVERY == 0:
                self._sweep()
            made = self._made_at_once(charges)
            if made is not None:
                return Granted(tuple(charges), tuple(made))
            return self._reserve(charges)

    def release(self, granted: Granted) -> None:
        """See `CounterStore.release`."""
        self._give_back(granted.made)

    def finish(self, granted: Granted) -> None:
        """See `CounterStore.finish`."""
        held = granted.in_flight()
        if held:
            self._give_back(held)

    def answered(self, *, patience: float = 0) -> AbstractSet[str] | None:
        """See `CounterStore.answered`."""
        del patience
        return self._answered if len(self._answered) <= MAX_ANSWERED else None

    def remember_answered(self, tool: str, *, patience: float = 0) -> None:
        """See `CounterStore.remember_answered`."""
        del patience
        with self._lock:
            if len(self._answered) <= MAX_ANSWERED:
                self._answered |= {tool}

    def _give_back(self, made: Sequence[Made]) -> None:
        with self._lock:
            for each in made:
                charge, end = each.charge, each.end
                group = self._groups.get(charge.key[:-1], _EMPTY)
                tally = group.get(charge.key[-1])
                if tally is None:
                    continue
                tally.give_back(end, charge.cost, self._now)
                if not tally.last:
                    del group[charge.key[-1]]

    def _made_at_once(self, charges: Sequence[Charge]) -> list[Made] | None:
        """All `charges`, made where their counters are in use and have room, as most have; None, and none, if not."""
        if len(charges) > 1 and len({charge.key for charge in charges}) < len(charges):
            return None
        now = self._now
        found: list[tuple[Charge, _Group, Tally]] = []
        for charge in charges:
            key = charge.key
            group = self._groups.get(key[:-1])
            tally = None if group is None else group.get(key[-1])
            if group is None or tally is None or charge.shadow or not charge.cost:
                return None
            tally.expire(now)
            if not tally.fits(charge.cost, charge.max):
                return None
            found.append((charge, group, tally))
        made: list[Made] = []
        for charge, group, tally in found:
            group.move_to_end(charge.key[-1])
            made.append(Made(charge, tally.charge(end_of(charge.window, now), charge.cost)))
        return made

    def _reserve(self, charges: Sequence[Charge]) -> Granted | Refused:
        enforced = [charge for charge in charges if not charge.shadow]
        shadow = [charge for charge in charges if charge.shadow]
        if refusal := self._refusal(enforced):
            return refusal
        made = self._make(enforced)
        unmet: tuple[Exhausted, ...] = ()
        if shadow:
            if would_refuse := self._refusal(shadow):
                unmet = (Exhausted(would_refuse.charge, would_refuse.retry_after, would_refuse.left),)
            else:
                made += self._make(shadow)
        return Granted(tuple(charges), tuple(made), unmet)

    def _refusal(self, charges: Sequence[Charge]) -> Refused | None:
        """Why `charges` cannot all be made now."""
        now = self._now
        worst: Refused | None = None
        longest = 0
        costs = {charge.key: charge.cost for charge in merged(charges)} if len(charges) > 1 else None
        for charge in charges:
            cost = charge.cost if costs is None else costs[charge.key]
            group = self._groups.get(charge.key[:-1], _EMPTY)
            tally = group.get(charge.key[-1])
            if tally is not None:
                tally.expire(now)
                wait = tally.wait(cost, charge.max, now)
            elif cost > charge.max:
                return Refused(charge, None, charge.max)
            else:
                wait = self._wait_for_room(group, charge, charges)
            if wait is not None and now + wait == FOREVER:
                wait = ASK_AGAIN
            if wait is None or wait > longest:
                left = Decimal(0) if tally is None else tally.left(charge.max)
                if wait is None:
                    return Refused(charge, None, left)
                longest = wait
                worst = Refused(charge, wait / 1e6, left)
        return worst

    def _wait_for_room(self, group: _Group, charge: Charge, charges: Sequence[Charge]) -> int | None:
        """Microseconds until `group` can take the new keys of `charges`, 0 if it can now, None if it never can."""
        if len(group) + len(charges) <= MAX_LIVE:
            return 0
        counter = charge.key[:-1]
        new = {other.key for other in charges if other.key[:-1] == counter and other.key[-1] not in group}
        surplus = len(group) + len(new) - MAX_LIVE
        for key, tally in list(islice(group.items(), max(surplus, 0))):
            if tally.last > self._now:
                break
            del group[key]
            surplus -= 1
        if surplus <= 0:
            return 0
        leaving = next(islice(group.values(), surplus - 1, None), None)
        return None if leaving is None else leaving.last - self._now

    def _make(self, charges: Sequence[Charge]) -> list[Made]:
        made: list[Made] = []
        for charge in merged(charges):
            if not charge.cost:
                continue
            counter, per = charge.key[:-1], charge.key[-1]
            group = self._groups.get(counter)
            if group is None:
                group = self._groups[counter] = OrderedDict()
                self._rounds.append(counter)
            tally = group.get(per)
            if tally is None:
                self._clean(group, _CLEANED)
                tally = group[per] = Tally()
            else:
                group.move_to_end(per)
            made.append(Made(charge, tally.charge(end_of(charge.window, self._now), charge.cost)))
        return made

    def _sweep(self) -> None:
        if not self._rounds:
            return
        counter = self._rounds.popleft()
        group = self._groups[counter]
        self._clean(group, _SWEPT)
        if group:
            self._rounds.append(counter)
        else:
            del self._groups[counter]

    def _clean(self, group: _Group, keys: int) -> None:
        for _ in range(keys):
            if not group:
                return
            key = next(iter(group))
            if group[key].last > self._now:
                return
            del group[key]
