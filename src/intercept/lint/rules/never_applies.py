"""What: rules whose conditions can never hold together.

Why: a rule applies only while all of its `when` holds. If two of them exclude each other the rule is never used, and
what it was to refuse passes. The usual slip is an "or" that was written as a list: use `any`.

Bad:

    default: deny
    tools:
      deploy:
        action: deny
        when:
          - {path: now.hour, op: lt, value: 9}
          - {path: now.hour, op: gte, value: 17}  # <--

Good:

    default: deny
    tools:
      deploy:
        action: deny
        when:
          - any:
              - {path: now.hour, op: lt, value: 9}
              - {path: now.hour, op: gte, value: 17}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..clash import clashing
from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "never-applies"
SEVERITY: Final = Severity.ERROR
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report the condition that cannot hold beside those before it."""
    for rule in subject.rules:
        # One element of a list may satisfy one condition and another the next.
        gates = [each for each in subject.conditions_of(rule) if not each.requires and not each.path.is_plural]
        for condition, because in clashing(gates):
            yield Remark(
                condition.at,
                f"rule `{rule.name}` never applies: {because}",
                "alternatives are written as one condition `any: [...]`",
            )
