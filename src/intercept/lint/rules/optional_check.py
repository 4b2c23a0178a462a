"""What: checks of where something goes that an absent argument passes.

Why: with `optional: true` a call without the argument is allowed, and the server puts a default of its own in its
place.

Bad:

    default: deny
    tools:
      list_directory:
        require: [{path: args.path, op: path_within, value: /srv/data, optional: true}]  # <--

Good:

    default: deny
    tools:
      list_directory:
        require: [{path: args.path, op: path_within, value: /srv/data}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...policy.names import is_glob
from ..finding import Confidence, Remark, Severity
from ..subject import Subject
from ..tools import Absent

ID: Final = "optional-check"
SEVERITY: Final = Severity.INFO
CONFIDENCE: Final = Confidence.MEDIUM


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report them in entries for one tool; a glob may cover tools that have no such argument."""
    for condition in subject.conditions:
        if not condition.optional or condition.op not in {"host_in", "path_within", "cidr_in"}:
            continue
        entry = condition.rule.entry
        offered = [
            isinstance(tool.look(condition.path.steps), Absent) for tool in subject.tools_of(condition.rule.kind, entry)
        ]
        if not is_glob(entry) and not any(offered):
            yield Remark(
                (*condition.at, "optional"),
                f"a call without `{condition.path.text}` passes, and the server chooses the value",
                "take `optional` out, unless the server's default is meant",
                of_key=True,
            )
