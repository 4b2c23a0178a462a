"""What: long limits that a new session sets back to nothing.

Why: scope `session`, which is the default, counts for one run of the client. Whoever starts the client again has the
whole day's allowance again. Limits of more than an hour belong to the grant.

Bad:

    default: deny
    tools:
      create_refund:
        limits: [{max: 500, window: day, cost: {from: args.amount}}]  # <--

Good:

    default: deny
    tools:
      create_refund:
        limits: [{max: 500, window: day, cost: {from: args.amount}, scope: grant}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...policy import schema
from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "session-window"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.HIGH

_HOUR: Final = 3600


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report limits of scope `session` with a window of more than an hour."""
    for rule in subject.rules:
        for at, limit in rule.limits:
            # A `state` counter of Intercept 1.x is kept for the grant; `per: args` breaks loops within a session.
            if not isinstance(limit, schema.Limit) or limit.scope != "session" or limit.per == ["args"]:
                continue
            if limit.window.seconds > _HOUR:
                yield Remark(
                    (*at, "window"),
                    f"a new session starts this `{limit.window.text}` anew",
                    "add `scope: grant`, or limit by the hour",
                )
