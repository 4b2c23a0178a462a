"""Comments that silence a finding: `# intercept: ignore[rule-id] reason`.

On the line of the finding, or on a line of its own above it. A reason is required: whoever reads the policy later has
to know why the linter was wrong. Only real comments count, never text that looks like one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from ..policy.tree import Places
from ..policy.wording import clipped, did_you_mean, nearest
from .finding import Confidence, Finding, Severity

UNUSED: Final = "unused-suppression"
UNREASONED: Final = "suppression-without-reason"

_COMMENT: Final = re.compile(r"(?:(?<=\s)|^)#\s*intercept:\s*ignore\b([^\r\n]*)", re.MULTILINE)
_BODY: Final = re.compile(r"\[([^\]]*)\]\s*(.*)", re.DOTALL)
_LINE: Final = re.compile(r"\r\n|\n|\r")
_EMPTY: Final = re.compile(r"\s*(?:#.*)?")
_EXAMPLE: Final = "write `# intercept: ignore[rule-id] why the finding does not hold here`"


@dataclass(slots=True)
class Suppression:
    """One comment."""

    line: int
    column: int
    target: int
    """The line whose findings are meant."""
    rules: tuple[str, ...]
    """Empty if the comment cannot be understood."""
    reason: str
    used: set[str] = field(default_factory=set)


def suppressions(text: str) -> list[Suppression]:
    """The comments in `text`, which is a policy that can be read; JSON has none."""
    if "intercept:" not in text:
        return []
    lines = _LINE.split(text)
    places = Places(text)
    scalars = _scalars(text)
    found: list[Suppression] = []
    for match in _COMMENT.finditer(text):
        if scalars is None or any(start <= match.start() < end for start, end in scalars):
            continue
        line, column = places[match.start()]
        target = line
        if not lines[line - 1][: column - 1].strip():
            target = next((n for n in range(line + 1, len(lines) + 1) if not _EMPTY.fullmatch(lines[n - 1])), line)
        body = _BODY.fullmatch(match[1])
        rules = tuple(word.strip() for word in body[1].split(",") if word.strip()) if body else ()
        found.append(Suppression(line, column, target, rules, body[2].strip() if body else ""))
    return found


def _scalars(text: str) -> list[tuple[int, int]] | None:
    """Where text of the document stands; None if it cannot be told, because it is JSON that is not YAML."""
    import yaml

    try:
        tokens = list(yaml.scan(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError:
        return None
    return [(token.start_mark.index, token.end_mark.index) for token in tokens if isinstance(token, yaml.ScalarToken)]


def unsuppressed(findings: Iterable[Finding], comments: Collection[Suppression]) -> Iterator[Finding]:
    """The findings that no comment silences; notes in each comment what it was good for."""
    for finding in findings:
        silenced = False
        for comment in comments:
            if comment.target == finding.line and finding.rule in comment.rules:
                comment.used.add(finding.rule)
                silenced = silenced or bool(comment.reason)
        if not silenced:
            yield finding


def complaints(
    path: str, comments: Iterable[Suppression], known: Collection[str], looked: Collection[str]
) -> Iterator[Finding]:
    """What is wrong with the comments themselves, once all findings went through `unsuppressed`.

    `known` are the ids of all rules, `looked` those of the rules that could look at this policy: what needs the tools
    of the server finds nothing while they are not known, and its comments are left alone then.
    """
    for comment in comments:

        def say(rule: str, message: str, advice: str, at: Suppression = comment) -> Finding:
            return Finding(rule, Severity.WARNING, Confidence.HIGH, path, at.line, at.column, message, advice)

        if not comment.rules:
            yield say(UNUSED, "this comment silences nothing, because it names no rule", _EXAMPLE)
            continue
        if not comment.reason:
            yield say(UNREASONED, "this comment silences nothing, because it gives no reason", _EXAMPLE)
        for rule in comment.rules:
            if rule not in known:
                advice = did_you_mean(nearest(rule, sorted(known))) or "take it out"
                yield say(UNUSED, f"no rule is called `{clipped(rule)}`", advice)
            elif rule in looked and rule not in comment.used:
                yield say(UNUSED, f"`{rule}` finds nothing here", "take the comment out")
