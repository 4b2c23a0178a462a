"""What: short calendar windows.

Why: a calendar window starts anew when the clock shows a full minute or hour. Just before and just after that, twice as
many calls as `max` says can be made at once. A sliding window has no such moment.

Bad:

    default: deny
    tools:
      send_text:
        limits: [{max: 30, window: minute, align: calendar}]  # <--

Good:

    default: deny
    tools:
      send_text:
        limits: [{max: 30, window: minute}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...policy import schema
from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "calendar-burst"
SEVERITY: Final = Severity.INFO
CONFIDENCE: Final = Confidence.HIGH

_SHORT: Final = frozenset({"second", "minute", "hour"})


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report calendar windows of up to an hour."""
    for rule in subject.rules:
        for at, limit in rule.limits:
            if isinstance(limit, schema.Limit) and limit.align == "calendar" and limit.window.text in _SHORT:
                text = limit.window.text
                message = (
                    f"twice {limit.max} may pass within moments, at the end of one {text} and the start of the next"
                )
                yield Remark((*at, "align"), message, "take `align` out: windows slide")
