"""What: names that are written in another pattern language.

Why: a name may have `*` and nothing else. In `delete_(all|one)`, `get_?`, `read[12]` or `a, b` every character stands
for itself, so the entry covers a tool that does not exist, and what it was to refuse is not refused.

Bad:

    default: deny
    tools:
      "delete_(user|group)": {action: deny}  # <--

Good:

    default: deny
    tools:
      delete_user: {action: deny}
      delete_group: {action: deny}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ...policy.model import Kind
from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "pattern-in-name"
SEVERITY: Final = Severity.ERROR
CONFIDENCE: Final = Confidence.HIGH

_FOREIGN: Final = re.compile(r"[][(){}|^$?+\\,;!]|^\s|\s$|^/.*/$")
"""Names of tools have letters, digits, `_`, `-`, `.` and `/` (PROTOCOL section 2.11)."""


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report entries, `hide` and `after` items with characters of other pattern languages."""
    for entry in subject.entries:
        if entry.kind is Kind.TOOL and (found := _FOREIGN.search(entry.name)):
            yield _remark(entry.at, found[0], of_key=True)
    for index, name in enumerate(subject.file.hide):
        if found := _FOREIGN.search(name):
            yield _remark(("hide", index), found[0])
    for rule in subject.rules:
        for index, name in enumerate(rule.written.after):
            if found := _FOREIGN.search(name):
                yield _remark((*rule.at, "after", index), found[0])


def _remark(at: tuple[str | int, ...], found: str, *, of_key: bool = False) -> Remark:
    shown = "a space" if found.isspace() else f"`{found}`"
    return Remark(
        at,
        f"{shown} stands for itself here, and tools have no such name",
        "write one line for each name, or a glob with `*`",
        of_key=of_key,
    )
