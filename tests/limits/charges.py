"""Charges to reserve, and what a reservation has to answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from intercept.limits import CounterStore, Granted, Refused
from intercept.policy import CalendarWindow, Charge, InFlight, RuleRef, Scope, Window

START = 1_800_000_000.0


def at(moment: str) -> float:
    """Seconds since the epoch, from ISO 8601 with an offset."""
    return datetime.fromisoformat(moment).timestamp()


def charge(
    max_: float | str = 30,
    window: float | CalendarWindow | InFlight = 60,
    *,
    cost: float | str = 1,
    counter: str = "calls",
    per: str = "",
    shadow: bool = False,
) -> Charge:
    return Charge(
        key=("policy.yaml", "session, shadow" if shadow else "session", counter, str(window), "", per),
        counter=counter,
        scope=Scope.SESSION,
        max=Decimal(str(max_)),
        window=Window(float(window), "window") if isinstance(window, int | float) else window,
        cost=Decimal(str(cost)),
        rule=RuleRef(counter, "policy.yaml", 1),
        shadow=shadow,
    )


def used_up(store: CounterStore, charges: Sequence[Charge], now: float) -> tuple[str, float | None]:
    """The counter that refuses, and the time to wait."""
    answer = store.reserve(charges, now, patience=5)
    assert isinstance(answer, Refused), answer
    return answer.charge.counter, answer.retry_after


def passes(store: CounterStore, charges: Sequence[Charge], now: float) -> Granted:
    answer = store.reserve(charges, now, patience=5)
    assert isinstance(answer, Granted), answer
    return answer
