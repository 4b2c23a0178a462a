"""What: tools that open any file, with no rule about where.

Why: a path leads to keys, tokens and the policy itself as easily as to the project. The server may have a check of
its own; a policy should not have to hope so.

Bad:

    default: deny
    tools:
      read_file: {}  # <--

Good:

    default: deny
    tools:
      read_file:
        require: [{path: args.path, op: path_within, value: /srv/project}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject
from ..words import opens_files

ID: Final = "unchecked-path"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.MEDIUM

_NAMES: Final = frozenset({"directory", "file", "filename", "filepath", "folder", "path", "paths", "source"})


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report such tools where no rule looks at an argument."""
    for entry in subject.allowed_tools:
        if not opens_files(entry.name) or not subject.takes(entry, _NAMES):
            continue
        if not subject.checks_arguments(entry):
            yield Remark(
                entry.at,
                f"`{entry.name}` works on whatever path it is given, and no rule looks at it",
                "add `require: [{path: args.path, op: path_within, value: /srv/project}]`",
                of_key=True,
            )
