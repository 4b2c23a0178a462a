"""What: paths that are compared as text.

Why: `/srv/data/../../etc/passwd` begins with `/srv/data/`. `path_within` resolves `..`, `//`, `%2e` and the like
before it compares.

Bad:

    default: deny
    tools:
      read_file:
        require: [{path: args.path, op: starts_with, value: /srv/data/}]  # <--

Good:

    default: deny
    tools:
      read_file:
        require: [{path: args.path, op: path_within, value: /srv/data}]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Condition, Subject
from ..witness import passing, stretched
from ..words import opens_files, words

ID: Final = "path-as-text"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.HIGH

_ABSOLUTE: Final = re.compile(r"\^?\(?(?:\\?/(?![/*])|~\\?/|[A-Za-z]:\\)[\w.~-]")
_NAMES: Final = frozenset({"cwd", "dir", "directory", "file", "filename", "filepath", "folder", "path", "root"})
_OUT: Final = ("../../../etc/passwd", "/../../../etc/passwd", "x/../../../etc/passwd")
_LEADS_OUT: Final = re.compile(r"[^.]*/\.\./\.\./\.\./.*")


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report comparisons that let a path pass which leads out of the folder; the path is tried."""
    for condition in subject.conditions:
        if not condition.admits or condition.path.root != "args" or not _is_path(condition):
            continue
        if text := passing(subject, condition, filter(_LEADS_OUT.fullmatch, stretched(condition, *_OUT))):
            yield Remark((*condition.at, "op"), f"`{text}` passes", "compare the folder: `op: path_within`")


def _is_path(condition: Condition) -> bool:
    value = str(condition.written.value)
    if condition.op not in {"starts_with", "glob", "regex"}:
        return False
    if _ABSOLUTE.match(value):
        # `/deploy` may be a command of a chat; a path has a name that says so, or goes deeper.
        return value.count("/") > 1 or not _NAMES.isdisjoint(words(condition.argument))
    return opens_files(condition.rule.entry) and "/" in value and "://" not in value
