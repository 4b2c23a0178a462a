"""What: conditions that every value satisfies.

Why: `regex: ".*"`, `glob: "*"`, `contains: ""` or `length_gte: 0` look like a check and let every text pass. What was
meant to be checked is not.

Bad:

    default: deny
    tools:
      read_file:
        require:
          - {path: args.path, op: glob, value: "*"}  # <--

Good:

    default: deny
    tools:
      read_file:
        require:
          - {path: args.path, op: path_within, value: /srv/data}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Condition, Subject

ID: Final = "never-checks"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.HIGH

_EVERYTHING: Final = frozenset(
    {".*", "^.*$", "^.*", ".*$", "(.*)", "^(.*)$", "(?s).*", "(?s)^.*$", "", "^", "$", "[\\s\\S]*"}
)


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report conditions that hold for whatever is there."""
    for condition in subject.conditions:
        if _takes_all(condition):
            yield Remark(
                (*condition.at, "value"),
                f"every value of `{condition.path.text}` satisfies this",
                "say which values are meant; that there is one at all is `op: exists`",
            )


def _takes_all(condition: Condition) -> bool:
    value = condition.written.value
    match condition.op:
        case "regex":
            return value in _EVERYTHING
        case "glob":
            return bool(value == "*")
        case "starts_with" | "ends_with" | "contains":
            return bool(value == "")
        case "length_gte":
            return bool(value == 0)
        case "not_in":
            return not value
        case _:
            return False
