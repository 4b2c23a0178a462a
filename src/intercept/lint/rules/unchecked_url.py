"""What: tools that request any address, with no rule about which.

Why: an address carries data out (`https://evil.example/?q=...`) and brings instructions in, and it reaches hosts that
only your machine can reach: cloud metadata, routers, databases.

Bad:

    default: deny
    tools:
      fetch_url: {rate_limit: 10/minute}  # <--

Good:

    default: deny
    tools:
      fetch_url:
        require: [{path: args.url, op: host_in, value: [docs.example.com]}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject
from ..words import fetches_urls

ID: Final = "unchecked-url"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.MEDIUM

_NAMES: Final = frozenset({"address", "endpoint", "href", "link", "uri", "url", "urls", "website"})


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report such tools where no rule looks at an argument."""
    for entry in subject.allowed_tools:
        if not fetches_urls(entry.name) or not subject.takes(entry, _NAMES):
            continue
        if not subject.checks_arguments(entry):
            yield Remark(
                entry.at,
                f"`{entry.name}` requests whatever address it is given, and no rule looks at it",
                "add `require: [{path: args.url, op: host_in, value: [docs.example.com]}]`",
                of_key=True,
            )
