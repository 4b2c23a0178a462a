"""Counters: the port through which a decision's charges are reserved, and what comes back.

What a limit means is in POLICY section 5; every store keeps the one contract of `tests/limits/test_contract.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..policy.model import Charge, Exhausted

__all__ = ["CounterStore", "Granted", "Refused"]


@dataclass(frozen=True, slots=True)
class Granted:
    """All charges of one call were made."""

    charges: tuple[Charge, ...]
    """As they were asked for."""
    stamp: float
    """The time they were made at, in the store's own count; for `release`."""
    shadow: tuple[Exhausted, ...] = ()
    """Shadow limits that would have refused the call; none of its shadow charges was made then."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A limit is used up, and nothing was charged."""

    charge: Charge
    """The one of the call's charges that has to wait longest."""
    retry_after: float | None
    """Seconds until all charges fit; None: they never can, because a cost is above its `max`."""


class CounterStore(Protocol):
    """Keeps what was charged. Thread-safe."""

    def reserve(self, charges: Sequence[Charge], now: float) -> Granted | Refused:
        """Make all `charges`, or none.

        Charges with one key are one charge of the highest cost, and have to fit under every `max` named for it.
        Shadow charges never refuse; they are made together, or not at all, if the others were made. `now` is in
        seconds; a time before one that was already given counts as that one.
        """
        ...

    def release(self, granted: Granted) -> None:
        """Give back what the call was charged, because it never reached the upstream. Once for each `Granted`."""
        ...
