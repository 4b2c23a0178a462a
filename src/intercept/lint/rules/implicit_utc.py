"""What: rules about the time of day, and calendar windows, that do not say where.

Why: without `timezone` the hours and days are those of UTC. Office hours in Sao Paulo would end at two in the
afternoon, and its day's budget would start anew at nine in the evening.

Bad:

    default: deny
    tools:
      deploy:
        require: [{path: now.hour, op: lt, value: 17}]  # <--

Good:

    default: deny
    timezone: America/Sao_Paulo
    tools:
      deploy:
        require: [{path: now.hour, op: lt, value: 17}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...policy import schema
from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "implicit-utc"
SEVERITY: Final = Severity.INFO
CONFIDENCE: Final = Confidence.HIGH

_ADVICE: Final = "add `timezone` at the top, for example `timezone: UTC`"
_LOCAL: Final = frozenset({"day", "week", "month"})
"""Windows that begin elsewhere in another zone; the minute is the same nearly everywhere."""


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report the first condition about the time, and each calendar window, in a file without `timezone`."""
    if subject.file.has("timezone"):
        return
    for condition in subject.conditions:
        if condition.path.root == "now":
            yield Remark((*condition.at, "path"), f"`{condition.path.text}` is in UTC", _ADVICE)
            break
    for rule in subject.rules:
        for at, limit in rule.limits:
            if not isinstance(limit, schema.Limit) or limit.align == "sliding" or limit.timezone is not None:
                continue
            if limit.window.text in _LOCAL:
                yield Remark((*at, "align"), f"this `{limit.window.text}` is one of UTC", _ADVICE)
