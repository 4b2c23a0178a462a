"""What: paths to arguments that the tool does not have.

Why: an argument that does not exist is never there. A requirement on it refuses every call, and a denial that looks
at it refuses none.

Tools:

    [{"name": "send_email", "inputSchema": {"type": "object", "required": ["to"],
      "properties": {"to": {"type": "string"}, "subject": {"type": "string"}}}}]

Bad:

    default: deny
    tools:
      send_email:
        require: [{path: args.recipient, op: ends_with, value: "@example.com"}]  # <--
        rate_limit: 5/hour

Good:

    default: deny
    tools:
      send_email:
        require: [{path: args.to, op: ends_with, value: "@example.com"}]
        rate_limit: 5/hour
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...policy import schema
from ...policy.schema import KeyPath
from ...policy.wording import did_you_mean, nearest
from ...values import Path, parse_path
from ..finding import Confidence, Remark, Severity
from ..subject import Rule, Subject
from ..tools import Absent

ID: Final = "unknown-argument"
SEVERITY: Final = Severity.ERROR
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report paths in conditions and limits that no tool has which the entry covers."""
    for rule in subject.rules:
        tools = subject.tools_of(rule.kind, rule.entry)
        for path, at in _paths(subject, rule):
            looked = [tool.look(path.steps) for tool in tools if path.root == "args"]
            absent = [found for found in looked if isinstance(found, Absent)]
            if absent and len(absent) == len(looked):
                known = sorted({name for found in absent for name in found.known})
                whose = f"`{tools[0].name}` has no" if len(tools) == 1 else f"no tool of `{rule.entry}` has an"
                offered = f"known are {', '.join(known[:8])}" if known else "it takes none"
                advice = did_you_mean(nearest(absent[0].name, known)) or offered
                yield Remark(at, f"{whose} argument `{path.text}`", advice)


def _paths(subject: Subject, rule: Rule) -> Iterator[tuple[Path, KeyPath]]:
    for condition in subject.conditions_of(rule):
        if not (condition.op == "exists" and condition.written.value is False):
            yield condition.path, (*condition.at, "path")
    for at, limit in rule.limits:
        if not isinstance(limit, schema.State):
            for index, text in enumerate(limit.per):
                if text != "tool":
                    yield parse_path(text), (*at, "per", index)
        if not isinstance(limit, schema.Concurrency) and limit.charge.source:
            yield parse_path(limit.charge.source), (*at, limit.charge.key)
