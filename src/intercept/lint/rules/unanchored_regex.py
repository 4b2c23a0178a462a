"""What: patterns that only have to be found somewhere in the value.

Why: `regex` searches. `[a-z]+@example.com` is found in `a@example.com.evil.example`, too. Where a pattern says which
values are good, it has to be anchored at both ends.

Bad:

    default: deny
    tools:
      open_ticket:
        require: [{path: args.queue, op: regex, value: "support|sales"}]  # <--

Good:

    default: deny
    tools:
      open_ticket:
        require: [{path: args.queue, op: regex, value: "^(support|sales)$"}]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "unanchored-regex"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.MEDIUM

_FLAGS: Final = re.compile(r"\(\?([a-z]+)\)")
_START: Final = re.compile(r"(?:\^|\\A|\.[*+])")
_END: Final = re.compile(r"(?:(?<!\\)(?:\\\\)*\$|\\z|(?<!\\)\.[*+])$")


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report patterns that admit a value and lack an anchor; those of addresses have a rule of their own."""
    for condition in subject.conditions:
        if condition.op != "regex" or not condition.admits or condition.path.root != "args":
            continue
        pattern = str(condition.written.value)
        flags = "".join(_FLAGS.findall(pattern))
        bare = _FLAGS.sub("", pattern, count=1)
        missing = [anchor for anchor, found in (("^", _START.match(bare)), ("$", _END.search(bare))) if not found]
        at = (*condition.at, "value")
        if missing and "://" not in pattern and pattern:
            lacks = " and ".join(f"`{anchor}`" for anchor in missing)
            yield Remark(at, f"this pattern lacks {lacks}, so it is also found inside longer values", _ADVICE)
        elif "m" in flags and not missing:
            yield Remark(at, "with `(?m)` one good line is enough, whatever the others are", "leave `(?m)` out")


_ADVICE: Final = "write `^(...)$`; for a text that has to be somewhere in it, use `contains`"
