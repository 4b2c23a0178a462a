"""Many processes that share one store, some of which are killed while they use it.

`python -m tests.limits.processes --store redis --calls 2000 --kill-every 0.1` does it as often as is asked for.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from random import Random

from intercept.errors import StoreBusy
from intercept.limits import Granted
from intercept.limits.sqlite import SQLiteStore
from intercept.limits.state import StateStore

from .charges import START, charge

PATIENT = 60.0
"""Seconds: nobody is refused for having to wait."""


def opened(place: str) -> StateStore:
    """A store as one process has it; the time is the same for all of them."""
    if place.startswith("unix:"):
        from intercept.limits.redis import RedisStore

        return RedisStore(place, grant="ours", follows_caller=True)
    return SQLiteStore(place, grant="ours")


def work(place: str, calls: int, limit: str) -> None:
    """What each process does: it says what was granted before it asks again."""
    charges = [charge(limit, 3_600), charge(10**9, 3_600, counter="spend", cost="0.1")]
    with closing(opened(place)) as store:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        for _ in range(calls):
            while True:
                try:
                    answer = store.reserve(charges, START, patience=PATIENT)
                    break
                except StoreBusy:
                    continue
            if isinstance(answer, Granted):
                sys.stdout.write("+")
                sys.stdout.flush()
    sys.stdout.write(".")


class Crowd:
    """`many` processes on the store at `place`, each of which makes `calls` calls that `limit` is for together."""

    def __init__(self, place: str, many: int, calls: int, limit: int) -> None:
        self._place = place
        self._command = [sys.executable, "-m", "tests.limits.processes", "--work", place]
        self._command += ["--calls", str(calls), "--limit", str(limit)]
        self._running = [self._another() for _ in range(many)]
        self.reported = 0
        """Calls that a process says were granted."""
        self.killed = 0

    def run(self, kill_every: float | None = None, most: int | None = None) -> Decimal:
        """Let all begin at once, and return what the store has counted when all have ended.

        With `kill_every`, one is killed after so many seconds again and again, and another one comes in its place;
        after `most` of them all are killed, and without it those that are left may end.
        """
        random = Random(self._place)
        for process in self._running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in self._running:
            _go(process)
        while kill_every is not None and self.killed < (most or 40):
            time.sleep(kill_every)
            victim = self._running.pop(random.randrange(len(self._running)))
            victim.kill()
            self.killed += 1
            self._end(victim)
            self._running.append(self._another())
            _go(self._running[-1])
        for process in self._running:
            if most is not None:
                process.kill()
                self.killed += 1
                self._end(process)
            else:
                assert self._end(process).endswith(".")
        with closing(opened(self._place)) as store:
            uses = {use.counter: use.used for use in store.uses(START)}
        # What one call charges it charges together.
        assert uses["spend"] * 10 == uses["calls"]
        return uses["calls"]

    def _another(self) -> subprocess.Popen[str]:
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def _end(self, process: subprocess.Popen[str]) -> str:
        said, _ = process.communicate()
        self.reported += said.count("+")
        return said


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def in_a_place(kind: str, use: Callable[[str], None]) -> None:
    """Give `use` a store that nothing else uses."""
    with tempfile.TemporaryDirectory(prefix="crowd-") as directory:
        if kind == "sqlite":
            use(str(Path(directory) / "state.sqlite"))
            return
        from .redis_server import RedisServer

        server = RedisServer(Path(directory))
        server.start()
        try:
            use(server.url)
        finally:
            server.stop()


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--store", choices=["sqlite", "redis"], default="sqlite")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--limit", type=int, default=10_000)
    parser.add_argument("--kill-every", type=float, help="seconds between two kills")
    parser.add_argument("--work", metavar="PLACE", help="be one of the processes")
    options = parser.parse_args()
    if options.work:
        work(options.work, options.calls, str(options.limit))
        return 0

    def use(place: str) -> None:
        crowd = Crowd(place, options.processes, options.calls, options.limit)
        began = time.monotonic()
        counted = crowd.run(options.kill_every)
        took = time.monotonic() - began
        print(
            f"{options.store}: {crowd.reported} granted, {counted} counted, limit {options.limit}, "
            f"{crowd.killed} processes killed, {took:.1f} s"
        )

    in_a_place(options.store, use)
    return 0


if __name__ == "__main__":
    sys.exit(main())
