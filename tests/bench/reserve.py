"""What a reserve costs in each store: `python -m tests.bench.reserve`.

In memory and in SQLite the processor time of this thread, so that others on the machine disturb less; with Redis the
time until its answer, as most of it is spent there. Calls are a millisecond apart by the clock that counts, so that
counters are as full as they get.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from intercept.limits import CounterStore
from intercept.limits.memory import MemoryStore
from intercept.limits.redis import RedisStore
from intercept.limits.sqlite import SQLiteStore
from intercept.policy import Charge
from tests.limits.charges import START, charge
from tests.limits.redis_server import RedisServer

from . import budgets
from .budgets import Spread
from .decide import granted, ratio, spread

MOST = 10**9
ONE = (charge(MOST, 60),)
THREE = (charge(MOST, 1, counter="a"), charge(MOST, 60, counter="b"), charge(MOST, 3_600, counter="c"))
"""As a policy gives them: the same objects for each call."""
SPEND = (charge(MOST, 86_400, counter="spend", cost="0.01"),)
LIVE_KEYS = 99_000
AT_ONCE = 1_000
"""Charges of one call, to fill a store with keys."""


@dataclass(frozen=True)
class Subject:
    """A store, and the clock that its reserves are timed by."""

    name: str
    store: CounterStore
    timer: Callable[[], float]

    def case(self, *each: Sequence[Charge]) -> Callable[[int], float]:
        """Reserve for one after the other of `each`; the seconds of one reserve, measured over so many."""
        turn, clock = itertools.cycle(each), itertools.count()

        def timed(calls: int) -> float:
            moments = [START + next(clock) * 0.001 for _ in range(calls)]
            before = self.timer()
            for moment in moments:
                granted(self.store.reserve(next(turn), moment, patience=60))
            return (self.timer() - before) / calls

        return timed

    def keyed(self, counter: str, keys: int) -> Callable[[int], float]:
        """Reserve for some of `keys` values that all count."""
        values = [charge(MOST, 86_400, counter=counter, per=f"={key}") for key in range(keys)]
        for first in range(0, keys, AT_ONCE):
            granted(self.store.reserve(values[first : first + AT_ONCE], START, patience=60))
        return self.case(*([value] for value in values[:: max(1, keys // 1_000)]))


def measure(folder: Path, blocks: int, calls: int = 100, keys: int = LIVE_KEYS) -> dict[str, Spread]:
    """All figures, by name."""
    found: dict[str, Spread] = {}
    with ExitStack() as opened:
        sqlite = opened.enter_context(closing(SQLiteStore(str(folder / "state.sqlite"), grant="ours")))
        server = RedisServer(folder)
        server.start()
        opened.callback(server.stop)
        redis = opened.enter_context(closing(RedisStore(server.url, grant="ours", follows_caller=True)))
        for subject in (
            Subject("memory", MemoryStore(), time.thread_time),
            Subject("SQLite", sqlite, time.thread_time),
            Subject("Redis", redis, time.perf_counter),
        ):
            cases = {
                "one limit": subject.case(ONE),
                "three limits": subject.case(THREE),
                "an amount of money": subject.case(SPEND),
                "one key": subject.keyed("one key", 1),
                "many keys": subject.keyed("many keys", keys),
            }
            samples: dict[str, list[float]] = {name: [] for name in cases}
            for _ in range(blocks):
                for name, case in cases.items():
                    samples[name].append(case(calls))
            for name in ("one limit", "three limits", "an amount of money"):
                found[f"{subject.name}, {name}"] = spread(samples[name], 1e6)
            found[f"{subject.name}, 100,000 live keys to 1"] = ratio(samples["many keys"], samples["one key"])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.reserve", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--blocks", type=int, default=100, metavar="N", help="samples of each figure")
    blocks = parser.parse_args().blocks
    with tempfile.TemporaryDirectory(prefix="reserve-") as folder:
        found = measure(Path(folder), blocks)
    print(budgets.report(budgets.RESERVE, found))


if __name__ == "__main__":
    main()
