"""What: conditions that say with another word what has to hold.

Why: `conditions` means "must hold" in a rule that allows and "applies when" in a rule that denies or asks. `require`
and `when` mean one thing each.

Bad:

    default: deny
    tools:
      refund:
        conditions:  # <--
          - {path: args.amount, op: lte, value: 50}
        rate_limit: 5/hour

Good:

    default: deny
    tools:
      refund:
        require:
          - {path: args.amount, op: lte, value: 50}
        rate_limit: 5/hour
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "prefer-require"
SEVERITY: Final = Severity.INFO
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report `conditions`, but in `deny_if` and beside `state`, where other tools expect them."""
    for rule in subject.rules:
        if rule.written.conditions and "deny_if" not in rule.at and rule.written.state is None:
            word = "when" if rule.written.stops else "require"
            yield Remark(
                (*rule.at, "conditions"), f"in this rule `conditions` means `{word}`", f"write `{word}`", of_key=True
            )
