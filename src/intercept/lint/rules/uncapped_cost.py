"""What: amounts that one call may use up at once.

Why: a limit on the sum lets a single call take all of it, by mistake too. A bound on the amount of one call costs
nothing.

Bad:

    default: deny
    tools:
      create_refund:
        limits: [{max: 500, window: 1h, cost: {from: args.amount}}]  # <--

Good:

    default: deny
    tools:
      create_refund:
        require: [{path: args.amount, op: lte, value: 50}]
        limits: [{max: 500, window: 1h, cost: {from: args.amount}}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...policy import schema
from ...values import parse_path
from ..finding import Confidence, Remark, Severity
from ..subject import Rule, Subject

ID: Final = "uncapped-cost"
SEVERITY: Final = Severity.INFO
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report costs that are read from an argument which nothing bounds."""
    for rule in subject.rules:
        for at, limit in rule.limits:
            cost = schema.Cost() if isinstance(limit, schema.Concurrency) else limit.charge
            if cost.source and not _is_bounded(subject, rule, cost.source):
                yield Remark(
                    (*at, cost.key),
                    f"one call may use up all of it: nothing bounds `{cost.source}`",
                    f"add `require: [{{path: {cost.source}, op: lte, value: ...}}]`",
                )


def _is_bounded(subject: Subject, rule: Rule, source: str) -> bool:
    path = str(parse_path(source))
    for other in subject.covering(rule.kind, rule.entry):
        if other.written.arguments is not None:
            return True
        if any(
            str(each.path) == path and each.op in {"lt", "lte", "gt", "gte", "in", "eq"}
            for each in subject.conditions_of(other)
        ):
            return True
    return False
