"""What: conditions on one value where the tool takes a list.

Why: a list is no text and no number. The condition cannot be evaluated and the call is denied, whatever the list
holds. `[*]` looks at each element, and takes a single value too.

Tools:

    [{"name": "send_email", "inputSchema": {"type": "object",
      "properties": {"to": {"type": "array", "items": {"type": "string"}}}}}]

Bad:

    default: deny
    tools:
      send_email:
        require: [{path: args.to, op: ends_with, value: "@example.com"}]  # <--
        rate_limit: 5/hour

Good:

    default: deny
    tools:
      send_email:
        require: [{path: "args.to[*]", op: ends_with, value: "@example.com"}]
        rate_limit: 5/hour
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Condition, Subject

ID: Final = "list-as-value"
SEVERITY: Final = Severity.ERROR
CONFIDENCE: Final = Confidence.HIGH

_OF_LISTS: Final = frozenset({"contains", "not_contains", "exists", "length_lte", "length_gte"})


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report conditions that no list can satisfy, in entries for one tool, where the argument is a list."""
    for condition in subject.conditions:
        if condition.path.root == "args" and not _takes_lists(condition) and subject.types_at(condition) == {"array"}:
            yield Remark(
                (*condition.at, "path"),
                f"`{condition.path.text}` is a list",
                f"write `{condition.path.text}[*]`",
            )


def _takes_lists(condition: Condition) -> bool:
    value = condition.written.value
    items = value if condition.op in {"in", "not_in"} else [value]
    return condition.op in _OF_LISTS or any(isinstance(item, list) for item in items)
