"""What: addresses that are compared as text.

Why: `https://api.example.com` is also the beginning of `https://api.example.com.evil.example` and of
`https://api.example.com@evil.example`. `host_in` reads the address as a client does.

Bad:

    default: deny
    tools:
      fetch_url:
        require: [{path: args.url, op: starts_with, value: "https://api.example.com"}]  # <--

Good:

    default: deny
    tools:
      fetch_url:
        require: [{path: args.url, op: host_in, value: api.example.com}]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from ..finding import Confidence, Remark, Severity
from ..subject import Condition, Subject
from ..witness import EVIL, passing, stretched
from ..words import words

ID: Final = "url-as-text"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.HIGH

_NAMES: Final = frozenset({"callback", "endpoint", "href", "link", "uri", "url", "urls", "webhook"})
_ANY: Final = re.compile(r"\\[A-Za-z]|\[(?:\\.|[^\]])*\]")
_NAMED: Final = re.compile(r"://.*[A-Za-z0-9]")
_HOST: Final = re.compile(r"\.?[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.IGNORECASE)


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report comparisons that let an address of another host pass; the address is tried."""
    for condition in subject.conditions:
        if (
            condition.admits
            and condition.path.root == "args"
            and (text := passing(subject, condition, _lures(condition)))
        ):
            yield Remark((*condition.at, "op"), f"`{text}` passes", "compare the host: `op: host_in`")


def _lures(condition: Condition) -> Iterator[str]:
    value = str(condition.written.value)
    if condition.op in {"contains", "ends_with"}:
        if not _NAMES.isdisjoint(words(condition.argument)) and _HOST.fullmatch(value):
            yield f"https://{EVIL}/?{value}"
        return
    # Without the name of a host it is the scheme that is asked for.
    if not _NAMED.search(_ANY.sub("", value)):
        return
    for text in stretched(condition, f".{EVIL}/", f"@{EVIL}/", f"{EVIL}/", f".{EVIL}/x", f"{EVIL}/x"):
        try:
            host = urlsplit(text).hostname or ""
        except ValueError:
            continue
        if host == EVIL or host.endswith((f".{EVIL}", f"x{EVIL}")):
            yield text
