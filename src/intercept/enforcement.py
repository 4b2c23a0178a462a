"""What a decision obliges us to do, in one place: evaluate, look at limits, and say yes or no.

The only way for a tool call to become allowed is through `Enforcer.admit`. Whatever goes wrong in here denies the call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, assert_never

from .limits import CounterStore, Refused
from .policy import CalendarWindow, Circumstances, Decision, Effect, Exhausted, InFlight, Window
from .session import Judge

PATIENCE: Final = 0.005
"""Seconds that a store may take on a thread that moves messages."""


class Enforcer:
    """Decides about uses of tools, resources and prompts, and charges the limits that they count against.

    `clock` gives seconds since the epoch and never runs backwards while the process lives. Thread-safe as far as
    `store` is.
    """

    def __init__(self, store: CounterStore, *, grant: str, clock: Callable[[], float]) -> None:
        self._store = store
        self._grant = grant
        self._clock = clock

    def admit(self, judge: Judge) -> Decision:
        """Decide about `judge`: all of its uses have to be allowed and all their limits to hold, or none is charged.

        What a person has to agree to is charged once that has happened; a limit that is used up refuses it before
        anybody is bothered (POLICY section 3 step 6).
        """
        now = self._clock()
        circumstances = Circumstances(now, self._grant, judge.annotations, judge.answered)
        policy = judge.policy
        decision = (
            policy.evaluate(judge.uses[0], circumstances)
            if len(judge.uses) == 1
            else _together([policy.evaluate(use, circumstances) for use in judge.uses])
        )
        if decision.effect is Effect.DENY or not decision.charges:
            return decision
        granted = self._store.reserve(decision.charges, now, patience=PATIENCE)
        if isinstance(granted, Refused):
            return refused(decision, granted)
        if decision.effect is Effect.ASK:
            self._store.release(granted)
            return decision
        if granted.shadow:
            rules = tuple(exhausted.charge.rule for exhausted in granted.shadow)
            return replace(decision, shadow=decision.shadow + rules)
        return decision


def _together(decisions: list[Decision]) -> Decision:
    """All of `decisions` as one: the first denial, or what all of them ask for."""
    for decision in decisions:
        if decision.effect is Effect.DENY:
            return decision
    strongest = [decision for decision in decisions if decision.effect is Effect.ASK] or decisions
    return replace(
        strongest[0],
        rules=tuple(rule for decision in strongest for rule in decision.rules),
        charges=tuple(charge for decision in decisions for charge in decision.charges),
        shadow=tuple(rule for decision in decisions for rule in decision.shadow),
    )


def refused(decision: Decision, refusal: Refused) -> Decision:
    """`decision`, which did not deny a call, as the denial that a used-up limit makes of it."""
    charge = refusal.charge
    reason = charge.on_deny or _used_up(decision.tool, refusal)
    return replace(
        decision,
        effect=Effect.DENY,
        rules=(replace(charge.rule, effect=Effect.DENY, reason=reason),),
        reason=reason,
        charges=(),
        exhausted=Exhausted(charge, refusal.retry_after),
    )


def _used_up(tool: str, refusal: Refused) -> str:
    charge = refusal.charge
    match charge.window:
        case InFlight(text):
            limit = f"limit of {charge.max:f} {text}"
        case Window(_, text) | CalendarWindow(_, _, text):
            limit = f"limit of {charge.max:f}{' calls' if charge.cost == 1 else ''} per {text}"
        case _:
            assert_never(charge.window)
    if refusal.retry_after is None:
        return f"the call is above the {limit} for `{tool}` and can never pass."
    return f"{limit} for `{tool}` is used up."
