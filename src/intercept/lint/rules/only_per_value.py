"""What: limits that hold for each value and never for all together.

Why: whoever chooses the value chooses a new count. Five messages to each recipient are any number of messages.

Bad:

    default: deny
    tools:
      send_message:
        limits: [{max: 5, window: 1h, per: args.to}]  # <--

Good:

    default: deny
    tools:
      send_message:
        limits:
          - {max: 5, window: 1h, per: args.to}
          - {max: 100, window: 1h}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...policy import schema
from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "only-per-value"
SEVERITY: Final = Severity.INFO
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report `per` with arguments where no limit of any rule for the tool does without."""
    for entry in subject.entries:
        limits = [
            limit
            for rule in subject.covering(entry.kind, entry.name)
            for _, limit in rule.limits
            if not isinstance(limit, schema.Concurrency)
        ]
        if not limits or not all(isinstance(limit, schema.Limit) and _has_values(limit) for limit in limits):
            continue
        for rule in entry.rules:
            for at, limit in rule.limits:
                if isinstance(limit, schema.Concurrency):
                    continue
                yield Remark(
                    (*at, "per"),
                    "each value has a count of its own, and nothing limits all of them",
                    "add a limit without `per`",
                )


def _has_values(limit: schema.Limit) -> bool:
    return any(path.startswith("args") for path in limit.per)
