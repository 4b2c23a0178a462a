"""What: names of tools that the server does not have.

Why: an entry for a tool that does not exist does nothing. If the name is misspelt, or the server has renamed the
tool, what the entry was to refuse or to limit goes unrefused, and what it was to allow is denied.

Tools:

    [{"name": "send_message"}, {"name": "delete_message"}]

Bad:

    default: deny
    tools:
      send_mesage: {rate_limit: 30/minute}  # <--

Good:

    default: deny
    tools:
      send_message: {rate_limit: 30/minute}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...policy.names import is_glob
from ...policy.schema import KeyPath
from ...policy.wording import did_you_mean, nearest
from ..finding import Confidence, Remark, Severity
from ..subject import Subject

ID: Final = "unknown-tool"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.HIGH


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report names in entries, `hide`, `after` and tests; a glob may match nothing today."""
    offered = [tool.name for tool in subject.tools or ()]
    for name, at, of_key in _named(subject):
        if name not in offered and not is_glob(name):
            advice = did_you_mean(nearest(name, offered)) or "take it out, or lint with the tools of the right server"
            yield Remark(at, f"the server has no tool `{name}`", advice, of_key=of_key)


def _named(subject: Subject) -> Iterator[tuple[str, KeyPath, bool]]:
    for entry in subject.tool_entries:
        yield entry.name, entry.at, True
        for rule in entry.rules:
            for index, name in enumerate(rule.written.after):
                yield name, (*rule.at, "after", index), False
    for index, name in enumerate(subject.file.hide):
        yield name, ("hide", index), False
