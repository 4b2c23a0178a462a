"""What a store gives for charges that were all made.

Every call with limits makes these, so they are plain classes: a named tuple is made by interpreted code, also where the
module around it is compiled.
"""

from __future__ import annotations

from typing import Final

from ..policy.model import Charge, Exhausted, InFlight


class Made:
    """What one counter was charged."""

    __slots__ = ("charge", "end")

    def __init__(self, charge: Charge, end: int) -> None:
        self.charge: Final = charge
        """That of the highest cost, if the call named the counter more than once."""
        self.end: Final = end
        """When it stops to count, in microseconds of the store's own count."""


class Granted:
    """All charges of one call were made."""

    __slots__ = ("charges", "made", "shadow")

    def __init__(self, charges: tuple[Charge, ...], made: tuple[Made, ...], shadow: tuple[Exhausted, ...] = ()) -> None:
        self.charges: Final = charges
        """As they were asked for."""
        self.made: Final = made
        """What each counter was charged, for the store itself."""
        self.shadow: Final = shadow
        """Shadow limits that would have refused the call; none of its shadow charges was made then."""

    @property
    def holds(self) -> bool:
        """Whether something is to be freed when the call has ended."""
        for charge in self.charges:  # noqa: SIM110 - compiled, a generator takes longer than all the rest
            if isinstance(charge.window, InFlight):
                return True
        return False

    def in_flight(self) -> list[Made]:
        """What that is."""
        return [made for made in self.made if isinstance(made.charge.window, InFlight)]
