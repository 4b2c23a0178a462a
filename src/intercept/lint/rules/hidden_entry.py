"""What: entries for tools that `hide` refuses.

Why: a hidden tool is left out of the list and refused when it is called. Limits and requirements of its entry are
never looked at; either the entry is left over, or the tool is not meant to be hidden.

Bad:

    default: deny
    hide: ["admin_*"]
    tools:
      admin_report: {rate_limit: 5/hour}  # <--

Good:

    default: deny
    hide: ["admin_*"]
    tools:
      report: {rate_limit: 5/hour}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...policy.names import Names
from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "hidden-entry"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report entries for hidden tools, but for those that deny: they only say the same again."""
    hidden = Names.parse(subject.file.hide)
    for entry in subject.tool_entries:
        # A glob that covers the text of another one covers all that it matches.
        if entry.name in hidden and not any(rule.written.denies for rule in entry.rules):
            yield Remark(
                entry.at,
                f"`{entry.name}` is hidden, so every call is refused and this entry is never looked at",
                "take it out of `hide`, or take the entry out",
                of_key=True,
            )
