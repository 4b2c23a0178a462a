"""What: numbers in quotes.

Why: comparison is strict. `"50"` is a text and never equal to the number 50, so the condition fails for every call
that sends a number.

Bad:

    default: deny
    tools:
      list_orders:
        require: [{path: args.limit, op: eq, value: "50"}]  # <--

Good:

    default: deny
    tools:
      list_orders:
        require: [{path: args.limit, op: eq, value: 50}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...policy.tree import NUMBER
from ..finding import Confidence, Remark, Severity
from ..subject import Condition, Subject
from ..words import words

ID: Final = "number-as-text"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.MEDIUM

_NAMES: Final = frozenset({
    "age", "amount", "cents", "count", "days", "height", "hours", "limit", "max", "min", "minutes", "offset", "page",
    "port", "price", "quantity", "seconds", "size", "timeout", "total", "width",
})  # fmt: skip


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report `eq`, `neq`, `in` and `not_in` with the text of a number, where the argument is called like one."""
    for condition in subject.conditions:
        is_number = not _NAMES.isdisjoint(words(condition.argument)[-1:])
        if is_number and condition.op in {"eq", "neq", "in", "not_in"} and not _is_text(subject, condition):
            value = condition.written.value
            items = value if isinstance(value, list) else [value]
            if quoted := next((item for item in items if isinstance(item, str) and NUMBER.fullmatch(item)), None):
                yield Remark(
                    (*condition.at, "value"),
                    f'`"{quoted}"` is text and never equal to the number {quoted}',
                    "leave out the quotes",
                )


def _is_text(subject: Subject, condition: Condition) -> bool:
    """Whether the server's definition is known; then it decides, in a rule of its own."""
    return bool(subject.tools_of(condition.rule.kind, condition.rule.entry))
