"""What: rules about the time of day that do not say where.

Why: without `timezone` the hours and days are those of UTC. Office hours in Sao Paulo would end at two in the
afternoon.

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

from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "implicit-utc"
SEVERITY: Final = Severity.INFO
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report the first condition about the time in a file without `timezone`."""
    if not subject.file.has("timezone"):
        for condition in subject.conditions:
            if condition.path.root == "now":
                yield Remark(
                    (*condition.at, "path"),
                    f"`{condition.path.text}` is in UTC",
                    "add `timezone` at the top, for example `timezone: UTC`",
                )
                return
