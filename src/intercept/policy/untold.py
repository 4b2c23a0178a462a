"""Deciding about a call of which not everything is known: what holds whatever the rest is. Pure.

A record of a call may lack its arguments. Many rules do not look at them: what these say is known. A rule counts as
looking at something only if it does so for this call, so that one whose `after` does not hold is known not to apply.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from functools import partial
from typing import TypeVar

from ..values import Untold
from .evaluate import Policy, PolicySet, combine
from .model import Charge, Circumstances, Decision, Effect, ToolCall
from .rules import Rule


class AsFarAsKnown(PolicySet):
    """A policy for one call whose arguments or annotations may be `Untold`.

    What it decides is what the rules say that do not look there. `open` tells whether others could refuse what it
    allows; of their limits those are charged that are known to have been (`charged`, names of counters).
    """

    def __init__(self, policy: PolicySet, charged: AbstractSet[str]) -> None:
        super().__init__(policy.policies, policy.digest)
        self._charged = charged
        self.open = False

    def evaluate(self, call: ToolCall, circumstances: Circumstances) -> Decision:
        """Decide `call` as far as it is known."""
        decisions = [self._partly(policy, call, circumstances) for policy in self.policies]
        return decisions[0] if len(decisions) == 1 else self.joined(call.name, decisions)

    def _partly(self, policy: Policy, call: ToolCall, circumstances: Circumstances) -> Decision:
        if call.kind not in policy.sections:
            return Decision(Effect.ALLOW, call.name, (), "", policy.digest)
        plan = policy.plan(call.kind, call.name)
        if plan.decision is not None:
            return policy.shadowed(plan.decision) if policy.shadow else plan.decision
        known: list[Rule] = []
        charges: list[Charge] = []
        for rule in plan.rules:
            said, looked = _said(partial(rule.judge, call, circumstances), call, circumstances)
            # What a schema looks at cannot be seen; a rule that refuses before that is known to.
            if not looked and (rule.arguments is None or not isinstance(said, tuple)):
                known.append(rule)
                continue
            self.open = self.open or not (rule.shadow or policy.shadow)
            for limit in rule.limits:
                if limit.template.counter in self._charged:
                    made, looked = _said(partial(limit.charges, call, circumstances), call, circumstances)
                    charges += made if isinstance(made, tuple) and not looked else ()
        decision = combine(known, call, circumstances, policy.digest)
        if decision.effect is not Effect.DENY:
            decision = decision._replace(charges=decision.charges + tuple(charges))
        return policy.shadowed(decision) if policy.shadow else decision


_Said = TypeVar("_Said")


def _said(ask: Callable[[], _Said], call: ToolCall, circumstances: Circumstances) -> tuple[_Said, bool]:
    """What `ask` says, and whether it looked at what is not known."""
    untold = [one for one in (call.arguments, circumstances.annotations) if isinstance(one, Untold)]
    for one in untold:
        one.looked = False
    said = ask()
    return said, any(one.looked for one in untold)
