"""What every store that outlives a process has beside the port: who holds what, for how long, and what is told of it.

A state store is opened for one grant. Counters of scope `grant` are those of that grant, all others are everybody's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Final, NamedTuple, Protocol, assert_never

from ..hashes import blake2_of
from ..policy.model import CalendarWindow, Charge, InFlight, Scope, Unit, Window
from ..state import is_server
from . import CounterStore, Refused
from .windows import EXACT

LEASE: Final = 30.0
"""Seconds that a place in flight is held without being renewed: after that, the process that held it is gone."""
RENEW_EVERY: Final = 10.0
"""Seconds between two calls of `StateStore.renew`."""
AT_ONCE: Final = 0.005
"""Seconds that giving back may wait for others; then it is done later."""
MAX_UNDONE: Final = 10_000
"""Counters to be given back later that are kept; of more, what was charged stays charged."""


class Use(NamedTuple):
    """What one counter holds, for one of its `per` values."""

    counter: str
    """As the policy names it, or the rule's name."""
    policy: str
    """The file that the counter belongs to, as it is known over restarts."""
    scope: Scope
    grant: str
    """Whose counter it is; empty if it is everybody's."""
    window: Window | CalendarWindow | InFlight
    per: str
    """The paths whose values are counted apart, separated by spaces; empty if none are."""
    value: str
    """The value of these paths, as the last part of `Charge.key`."""
    shadow: bool
    max: Decimal
    """As it was when the counter was last charged by a process that had just begun to use it."""
    used: Decimal
    next_free: float | None
    """When some of it is free again, in seconds since the epoch; None if that depends on calls in flight."""
    all_free: float | None
    """When all of it is."""

    @property
    def left(self) -> Decimal:
        """What more fits."""
        return max(Decimal(0), EXACT.subtract(self.max, self.used))


class StateStore(CounterStore, Protocol):
    """A counter store that several processes share."""

    def look(self, charges: Sequence[Charge], now: float, *, patience: float) -> Refused | None:
        """What `reserve` would refuse, without charging anything; it raises the same."""
        ...

    def renew(self, now: float) -> None:
        """Say that this process lives, so that its calls in flight keep their places. To be called every `RENEW_EVERY`.

        May wait, so not to be called where messages are moved. Raises nothing: what cannot be done now is done with the
        next call.
        """
        ...

    def uses(self, now: float) -> Sequence[Use]:
        """All counters that hold something, of whatever grant.

        Raises:
            StoreBusy, StoreUnavailable: they cannot be read.
        """
        ...

    def reset(self, chosen: Callable[[Use], bool], who: str, now: float) -> Sequence[Use]:
        """Empty the counters for which `chosen` is true, and record that `who` did it. Return what they held.

        Raises:
            StoreBusy, StoreUnavailable: nothing was changed.
        """
        ...

    def histories(self) -> Mapping[str, AbstractSet[str]]:
        """What was answered, by grant (see `CounterStore.answered`).

        Raises:
            StoreBusy, StoreUnavailable: it cannot be read.
        """
        ...

    def forget(self, who: str, now: float) -> int:
        """Forget what was answered to the grant, and record that `who` did it. Return how many tools were kept.

        Raises:
            StoreBusy, StoreUnavailable: nothing was changed.
        """
        ...

    def close(self) -> None:
        """Free what this process holds in flight, and the store. Raises nothing; the store can be used again."""
        ...


def open_state(place: str, *, grant: str) -> StateStore:
    """The store at `place`, which is a URL of Redis or Valkey or the path of a file. It is opened when it is needed.

    Raises:
        UsageError: there cannot be one.
    """
    if is_server(place):
        from .redis import RedisStore

        return RedisStore(place, grant=grant)
    from .sqlite import SQLiteStore

    return SQLiteStore(place, grant=grant)


def identity(charge: Charge, grant: str) -> bytes:
    """A short name for the counter that `charge` counts against, whatever its `per` values."""
    owner = [charge.scope, grant] if charge.scope is Scope.GRANT else [charge.scope]
    return blake2_of(json.dumps([*owner, *charge.key[:-1]]).encode(), 16)


def described(charge: Charge, grant: str) -> str:
    """What `Use` tells of a counter, as a text to be kept beside it."""
    match charge.window:
        case Window(seconds, text):
            window: dict[str, object] = {"seconds": seconds, "text": text}
        case CalendarWindow(unit, timezone, text):
            window = {"unit": unit, "timezone": timezone, "text": text}
        case InFlight(text):
            window = {"text": text}
        case _:
            assert_never(charge.window)
    return json.dumps(
        {
            "counter": charge.counter,
            "policy": charge.key[0],
            "scope": charge.scope,
            "grant": grant if charge.scope is Scope.GRANT else "",
            "window": window,
            "per": charge.key[-2],
            "shadow": charge.shadow,
            "max": str(charge.max),
        },
        sort_keys=True,
    )


def use_of(about: str, value: str, used: Decimal, ends: tuple[int, int] | None) -> Use:
    """A counter that was `described`, and what it holds; `ends` is when the first and the last entry stop to count.

    Raises:
        ValueError, KeyError, TypeError: `about` is not what `described` gave.
    """
    kept = json.loads(about)
    window = kept["window"]
    if "seconds" in window:
        length: Window | CalendarWindow | InFlight = Window(window["seconds"], window["text"])
    elif "unit" in window:
        length = CalendarWindow(Unit(window["unit"]), window["timezone"], window["text"])
    else:
        length = InFlight(window["text"])
    return Use(
        kept["counter"],
        kept["policy"],
        Scope(kept["scope"]),
        kept["grant"],
        length,
        kept["per"],
        value,
        kept["shadow"],
        Decimal(kept["max"]),
        used,
        None if ends is None else ends[0] / 1e6,
        None if ends is None else ends[1] / 1e6,
    )
