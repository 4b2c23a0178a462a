"""What: tools that change something without any limit or check.

Why: a limit costs nothing and ends a loop. What deletes, pays or sends has a rule of its own; this is advice for the
rest.

Bad:

    default: deny
    tools:
      create_issue: {}  # <--

Good:

    default: deny
    tools:
      create_issue: {rate_limit: 10/hour}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject
from ..words import deletes, pays, sends, writes

ID: Final = "unlimited-write"
SEVERITY: Final = Severity.INFO
CONFIDENCE: Final = Confidence.MEDIUM


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report tools that write, and that neither a limit nor a check of arguments holds back."""
    for entry in subject.allowed_tools:
        if not writes(entry.name) or deletes(entry.name) or pays(entry.name) or sends(entry.name):
            continue
        if not subject.is_bounded(entry) and not subject.checks_arguments(entry):
            yield Remark(
                entry.at,
                f"`{entry.name}` changes something, and every call of it is allowed",
                "add for example `rate_limit: 10/hour`",
                of_key=True,
            )
