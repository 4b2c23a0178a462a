"""What: conditions that the type of the argument can never satisfy.

Why: comparison is strict: a text is no number, also if it looks like one. `lte` on an argument that the tool takes as
text denies every call, and `eq` with a number never holds.

Tools:

    [{"name": "create_refund", "inputSchema": {"type": "object",
      "properties": {"amount": {"type": "string"}, "currency": {"type": "string"}}}}]

Bad:

    default: deny
    tools:
      create_refund:
        require: [{path: args.amount, op: lte, value: 50}]  # <--
        rate_limit: 5/hour

Good:

    default: deny
    tools:
      create_refund:
        require: [{path: args.currency, op: eq, value: EUR}]
        rate_limit: 5/hour
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Condition, Subject

ID: Final = "type-mismatch"
SEVERITY: Final = Severity.ERROR
CONFIDENCE: Final = Confidence.HIGH

_NUMBERS: Final = frozenset({"integer", "number"})
_NAMES: Final = {
    "string": "text",
    "integer": "a number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
}
_BY_TYPE: Final[dict[type, frozenset[str]]] = {
    bool: frozenset({"boolean"}), int: _NUMBERS, Decimal: _NUMBERS, str: frozenset({"string"}),
}  # fmt: skip
_TAKEN: Final[dict[str, frozenset[str]]] = {
    **dict.fromkeys(("lt", "lte", "gt", "gte"), _NUMBERS),
    **dict.fromkeys(("regex", "not_regex", "starts_with", "ends_with", "glob"), frozenset({"string"})),
    **dict.fromkeys(("host_in", "path_within", "cidr_in"), frozenset({"string"})),
    **dict.fromkeys(("contains", "not_contains", "length_lte", "length_gte"), frozenset({"string", "array"})),
}


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report conditions on arguments that are of another type in every tool of the entry; lists have a rule."""
    for condition in subject.conditions:
        types = subject.types_at(condition)
        if types and types.isdisjoint(_taken(condition)) and types <= _NAMES.keys():
            names = " or ".join(sorted({_NAMES[name] for name in types}))
            advice = "compare it as what it is; a number in a text can only be listed (`in`) or matched (`regex`)"
            yield Remark(
                condition.at, f"`{condition.path.text}` is {names}, so `{condition.op}` never holds here", advice
            )


def _taken(condition: Condition) -> frozenset[str]:
    if condition.op in _TAKEN:
        return _TAKEN[condition.op]
    if condition.op not in {"eq", "in"}:
        return frozenset(_NAMES)
    value = condition.written.value
    items = value if condition.op == "in" else [value]
    return frozenset[str]().union(*(_BY_TYPE.get(type(item), frozenset({"array", "object"})) for item in items))
