"""Counters: the port through which a decision's charges are reserved, and what comes back.

What a limit means is in POLICY section 5; every store keeps the one contract of `tests/limits/test_contract.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Final, NamedTuple, Protocol

from ..policy.model import Charge
from .granted import Granted, Made

__all__ = ["MAX_ANSWERED", "CounterStore", "Granted", "Made", "Refused", "merged"]

MAX_ANSWERED: Final = 10_000
"""Names of tools that are kept of a grant's answers; of more, every one counts as answered."""


class Refused(NamedTuple):
    """A limit is used up, and nothing was charged."""

    charge: Charge
    """The one of the call's charges that has to wait longest."""
    retry_after: float | None
    """Seconds until all charges fit; None: they never can, because a cost is above its `max`. Where a call in flight
    has to end first, when to ask again."""
    left: Decimal
    """What the counter of `charge` has left, 0 or more; 0 where it counts as many `per` values as it can."""


def merged(charges: Sequence[Charge]) -> Sequence[Charge]:
    """`charges` with one for each key, that of the highest cost."""
    if len(charges) < 2:
        return charges
    highest: dict[tuple[str, ...], Charge] = {}
    for charge in charges:
        other = highest.get(charge.key)
        if other is None or charge.cost > other.cost:
            highest[charge.key] = charge
    return list(highest.values())


class CounterStore(Protocol):
    """Keeps what was charged. Thread-safe."""

    def reserve(self, charges: Sequence[Charge], now: float, *, patience: float) -> Granted | Refused:
        """Make all `charges`, or none.

        Charges with one key are one charge of the highest cost, and have to fit under every `max` named for it.
        Shadow charges never refuse; they are made together, or not at all, if the others were made. `now` is in
        seconds since the epoch; a time before one that was already given counts as that one. `patience` is how many
        seconds this may take where it has to wait for others.

        Raises:
            StoreBusy: it takes longer than that. Nothing was charged.
            StoreUnavailable: the store cannot be used.
        """
        ...

    def release(self, granted: Granted) -> None:
        """Give back what the call was charged, because it never reached the upstream.

        For each `Granted` at most one of this and `finish` is called, once. Neither raises: where the store cannot be
        reached it is done later, and if that is too late, what was charged stays charged.
        """
        ...

    def finish(self, granted: Granted) -> None:
        """Free what the call held while it was in flight, because it has ended; all else stays charged."""
        ...

    def answered(self, *, patience: float) -> AbstractSet[str] | None:
        """The tools that were answered in any session of the grant, of those that were kept.

        None: there are more than `MAX_ANSWERED`. Raises as `reserve` does.
        """
        ...

    def remember_answered(self, tool: str, *, patience: float) -> None:
        """Keep that `tool` was answered, until an operator takes it out. Raises as `reserve` does."""
        ...
