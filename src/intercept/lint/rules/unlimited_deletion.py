"""What: tools that delete or revoke without any limit or check.

Why: there is no way back. One misread instruction, or a loop, empties what the tool reaches.

Bad:

    default: deny
    tools:
      delete_branch: {}  # <--

Good:

    default: deny
    tools:
      delete_branch:
        require: [{path: args.branch, op: glob, value: "agent/*"}]
        rate_limit: 5/hour
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject
from ..words import deletes

ID: Final = "unlimited-deletion"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.MEDIUM


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report tools that delete, and that neither a limit nor a check of arguments holds back."""
    for entry in subject.allowed_tools:
        if deletes(entry.name) and not subject.is_bounded(entry) and not subject.checks_arguments(entry):
            yield Remark(
                entry.at,
                f"`{entry.name}` deletes, and every call of it is allowed",
                "deny it, limit it (`rate_limit: 5/hour`), or say under `require` what may be deleted",
                of_key=True,
            )
