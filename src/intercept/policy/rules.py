"""Compiled rules and limits: what one rule says about one call.

A rule is satisfied, and may ask for charges, or it refuses; it knows nothing about other rules or about how their
answers combine (`evaluate` does).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import product
from math import prod
from typing import Final, NamedTuple, TypeAlias

from ..hashes import sha256_of
from ..values import Gap, Json, canonical_text, number
from . import reasons
from .conditions import Condition, all_hold
from .model import Asking, Charge, Circumstances, Effect, RuleRef, ToolCall
from .names import Names
from .operators import Verdict
from .reading import Reading

MAX_CHARGES: Final = 1_000
"""Values that one call may bring for one limit; a list that is longer is refused, because each is counted."""
_LONGEST_KEY: Final = 64
"""Characters of a `per` value that are kept as they are; a longer one is kept as its digest."""

Outcome: TypeAlias = "tuple[Charge, ...] | RuleRef | None"
"""Satisfied, with what it charges; or the rule as it refuses; or None, because it does not apply."""


class Limit(NamedTuple):
    """A limit of one rule."""

    template: Charge
    """What is charged if neither `per` nor `cost` looks at the call; the last part of its key stands for `per`."""
    per: tuple[Reading, ...] = ()
    cost: Reading | None = None

    @property
    def is_fixed(self) -> bool:
        """Whether the charges depend on the name of the tool alone."""
        return self.cost is None and all(reading.is_fixed for reading in self.per)

    def charges(self, call: ToolCall, circumstances: Circumstances) -> tuple[Charge, ...] | str:
        """What `call` is charged, or the sentence that refuses it because that cannot be known."""
        cost = self.template.cost
        if self.cost is not None:
            amount = number(self.cost.one(call, circumstances))
            if amount is None or amount < 0:
                return reasons.no_amount(self.template.rule.name, self.cost.path.text)
            cost = Decimal(amount)
        if not self.per:
            return (self.template if self.cost is None else self._charge(self.template.key, cost),)
        found = [reading.each(call, circumstances) for reading in self.per]
        for reading, values in zip(self.per, found, strict=True):
            if any(isinstance(value, Gap) for value in values):
                return reasons.uncounted(self.template.rule.name, reading.path.text)
        if prod(map(len, found)) > MAX_CHARGES:
            return reasons.too_many(self.template.rule.name, self.per[0].path.text)
        counter = self.template.key[:-1]
        keys = dict.fromkeys(_per_key(values) for values in product(*found))
        return tuple(self._charge((*counter, key), cost) for key in keys)

    def _charge(self, key: tuple[str, ...], cost: Decimal) -> Charge:
        # Written out: `_replace` takes twice as long, and this is made for each call.
        model = self.template
        return Charge(
            key,
            model.counter,
            model.scope,
            model.max,
            model.window,
            cost,
            model.rule,
            model.on_deny,
            model.shadow,
            model.cost_path,
        )


def _per_key(values: tuple[Json | Gap, ...]) -> str:
    text = ",".join(map(canonical_text, values))
    if len(text) <= _LONGEST_KEY:
        return f"={text}"
    return f"#{sha256_of(text.encode())}"


class Requirement(NamedTuple):
    """A condition that must hold."""

    condition: Condition
    on_deny: str = ""


class Rule(NamedTuple):
    """One rule of a policy."""

    ref: RuleRef
    denies: bool = False
    asks: Asking | None = None
    """Satisfied, it still wants a person to agree, who is asked so."""
    on_deny: str = ""
    shadow: bool = False
    when: tuple[Condition, ...] = ()
    after: Names | None = None
    after_in_grant: bool = False
    """What was answered in other sessions of the grant counts for `after`, too."""
    require: tuple[Requirement, ...] = ()
    arguments: Callable[[dict[str, Json]], bool] | None = None
    limits: tuple[Limit, ...] = ()

    @property
    def has_fixed_gate(self) -> bool:
        """Whether it depends on the name of the tool alone if the rule applies."""
        return self.after is None and all(condition.is_fixed for condition in self.when)

    @property
    def is_fixed(self) -> bool:
        """Whether all that the rule says depends on the name of the tool alone."""
        return (
            self.has_fixed_gate
            and self.arguments is None
            and all(requirement.condition.is_fixed for requirement in self.require)
            and all(limit.is_fixed for limit in self.limits)
        )

    def gate(self, call: ToolCall, circumstances: Circumstances) -> Verdict:
        """Whether the rule applies to `call` at all."""
        if self.after is not None and not self._was_answered(self.after, circumstances):
            return False
        return all_hold(self.when, call, circumstances) if self.when else True

    def _was_answered(self, after: Names, circumstances: Circumstances) -> bool:
        answered, before = circumstances.answered, circumstances.grant_answered
        if answered is None or after.meet(answered):
            return True
        return self.after_in_grant and (before is None or after.meet(before))

    def judge(self, call: ToolCall, circumstances: Circumstances) -> Outcome:
        """What this rule says about `call`. Whatever goes wrong in here refuses the call."""
        try:
            return self._judge(call, circumstances)
        except Exception:  # noqa: BLE001  # what cannot be evaluated denies, whatever the reason (POLICY section 3)
            return self._refusal(reasons.failed(self.ref.name))

    def request(self) -> RuleRef:
        """The rule as it asks for approval."""
        return self.ref._replace(effect=Effect.ASK, reason=self.on_deny or reasons.asked(self.ref.name))

    def _judge(self, call: ToolCall, circumstances: Circumstances) -> Outcome:
        applies = self.gate(call, circumstances)
        if applies is None:
            return self._refusal(reasons.unclear(self.ref.name, self.when, call, circumstances))
        if not applies:
            return None
        if self.denies:
            return self._refusal(reasons.denied(self.ref.name))
        for requirement in self.require:
            condition = requirement.condition
            holds = condition.holds(call, circumstances)
            if not holds:
                reason = (
                    reasons.unclear(self.ref.name, (condition,), call, circumstances)
                    if holds is None
                    else (reasons.unmet(self.ref.name, condition, call, circumstances))
                )
                return self._refusal(reason, requirement.on_deny)
        if self.arguments is not None and not self.arguments(call.arguments):
            return self._refusal(reasons.bad_arguments(self.ref.name))
        charges: tuple[Charge, ...] = ()
        for limit in self.limits:
            made = limit.charges(call, circumstances)
            if isinstance(made, str):
                return self._refusal(made)
            charges += made
        return charges

    def _refusal(self, reason: str, on_deny: str = "") -> RuleRef:
        return self.ref._replace(effect=Effect.DENY, reason=on_deny or self.on_deny or reason)
