"""What: policies that deny every tool although they have rules for them.

Why: under `default: deny` (also when the key is left out) an entry other than `"*"` has to list a tool. `"*"` and
`all_tools` only restrict, so a policy that has nothing else refuses every call.

Bad:

    default: deny
    all_tools:  # <--
      rate_limit: 60/minute

Good:

    default: deny
    all_tools:
      rate_limit: 60/minute
    tools:
      "get_*": {}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "nothing-listed"
SEVERITY: Final = Severity.ERROR
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report rules for all tools where no tool is listed."""
    entries = subject.tool_entries
    if subject.file.default == "allow" or any(entry.name != "*" for entry in entries):
        return
    for entry in entries:
        if any(not rule.written.denies for rule in entry.rules):
            yield Remark(
                entry.at,
                "no tool is listed, so every call is denied; rules for all tools only restrict",
                "list tools under `tools`, each as `name: {}`, or write `default: allow`",
                of_key=True,
            )
