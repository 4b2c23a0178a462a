"""What: rules that no test of the policy decides.

Why: a rule that was never seen to decide may never do so: its name, its path or its condition may be wrong.

Bad:

    default: deny
    tools:
      list_orders: {}
      refund:
        rate_limit: 5/hour  # <--
    tests:
      - calls: [{tool: list_orders, expect: allow}]

Good:

    default: deny
    tools:
      list_orders: {}
      refund:
        rate_limit: 5/hour
    tests:
      - calls: [{tool: refund, expect: allow}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "untested-rule"
SEVERITY: Final = Severity.INFO
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report them where the policy has tests; one without any has a finding of its own."""
    if not subject.file.tests:
        return
    uncovered = {(ref.name, ref.line) for ref in subject.uncovered}
    for rule in subject.rules:
        if (rule.name, subject.document.position(rule.at)[0]) in uncovered:
            yield Remark(rule.at, f"no test decides rule `{rule.name}`", "add a call to `tests` that this rule decides")
