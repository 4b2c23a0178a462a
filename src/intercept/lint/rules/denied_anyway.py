"""What: entries that allow what another rule always denies.

Why: the strongest effect wins. A narrow entry makes no exception to a broad denial, so the tool can never be used,
and whatever else its entry says is never looked at.

Bad:

    default: deny
    tools:
      "delete_*": {action: deny}
      delete_draft: {rate_limit: 5/hour}  # <--

Good:

    default: deny
    tools:
      delete_message: {action: deny}
      delete_draft: {rate_limit: 5/hour}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "denied-anyway"
SEVERITY: Final = Severity.ERROR
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report entries, and rules in an entry, that a rule without conditions denies."""
    for entry in subject.entries:
        denying = [rule for rule in subject.covering(entry.kind, entry.name) if rule.always_denies]
        own = [rule for rule in denying if rule in entry.rules]
        if own:
            for rule in entry.rules:
                if not rule.written.denies:
                    yield Remark(
                        rule.at,
                        f"rule `{rule.name}` is never looked at: rule `{own[0].name}` denies every call",
                        "take one of the two out, or say in `when` which calls are denied",
                    )
        elif denying and not any(rule.written.denies for rule in entry.rules) and entry.name != "*":
            yield Remark(
                entry.at,
                f"`{entry.name}` can never be used: rule `{denying[0].name}` denies every call of it",
                "a narrow entry makes no exception to a broad denial; narrow the denial",
                of_key=True,
            )
