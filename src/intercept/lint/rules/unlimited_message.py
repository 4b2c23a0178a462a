"""What: tools that write to people, or publish, without any limit.

Why: what was sent is sent. A loop sends hundreds of messages before anybody looks, at the sender's expense and in the
sender's name.

Bad:

    default: deny
    tools:
      send_message: {}  # <--

Good:

    default: deny
    tools:
      send_message: {rate_limit: 30/minute}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject
from ..words import sends

ID: Final = "unlimited-message"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.MEDIUM


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report tools that send, and that no limit of any rule counts."""
    for entry in subject.allowed_tools:
        if sends(entry.name) and not subject.is_bounded(entry):
            yield Remark(
                entry.at,
                f"`{entry.name}` reaches other people, and nothing limits how often",
                "add for example `rate_limit: 30/minute`",
                of_key=True,
            )
