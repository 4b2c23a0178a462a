"""What: domains that are compared without the character before them.

Why: `evil-example.com` ends with `example.com`, too, and anybody can register it. Begin the value with `@` for
addresses of mail, with `.` for hosts.

Bad:

    default: deny
    tools:
      send_email:
        require: [{path: "args.to[*]", op: ends_with, value: example.com}]  # <--
        rate_limit: 5/hour

Good:

    default: deny
    tools:
      send_email:
        require: [{path: "args.to[*]", op: ends_with, value: "@example.com"}]
        rate_limit: 5/hour
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject
from ..witness import passing
from ..words import words

ID: Final = "domain-suffix"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.HIGH

_DOMAIN: Final = re.compile(r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*\.[a-z]{2,}", re.IGNORECASE)
_NAMES: Final = frozenset({
    "bcc", "cc", "domain", "email", "emails", "from", "host", "hostname", "mail", "recipient", "recipients", "sender",
    "to",
})  # fmt: skip


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report ends that another domain has as well; one is tried."""
    for condition in subject.conditions:
        if condition.op != "ends_with" or not condition.admits or _NAMES.isdisjoint(words(condition.argument)):
            continue
        value = str(condition.written.value)
        lures = (f"a@evil-{value}", f"evil-{value}") if _DOMAIN.fullmatch(value) else ()
        if text := passing(subject, condition, lures):
            advice = f"write `@{value}` for mail, `.{value}` for hosts"
            yield Remark((*condition.at, "value"), f"`{text}` passes", advice)
