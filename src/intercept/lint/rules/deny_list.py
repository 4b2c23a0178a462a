r"""What: commands, statements, addresses and paths from which only some are refused.

Why: there is always another way to write it: `rm  -r -f`, `r\m`, `DELETE/**/FROM`, a decimal address, a symbolic
link. What is not on the list passes. Say what is allowed instead.

Bad:

    default: deny
    tools:
      run_command:
        action: deny
        when: [{path: args.command, op: contains, value: "rm -rf"}]  # <--

Good:

    default: deny
    tools:
      run_command:
        require: [{path: args.command, op: in, value: [make test, make lint]}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Condition, Subject
from ..words import words

ID: Final = "deny-list"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.MEDIUM

_NAMES: Final = frozenset({"cmd", "code", "command", "script", "sql", "statement", "uri", "url"})
_PATHS: Final = frozenset({"file", "filepath", "path"})
_OPS: Final = frozenset({
    "contains", "ends_with", "glob", "regex", "starts_with", "not_contains", "not_regex",
})  # fmt: skip


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report texts that refuse a value of such an argument, unless the good values are named, too."""
    for condition in subject.conditions:
        if condition.refuses and condition.op in _OPS and _is_risky(condition) and not _is_named(subject, condition):
            yield Remark(
                condition.at,
                f"every value of `{condition.path.text}` that is written differently passes",
                "say which values are good: `in`, `host_in`, `path_within`, or an anchored `regex`",
            )


def _is_risky(condition: Condition) -> bool:
    found = {*words(condition.argument)}
    return bool(found & _NAMES) or (found <= {*_PATHS, "name"} and bool(found & _PATHS))


def _is_named(subject: Subject, condition: Condition) -> bool:
    """Whether another condition says which values of the same argument are good."""
    return any(
        each.admits and each.op != "exists" and str(each.path) == str(condition.path) and not each.in_any
        for rule in subject.covering(condition.rule.kind, condition.rule.entry)
        for each in subject.conditions_of(rule)
    )
