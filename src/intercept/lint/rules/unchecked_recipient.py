"""What: copies that go unchecked beside a checked recipient.

Why: a rule on `to` is worth nothing where the tool takes `cc` and `bcc` as well.

Tools:

    [{"name": "send_email", "inputSchema": {"type": "object",
      "properties": {"to": {"type": "string"}, "cc": {"type": "string"}, "body": {"type": "string"}}}}]

Bad:

    default: deny
    tools:
      send_email:
        rate_limit: 5/hour
        require: [{path: args.to, op: ends_with, value: "@example.com"}]  # <--

Good:

    default: deny
    tools:
      send_email:
        rate_limit: 5/hour
        require:
          - {path: args.to, op: ends_with, value: "@example.com"}
          - {path: args.cc, op: ends_with, value: "@example.com", optional: true}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Condition, Rule, Subject

ID: Final = "unchecked-recipient"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.HIGH

_FIRST: Final = frozenset({"recipient", "recipients", "to", "to_email", "to_emails", "toRecipients", "to_recipients"})
_MORE: Final = frozenset({
    "additional_recipients", "bcc", "bccRecipients", "bcc_emails", "bcc_recipients", "cc", "ccRecipients", "cc_emails",
    "cc_recipients",
})  # fmt: skip


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report checks of who gets a message, where the tool takes more recipients that no rule for it looks at."""
    for condition in subject.conditions:
        if not (condition.admits and condition.op != "exists") or _argument(condition) not in _FIRST:
            continue
        rules = subject.covering(condition.rule.kind, condition.rule.entry)
        for tool in subject.tools_of(condition.rule.kind, condition.rule.entry):
            looked = {_argument(each) for rule in rules for each in subject.conditions_of(rule)}
            open_ones = sorted(_MORE & tool.arguments.keys() - looked)
            if open_ones and not any(_keeps_out(rule) for rule in rules):
                names = " and ".join(f"`{name}`" for name in open_ones)
                yield Remark(
                    condition.at,
                    f"`{tool.name}` also takes {names}, which no rule looks at",
                    "check it the same way with `optional: true`, or refuse it with `op: exists`, `value: false`",
                )


def _argument(condition: Condition) -> str:
    return str(condition.path.steps[0]) if condition.path.root == "args" and condition.path.steps else ""


def _keeps_out(rule: Rule) -> bool:
    """Whether an argument schema takes no argument that it does not name."""
    return (rule.written.arguments or {}).get("additionalProperties") is False
