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
from decimal import Decimal
from math import ceil
from typing import Final

from ...policy import schema
from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "limit-never-reached"
SEVERITY: Final = Severity.INFO
CONFIDENCE: Final = Confidence.HIGH

_SCOPES: Final = ("session", "grant", "global")
"""Each counts whatever those before it count."""
_CLOCK_CHANGES: Final = {"hour": 1_800, "day": 7_200, "week": 7_200, "month": 7_200}
"""Seconds by which a period of a calendar may be longer or shorter than usual."""


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report limits that count calls, by the number of windows of another one that make up theirs."""
    for entry in subject.entries:
        places = [each for rule in entry.rules if rule.is_ungated and rule.is_enforced for each in rule.limits]
        limits = [(at, limit) for at, limit in places if isinstance(limit, schema.Limit) and _is_plain(limit)]
        for at, limit in limits:
            for _, other in limits:
                most = _windows(limit, other) * other.max
                counts_as_much = _SCOPES.index(other.scope) >= _SCOPES.index(limit.scope)
                differs = other.window != limit.window or other.align != limit.align or most < limit.max
                if counts_as_much and differs and most <= limit.max:
                    known = f"at most {other.max} in `{other.window.text}` are {most} in `{limit.window.text}`"
                    yield Remark(at, f"never reached: {known}", "lower `max`, or take the limit out")
                    break


def _windows(limit: schema.Limit, other: schema.Limit) -> int:
    """How many windows of `other` one of `limit` may overlap."""
    longest, shortest = limit.window.seconds, other.window.seconds
    if limit.align == "calendar":
        longest += _CLOCK_CHANGES.get(limit.window.text, 0)
    if other.align == "sliding":
        return ceil(longest / shortest)
    days = Decimal(3 * 86_400 if other.window.text == "month" else 0)
    return ceil(longest / (shortest - days - _CLOCK_CHANGES.get(other.window.text, 0))) + 1


def _is_plain(limit: schema.Limit) -> bool:
    # A counter of another name may count the calls of other rules, too.
    return not (limit.per or limit.counter) and limit.charge == schema.Cost()
