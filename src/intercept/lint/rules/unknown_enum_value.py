"""What: values that the tool does not offer for an argument.

Why: where the server takes one of a few values, a condition on another one never holds. It is misspelt, or the server
has renamed it.

Tools:

    [{"name": "deploy", "inputSchema": {"type": "object",
      "properties": {"environment": {"type": "string", "enum": ["staging", "production"]}}}}]

Bad:

    default: deny
    tools:
      deploy:
        action: deny
        when: [{path: args.environment, op: eq, value: prod}]  # <--

Good:

    default: deny
    tools:
      deploy:
        action: deny
        when: [{path: args.environment, op: eq, value: production}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...policy.wording import did_you_mean, nearest
from ...values import Json, canonical_text
from ..finding import Confidence, Remark, Severity
from ..subject import Condition, Subject
from ..tools import Absent, Unclear, choices_of

ID: Final = "unknown-enum-value"
SEVERITY: Final = Severity.ERROR
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report values of `eq`, `neq`, `in` and `not_in` that no tool offers which the entry covers."""
    for condition in subject.conditions:
        if condition.op in {"eq", "neq", "in", "not_in"} and condition.path.root == "args":
            choices = _choices(subject, condition)
            known = {canonical_text(choice) for choice in choices or ()}
            value = condition.written.value
            for index, item in enumerate(value if isinstance(value, list) else [value]):
                if choices is not None and canonical_text(item) not in known:
                    at = (*condition.at, "value", index) if isinstance(value, list) else (*condition.at, "value")
                    texts = [choice for choice in choices if isinstance(choice, str)]
                    guess = nearest(str(item), texts, 0.4)
                    advice = did_you_mean(guess) or f"offered are {', '.join(map(str, choices[:8]))}"
                    yield Remark(at, f"`{item}` is not among the values of `{condition.path.text}`", advice)


def _choices(subject: Subject, condition: Condition) -> list[Json] | None:
    """What may come at the path; None if a tool leaves it open."""
    found: list[Json] = []
    tools = subject.tools_of(condition.rule.kind, condition.rule.entry)
    for tool in tools:
        schema = tool.look(condition.path.steps)
        if isinstance(schema, Absent):
            continue
        choices = None if isinstance(schema, Unclear) else choices_of(schema)
        if choices is None:
            return None
        found += choices
    return found or None
