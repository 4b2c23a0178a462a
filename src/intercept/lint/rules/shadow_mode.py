"""What: policies that refuse nothing because they are in shadow mode.

Why: `mode: shadow` at the top decides and reports, and lets every call pass. It is for trying a policy out; a file
that is meant to protect something must not stay in it.

Bad:

    mode: shadow  # <--
    default: deny
    tools:
      list_orders: {}

Good:

    mode: enforce
    default: deny
    tools:
      list_orders: {}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "shadow-mode"
SEVERITY: Final = Severity.INFO
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report the mode of the file; that of a rule is a trial beside rules that hold."""
    if subject.file.mode == "shadow":
        yield Remark(("mode",), "in shadow mode nothing is refused", "take `mode` out once the policy is tried")
