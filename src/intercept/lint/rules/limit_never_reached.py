"""What: limits that another limit of the same rule or entry always reaches first.

Why: where 10 calls a minute are allowed, 1000 calls an hour can never be made. The looser limit does nothing; one of
the two numbers is not what was meant.

Bad:

    default: deny
    tools:
      search:
        limits:
          - {max: 10, window: 1m}
          - {max: 1000, window: 1h}  # <--

Good:

    default: deny
    tools:
      search:
        limits:
          - {max: 10, window: 1m}
          - {max: 100, window: 1h}
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

from ...policy import schema
from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "limit-never-reached"
SEVERITY: Final = Severity.INFO
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report limits that count calls, by the number of windows of another one that make up theirs."""
    for entry in subject.entries:
        rules = [rule for rule in entry.rules if rule.is_ungated and rule.is_enforced]
        limits = [
            (at, limit)
            for rule in rules
            for at, limit in rule.limits
            if isinstance(limit, schema.Limit) and _is_plain(limit)
        ]
        for at, limit in limits:
            for _, other in limits:
                windows = ceil(limit.window.seconds / other.window.seconds)
                counts_as_much = other.scope in (limit.scope, "grant") and other.window != limit.window
                if counts_as_much and windows * other.max <= limit.max:
                    most = f"{windows * other.max} in `{limit.window.text}`"
                    message = f"never reached: at most {other.max} in `{other.window.text}` are {most}"
                    yield Remark(at, message, "lower `max`, or take the limit out")
                    break


def _is_plain(limit: schema.Limit) -> bool:
    # A counter of another name may count the calls of other rules, too.
    return not (limit.per or limit.counter) and limit.charge == schema.Cost()
