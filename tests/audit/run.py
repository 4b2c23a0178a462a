"""`python -m tests.audit.run` tries at length what `test_evidence` and `test_reading` try in short."""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Final

from intercept.audit import Arguments
from intercept.audit.reading import files_of, records_of, verify
from intercept.errors import PolicyError
from intercept.policy import load
from intercept.replay import replay

from ..reference.generate import case
from .evidence import Killed, counted, killed
from .manipulation import KINDS, manipulated, places, sample
from .sessions import record

LIVES: Final = 4
"""Proxies that are killed one after the other with one place for their logs."""


def kills(count: int, seed: int, jobs: int) -> int:
    """Proxies that are killed under load, `jobs` at a time; how many left a log that is not what it should be.

    Every other place is one file, which each proxy has to go on with as the one before it left it.
    """

    def lives(place: int) -> list[Killed]:
        found: list[Killed] = []
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            audit = folder / ("audit.jsonl" if place % 2 else "audit")
            for n in range(place * LIVES, min(count, place * LIVES + LIVES)):
                found.append(killed(folder, audit, random.Random(f"{seed}/{n}"), before=len(found)))
                if found[-1].problem:
                    print(f"kill {n} of seed {seed}: {found[-1].problem}")
                    break
        return found

    wrong, tried, total = 0, 0, Counter[str]()
    with ThreadPoolExecutor(jobs) as pool:
        for found in pool.map(lives, range(ceil(count / LIVES))):
            wrong += sum(bool(one.problem) for one in found)
            total.update(received=sum(one.received for one in found), torn=found[-1].torn)
            if tried // 200 != (tried := tried + len(found)) // 200 or tried == count:
                print(f"{tried} killed, {total['received']} calls received, {total['torn']} torn lines", flush=True)
    return wrong + (count - tried)


@contextmanager
def compiled_once() -> Iterator[None]:
    """Every process that is started has its modules compiled already, whatever this one's environment says."""
    with tempfile.TemporaryDirectory() as folder:
        before = dict(os.environ)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def calls(count: int) -> int:
    """One proxy and many calls; 1 if there are not as many records."""
    with tempfile.TemporaryDirectory() as folder:
        found = counted(Path(folder), count)
    print(", ".join(f"{what} {number}" for what, number in sorted(found.items())))
    right = found["decisions"] == count and found["decision allow"] == found["outcomes"] == found["received"]
    return int(not right)


def manipulations(count: int, seed: int) -> int:
    """Logs with one line changed; how many of them were taken for whole, or named another place."""
    wrong, tried = 0, Counter[str]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = sample(folder / "audit", folder)
        (path,) = (folder / "audit").iterdir()
        randomly = random.Random(seed)
        while tried.total() < count:
            kind = KINDS[tried.total() % len(KINDS)]
            data, line = manipulated(lines, kind, randomly)
            if data == b"".join(lines):
                continue
            tried[kind] += 1
            path.write_bytes(data)
            faults = verify([str(path)]).faults
            if len(faults) != 1 or faults[0].line not in places(data, line):
                print(f"{kind} at line {line}: {[str(fault.line) for fault in faults]}")
                wrong += 1
    print(", ".join(f"{kind} {number}" for kind, number in tried.items()))
    return wrong


def replays(count: int, seed: int) -> int:
    """Recorded sessions by their own policy; how many decisions changed."""
    wrong, found = 0, Counter[str]()
    for index in range(count):
        with tempfile.TemporaryDirectory() as name:
            mode = list(Arguments)[index % len(Arguments)]
            try:
                sessions = record(case(seed, index, 40), Path(name), mode)
            except PolicyError:
                continue
            played = replay(records_of(files_of([str(sessions.log)])), load(sessions.policies))
            found.update(calls=played.calls, same=played.same, unknown=len(played.unknown))
            if played.changes:
                print(f"case {index} of seed {seed}, recorded with {mode}: {len(played.changes)} decisions changed")
                wrong += 1
    print(", ".join(f"{what} {number}" for what, number in found.items()))
    return wrong


def main() -> int:
    """Exit code 1 if anything was not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.audit.run", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=2_000)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--manipulations", type=int, default=2_000)
    parser.add_argument("--replays", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="proxies that are killed side by side")
    arguments = parser.parse_args()
    seed = arguments.seed
    trials: dict[str, tuple[int, Callable[[int], int]]] = {
        "manipulations": (arguments.manipulations, lambda count: manipulations(count, seed)),
        "replays": (arguments.replays, lambda count: replays(count, seed)),
        "calls": (arguments.calls, calls),
        "kills": (arguments.kills, lambda count: kills(count, seed, arguments.jobs)),
    }
    wrong = 0
    with compiled_once():
        for what, (count, tried) in trials.items():
            if count:
                failed = tried(count)
                print(f"{count} {what}: {failed} not as they should be", flush=True)
                wrong += failed
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
