"""What: denials that do not tell the model what to do instead.

Why: a model that only hears "denied" tries again or finds a way round. One that is told what works does that.

Bad:

    default: deny
    tools:
      delete_customer: {action: deny}  # <--

Good:

    default: deny
    tools:
      delete_customer: {action: deny, reason: Customers are not deleted. Use archive_customer.}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "silent-denial"
SEVERITY: Final = Severity.INFO
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report denials of one tool without a reason; a broad one can hardly name an alternative."""
    for entry in subject.entries:
        for rule in entry.rules:
            if entry.is_exact and rule.written.denies and not rule.written.reason_given:
                yield Remark(
                    rule.at,
                    f"rule `{rule.name}` denies and gives no reason",
                    "add a `reason` that says what to do instead",
                )
