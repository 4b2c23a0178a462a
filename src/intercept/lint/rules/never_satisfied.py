"""What: requirements that no call can meet.

Why: every requirement of every rule that applies has to hold. Two that exclude each other deny every call, and a
policy that refuses what it was to allow is switched off sooner or later.

Bad:

    default: deny
    tools:
      refund:
        require:
          - {path: args.currency, op: eq, value: EUR}
          - {path: args.currency, op: eq, value: USD}  # <--
        rate_limit: 5/hour

Good:

    default: deny
    tools:
      refund:
        require: [{path: args.currency, op: in, value: [EUR, USD]}]
        rate_limit: 5/hour
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..clash import clashing
from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "never-satisfied"
SEVERITY: Final = Severity.ERROR
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report the requirement that cannot hold beside another one, in whichever rule for the same tool that is."""
    for rule in subject.rules:
        others = [each for each in subject.covering(rule.kind, rule.entry) if each.is_ungated and each is not rule]
        required = [
            each
            for one in (*others, rule)
            for each in subject.conditions_of(one)
            if each.requires and not each.optional
        ]
        for condition, because in clashing(required):
            if condition.rule is rule:
                yield Remark(
                    condition.at,
                    f"no call can satisfy rule `{rule.name}`: {because}",
                    "alternatives are written as one condition `any: [...]`, or with `in`",
                )
