"""What: policies without tests.

Why: `tests` says what the policy is for, and `intercept test` proves that it still does that after a change.

Bad:

    default: deny  # <--
    tools:
      list_orders: {}

Good:

    default: deny
    tools:
      list_orders: {}
    tests:
      - calls: [{tool: delete_order, expect: deny}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "no-tests"
SEVERITY: Final = Severity.INFO
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report a file that has none."""
    if not subject.file.tests:
        yield Remark(
            (), "the policy has no tests", "add for example `tests: [{calls: [{tool: list_orders, expect: allow}]}]`"
        )
