"""What: denials of "everything but" that a call without the argument passes.

Why: where there is no value, `neq`, `not_in`, `not_regex` and `not_contains` do not hold either, so the rule that
denies does not apply. `require` with the positive operator refuses an absent value.

Bad:

    default: deny
    tools:
      push:
        action: deny
        when: [{path: args.branch, op: neq, value: dev}]  # <--

Good:

    default: deny
    tools:
      push:
        require: [{path: args.branch, op: eq, value: dev}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import NEGATIVE, Condition, Subject

ID: Final = "absent-passes"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.HIGH

_POSITIVE: Final = {"neq": "eq", "not_in": "in", "not_regex": "regex", "not_contains": "contains"}


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report denials by a negative operator, unless the argument is known to be there."""
    for condition in subject.conditions:
        stops = condition.rule.written.stops and not condition.requires and not condition.negated
        if stops and condition.op in NEGATIVE and condition.path.root == "args" and not _is_there(subject, condition):
            passes = "is not denied" if condition.rule.written.denies else "needs no approval"
            yield Remark(
                condition.at,
                f"a call without `{condition.path.text}` {passes}",
                f"write `require` with `op: {_POSITIVE[condition.op]}`, which refuses an absent value",
            )


def _is_there(subject: Subject, condition: Condition) -> bool:
    entry = condition.rule.entry
    tools = subject.tools_of(condition.rule.kind, entry)
    is_top = condition.path.steps == (condition.argument,)
    if tools and is_top and all(condition.argument in tool.required for tool in tools):
        return True
    path = str(condition.path)
    rules = subject.covering(condition.rule.kind, entry)
    if is_top and any(condition.argument in (rule.written.arguments or {}).get("required", ()) for rule in rules):
        return True
    return any(str(each.path) == path and _asks(each) for rule in rules for each in subject.conditions_of(rule))


def _asks(condition: Condition) -> bool:
    """Whether a call without a value is refused because of `condition`."""
    if condition.requires:
        return not condition.optional and not condition.negated and not condition.in_any and condition.rule.is_ungated
    return condition.op == "exists" and condition.rule.written.stops and condition.written.value is condition.negated
