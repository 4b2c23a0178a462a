"""What: network addresses that are compared as text.

Why: `10.evil.example` begins with `10.`, `127.1` and `2130706433` are the same machine as `127.0.0.1`, and a regular
expression for a network is rarely right. `cidr_in` compares numbers.

Bad:

    default: deny
    tools:
      ping:
        require: [{path: args.host, op: starts_with, value: "10."}]  # <--

Good:

    default: deny
    tools:
      ping:
        require: [{path: args.host, op: cidr_in, value: 10.0.0.0/8}]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject
from ..witness import EVIL, passing, stretched

ID: Final = "address-as-text"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.HIGH

_NUMBERS: Final = re.compile(r"\^?(?:[0-9]{1,3}(?:\\?\.|$)){1,4}(?:\*|\.\*|\[0-9.\]\+)?\$?")


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report beginnings of addresses that the name of a host has as well; one is tried."""
    for condition in subject.conditions:
        if not condition.admits or condition.op not in {"starts_with", "glob", "regex"}:
            continue
        value = str(condition.written.value)
        lures = stretched(condition, EVIL, f".{EVIL}") if "." in value and _NUMBERS.fullmatch(value) else ()
        if text := passing(subject, condition, lures):
            yield Remark((*condition.at, "op"), f"`{text}` passes", "compare the network: `op: cidr_in`")
