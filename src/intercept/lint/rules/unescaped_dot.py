r"""What: patterns with the name of a host in which a dot stands for any character.

Why: `^https://api.example.com/` also fits `https://apiXexample.com/`, a name that anybody can register. A dot that
means a dot is written `\.`.

Bad:

    default: deny
    tools:
      send_email:
        require: [{path: args.to, op: regex, value: "^[a-z.]+@mail.example.com$"}]  # <--
        rate_limit: 5/hour

Good:

    default: deny
    tools:
      send_email:
        require: [{path: args.to, op: regex, value: "^[a-z.]+@mail\\.example\\.com$"}]
        rate_limit: 5/hour
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "unescaped-dot"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.HIGH

_HOST: Final = re.compile(
    r"(?<![\w.*+?})\]-])(?:[a-z0-9-]+\\?\.)*[a-z0-9-]+\.(?:com|org|net|io|dev|ai|app|co|example|internal)\b"
)


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report patterns that admit values and name a host without escaping its dots."""
    for condition in subject.conditions:
        if condition.op == "regex" and condition.admits and (found := _HOST.search(str(condition.written.value))):
            yield Remark(
                (*condition.at, "value"),
                f"the dots in `{found[0]}` stand for any character",
                "write `\\.`, or compare addresses with `host_in`",
            )
