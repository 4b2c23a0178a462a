"""What: patterns for arguments of a command line that let an option pass.

Why: a server that hands an argument to `git` or `kubectl` may hand over `--upload-pack=...` in the place of a branch.
A pattern has to begin with a character that is not a dash.

Bad:

    default: deny
    tools:
      git_checkout:
        require: [{path: args.branch, op: regex, value: "^[A-Za-z0-9/_-]+$"}]  # <--

Good:

    default: deny
    tools:
      git_checkout:
        require: [{path: args.branch, op: regex, value: "^[A-Za-z0-9][A-Za-z0-9/_-]*$"}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Confidence, Remark, Severity
from ..subject import Subject
from ..witness import passing
from ..words import words

ID: Final = "leading-dash"
SEVERITY: Final = Severity.WARNING
CONFIDENCE: Final = Confidence.MEDIUM

_PROGRAMS: Final = frozenset({"curl", "docker", "ffmpeg", "git", "helm", "kubectl", "npm", "pip", "ssh", "terraform"})
_OPTIONS: Final = ("--output=x", "--output", "-rf", "-x")


def check(subject: Subject, /) -> Iterator[Remark]:
    """Report patterns in entries named after such a program that let an option pass; some are tried."""
    for condition in subject.conditions:
        if (
            condition.op not in {"regex", "glob"}
            or not condition.admits
            or _PROGRAMS.isdisjoint(words(condition.rule.entry))
        ):
            continue
        if condition.path.root == "args" and (text := passing(subject, condition, _OPTIONS)):
            yield Remark(
                (*condition.at, "value"),
                f"`{text}` passes, and a command line takes it for an option",
                "let the pattern begin with `^[A-Za-z0-9]`",
            )
