"""What: policies that allow every tool they do not list.

Why: a server can add a tool at any time, and under `default: allow` it can be called before anybody has read what it
does. So can methods that the protocol does not have, unless `unknown_methods` says otherwise.

Bad:

    default: allow  # <--
    tools:
      delete_customer: {action: deny}

Good:

    default: deny
    tools:
      list_customers: {}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "default-allow"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report `default: allow`."""
    if subject.file.default == "allow":
        yield Remark(
            ("default",),
            "a tool that the server adds tomorrow can be called at once",
            "write `default: deny` and list the tools that are meant, each as `name: {}`",
        )
