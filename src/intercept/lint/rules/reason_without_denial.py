"""What: rules that give a reason for a denial and never deny.

Why: `reason` and `on_deny` are the sentence for a call that is refused. A rule that has nothing else allows every
call, and its author believes that it refuses them.

Bad:

    default: deny
    tools:
      delete_customer:
        reason: Customers are not deleted. Use archive_customer.  # <--

Good:

    default: deny
    tools:
      delete_customer:
        action: deny
        reason: Customers are not deleted. Use archive_customer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "reason-without-denial"
SEVERITY: Final = Severity.ERROR
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report reasons in rules that refuse nothing."""
    for rule in subject.rules:
        if rule.written.reason_given and not rule.can_refuse:
            key = "reason" if rule.written.reason else "on_deny"
            message = f"rule `{rule.name}` has a reason for denying and denies nothing"
            yield Remark((*rule.at, key), message, "write `action: deny` beside it, or take it out", of_key=True)
