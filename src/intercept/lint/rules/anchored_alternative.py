"""What: patterns whose anchors belong to one alternative only.

Why: `^a|b$` is `^a` or `b$`, because `|` binds last. `abc` and `xxb` match. The alternatives need brackets.

Bad:

    default: deny
    tools:
      deploy:
        require: [{path: args.environment, op: regex, value: "^staging|test$"}]  # <--

Good:

    default: deny
    tools:
      deploy:
        require: [{path: args.environment, op: regex, value: "^(staging|test)$"}]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "anchored-alternative"
SEVERITY: Final = Severity.ERROR
CONFIDENCE: Final = Confidence.HIGH

_PART: Final = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|[()|]|[^\\\[()|]+", re.DOTALL)


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report patterns that begin with `^` and end with `$`, but not in each of their alternatives."""
    for condition in subject.conditions:
        if condition.op not in {"regex", "not_regex"}:
            continue
        pattern = str(condition.written.value)
        parts = _alternatives(pattern)
        looks_anchored = pattern.startswith("^") and pattern.endswith("$")
        if looks_anchored and not all(part.startswith("^") and part.endswith("$") for part in parts):
            yield Remark(
                (*condition.at, "value"),
                f"`^` belongs to `{parts[0]}` alone and `$` to `{parts[-1]}`",
                "put the alternatives into brackets: `^(...|...)$`",
            )


def _alternatives(pattern: str) -> list[str]:
    parts, depth = [""], 0
    for piece in _PART.findall(pattern):
        depth += (piece == "(") - (piece == ")")
        if piece == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return parts
