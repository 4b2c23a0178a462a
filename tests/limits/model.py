"""Random calls beside a model that keeps a list of all that ever happened.

`python -m tests.limits.model --store sqlite --count 1000000` runs as many operations as are asked for.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random

from intercept.limits import CounterStore, Granted, Refused
from intercept.limits.memory import MemoryStore
from intercept.limits.redis import RedisStore
from intercept.limits.sqlite import SQLiteStore
from intercept.limits.state import LEASE
from intercept.policy import CalendarWindow, Charge, InFlight, Unit

from .charges import START, charge

YEAR = 365 * 86_400.0
COUNTERS: dict[str, tuple[float | CalendarWindow | InFlight, list[str]]] = {
    "calls": (8.0, ["1"]),
    "spend": (20.0, ["0.1", "0.2", "1", "2.5", "1e-7", "0"]),
    "large": (12.0, [str(2**60), "0.000001", "9007199254740993"]),
    "minute": (CalendarWindow(Unit.MINUTE, "America/Sao_Paulo", "calendar minute"), ["1", "3"]),
    "slots": (InFlight(), ["1"]),
}
MAXIMA = {"calls": ["3", "5"], "spend": ["1", "3.3"], "large": [str(2**61)], "minute": ["6"], "slots": ["1", "2"]}


@dataclass(slots=True, eq=False)
class Entry:
    """Something that was charged."""

    at: float
    end: float
    """When it stops to count; infinity for a call in flight."""
    cost: Decimal


class Model:
    """Drives the store that `opened` gives, and looks at each of its answers.

    With `jumps`, the process ends from time to time and the next one finds the wall clock set back by a year. It cannot
    know how long ago the charges were made, so it may refuse what has become free, but never the other way round.
    """

    def __init__(self, opened: Callable[[], CounterStore], seed: int, *, jumps: bool = False) -> None:
        self._opened = opened
        self._jumps = jumps
        self._random = Random(seed)
        self._store = opened()
        self._now = START
        """Time as it passes for people."""
        self._anchor = 0.0
        """How far the clock of the process is ahead of that."""
        self._kept: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
        self._open: list[tuple[Granted, dict[tuple[str, ...], Entry]]] = []
        self._same: dict[tuple[Charge, ...], tuple[Charge, ...]] = {}
        self.granted = self.refused = 0

    def run(self, count: int) -> None:
        """Do `count` operations."""
        for _ in range(count):
            self._now += self._random.choice([0, 0, 0, 0.125, 0.25, 1, 3, 7.875])
            match self._random.choices(["call", "end", "look back", "restart"], [70, 27, 2, 1 if self._jumps else 0])[
                0
            ]:
                case "call":
                    self._call(self._anchor + self._now)
                case "end":
                    self._end()
                case "look back":
                    # The clock of a running process never does this; if it did, nothing would be free.
                    self._call(self._anchor + self._now)
                    self._call(self._anchor + self._now - YEAR)
                case _:
                    self._restart()

    def _call(self, clock: float) -> None:
        charges = [self._charge() for _ in range(self._random.choice([1, 1, 1, 2, 3]))]
        # A policy gives the same object for each call that is charged the same.
        same = self._same.setdefault(tuple(charges), tuple(charges))
        answer = self._store.reserve(same, clock, patience=60)
        fits = self._fits(charges, self._now)
        if isinstance(answer, Granted):
            assert fits, (charges, self._now)
            self.granted += 1
            self._open.append((answer, self._charged(charges)))
            if len(self._open) > 50:
                self._open.pop(0)
        else:
            self.refused += 1
            if not self._jumps:
                assert not fits, (answer, self._now)
                self._check_wait(answer, charges)

    def _check_wait(self, answer: Refused, charges: list[Charge]) -> None:
        wait = answer.retry_after
        if wait is None:
            costs = _highest(charges)
            assert any(costs[one.key] > one.max for one in charges)
        elif all(not isinstance(one.window, InFlight) for one in charges):
            assert self._fits(charges, self._now + wait)
            assert not self._fits(charges, self._now + wait - 0.0625)

    def _charge(self) -> Charge:
        counter = self._random.choice(list(COUNTERS))
        window, costs = COUNTERS[counter]
        per = self._random.choice(["", "", "=x"])
        return charge(
            self._random.choice(MAXIMA[counter]), window, cost=self._random.choice(costs), counter=counter, per=per
        )

    def _fits(self, charges: list[Charge], now: float) -> bool:
        costs = _highest(charges)
        return all(self._used(one.key, now) + costs[one.key] <= one.max for one in charges)

    def _used(self, key: tuple[str, ...], now: float) -> Decimal:
        kept = self._kept[key] = [entry for entry in self._kept[key] if entry.end > self._now]
        return sum((entry.cost for entry in kept if entry.end > now), Decimal(0))

    def _charged(self, charges: list[Charge]) -> dict[tuple[str, ...], Entry]:
        entries: dict[tuple[str, ...], Entry] = {}
        windows = {one.key: one.window for one in charges}
        for key, cost in _highest(charges).items():
            match windows[key]:
                case InFlight():
                    end = float("inf")
                case CalendarWindow():
                    # Of a process whose clock was set back other minutes than those of people.
                    end = self._now - (self._now + self._anchor) % 60 + 60 if not self._jumps else self._now + 0.125
                case window:
                    end = self._now + window.seconds
            entries[key] = Entry(self._now, end, cost)
            self._kept[key].append(entries[key])
        return entries

    def _end(self) -> None:
        if not self._open:
            return
        granted, entries = self._open.pop(self._random.randrange(len(self._open)))
        never_left = self._random.random() < 0.3
        if never_left:
            self._store.release(granted)
        else:
            self._store.finish(granted)
        for key, entry in entries.items():
            if never_left or entry.end == float("inf"):
                self._kept[key] = [other for other in self._kept[key] if other is not entry]

    def _restart(self) -> None:
        """The process is killed; its leases end; and the wall clock was set back."""
        for key, kept in self._kept.items():
            self._kept[key] = [entry for entry in kept if entry.end != float("inf")]
        self._open.clear()
        self._now += LEASE + 1
        self._anchor -= YEAR
        self._store = self._opened()


def _highest(charges: list[Charge]) -> dict[tuple[str, ...], Decimal]:
    return {one.key: max(other.cost for other in charges if other.key == one.key) for one in charges}


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--store", choices=["memory", "sqlite", "redis"], default="memory")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jumps", action="store_true", help="restart with a clock that was set back by a year")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="model-") as directory:
        model: Model
        if options.store == "redis":
            from .redis_server import RedisServer

            server = RedisServer(Path(directory))
            server.start()
            model = Model(
                lambda: RedisStore(server.url, grant="ours", follows_caller=True), options.seed, jumps=options.jumps
            )
            model.run(options.count)
            server.stop()
        elif options.store == "sqlite":
            path = str(Path(directory) / "state.sqlite")
            model = Model(lambda: SQLiteStore(path, grant="ours"), options.seed, jumps=options.jumps)
            model.run(options.count)
        else:
            model = Model(MemoryStore, options.seed)
            model.run(options.count)
    print(f"{options.store}: {options.count} operations, {model.granted} granted, {model.refused} refused, all rightly")
    return 0


if __name__ == "__main__":
    sys.exit(main())
