"""What: limits that count nothing.

Why: a call that costs 0 never uses a limit up.

Bad:

    default: deny
    tools:
      send_message:
        limits: [{max: 10, window: 1m, cost: 0}]  # <--

Good:

    default: deny
    tools:
      send_message:
        limits: [{max: 10, window: 1m, cost: 1}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...policy import schema
from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "zero-cost"
SEVERITY: Final = Severity.ERROR
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report costs of 0; in `state` of Intercept 1.x that is the same as left out."""
    for rule in subject.rules:
        for at, limit in rule.limits:
            if isinstance(limit, schema.Limit) and not limit.charge.source and limit.charge.amount == 0:
                yield Remark(
                    (*at, limit.charge.key),
                    "a call costs nothing, so this limit is never used up",
                    "leave it out to count calls",
                )
