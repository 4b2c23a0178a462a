"""What: globs that list tools whatever they do.

Why: `github_*` or `*_message` leave the verb open, so they list `github_delete_repo` and `delete_message` with all
the rest, today or after the server's next update. Where the tools are known, those that delete are named; otherwise a
glob is fine if a denial or `hide` covers what deletes.

Bad:

    default: deny
    tools:
      "github_*": {}  # <--

Good:

    default: deny
    tools:
      "github_get_*": {}
      "github_list_*": {}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Entry, Subject
from ..words import DELETING, VERBS, deletes, words

ID: Final = "broad-glob"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.MEDIUM


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report globs that list a tool that deletes, under `default: deny`; otherwise every tool is listed anyway."""
    if subject.file.default == "allow":
        return
    for entry in subject.tool_entries:
        if entry.is_exact or entry.name == "*" or any(rule.can_refuse for rule in entry.rules):
            continue
        if name := _deleting(subject, entry):
            yield Remark(
                entry.at,
                f"`{entry.name}` also lists `{name}`",
                "list by verb (`get_*`, `list_*`) or name by name, or deny what deletes",
                of_key=True,
            )


def _deleting(subject: Subject, entry: Entry) -> str:
    """A tool that the entry lists and that deletes; empty if there is none."""
    if subject.tools is not None:
        names = [tool.name for tool in subject.tools_of(entry.kind, entry.name) if deletes(tool.name)]
    elif VERBS.isdisjoint(fixed := words(entry.name)):
        names = [
            entry.name.replace("*", "delete_" if entry.name.startswith("*") else "delete_item", 1).replace("*", "item")
        ]
    elif DELETING.isdisjoint(fixed):
        return ""
    else:
        names = [entry.name.replace("*", "item")]
    return next((name for name in names if subject.is_usable(name)), "")
