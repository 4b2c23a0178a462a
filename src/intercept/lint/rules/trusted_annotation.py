"""What: rules that let a call pass because of what the server says about its own tool.

Why: annotations are hints from whoever wrote the server. Real servers call the sending of mail read-only and a refund
not destructive, and a hostile one says what it likes. A hint may add a check; it must not be what a check hangs on.

Bad:

    default: deny
    tools:
      "*":
        require: [{path: tool.annotations.readOnlyHint, op: eq, value: true}]  # <--
      "crm_*": {rate_limit: 60/minute}

Good:

    default: deny
    tools:
      "crm_get_*": {rate_limit: 60/minute}
      "crm_list_*": {rate_limit: 60/minute}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Condition, Subject

ID: Final = "trusted-annotation"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.MEDIUM

_CLAIMS: Final = {"readOnlyHint": True, "idempotentHint": True, "destructiveHint": False, "openWorldHint": False}
"""What a server says to look harmless."""


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report conditions under which a harmless claim lets a call pass that is refused otherwise."""
    for condition in subject.conditions:
        if _asks_for_claim(condition):
            yield Remark(
                (*condition.at, "path"),
                f"`{condition.path.text}` is the server's own word, and here it lets calls pass",
                "name the tools that are meant; a hint can only be a reason to refuse",
            )


def _asks_for_claim(condition: Condition) -> bool:
    steps = condition.path.steps
    if condition.path.root != "tool" or steps[:1] != ("annotations",):
        return False
    claim = _CLAIMS.get(str(steps[1]))
    if claim is None or not isinstance(condition.written.value, bool):
        return False
    named = condition.written.value if condition.op == "eq" else not condition.written.value
    return condition.op in {"eq", "neq"} and condition.requires and (named is claim) is not condition.negated
