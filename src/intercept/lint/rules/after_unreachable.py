"""What: `after` items that never come true.

Why: a rule with `after` applies once one of the named tools was answered. A tool that the policy never lets through,
most often because its name is misspelt, is never answered, so the rule never applies and the way out stays open.

Bad:

    default: deny
    tools:
      read_page: {}
      export_report:
        after: [read_pages]  # <--
        action: deny

Good:

    default: deny
    tools:
      read_page: {}
      export_report:
        after: [read_page]
        action: deny
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...policy.names import Glob, is_glob
from ...policy.wording import did_you_mean, nearest
from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "after-unreachable"
SEVERITY: Final = Severity.ERROR
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report names and globs in `after` that no tool can have that the policy lets through."""
    if subject.file.mode == "shadow":
        return
    listed = [entry.name for entry in subject.tool_entries if entry.name != "*"]
    usable = [name for name in listed if not is_glob(name) and subject.is_usable(name)]
    is_open = subject.file.default == "allow" or any(map(is_glob, listed))
    for rule in subject.rules:
        for index, name in enumerate(rule.written.after):
            if is_glob(name):
                reached = is_open or any(map(Glob.parse(name).matches, usable))
            else:
                reached = subject.is_usable(name)
            if not reached:
                yield Remark(
                    (*rule.at, "after", index),
                    f"no call of `{name}` is ever let through, so rule `{rule.name}` never applies",
                    did_you_mean(nearest(name, usable)) or "name a tool that the policy allows",
                )
