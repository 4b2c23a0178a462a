"""Runs the rules over one policy file and gives every finding its place.

Mistakes that keep a policy from being loaded are findings too; then nothing else is looked at.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from ..errors import Problem
from ..policy.compile import compile_policy
from ..policy.document import parse
from ..policy.loading import Source
from ..policy.model import RuleRef
from .finding import Confidence, Finding, Remark, Severity
from .rules import DRIFT, RULES
from .subject import Subject, subject_of
from .suppression import UNREASONED, UNUSED, complaints, suppressions, unsuppressed
from .tools import Tool

INVALID: Final = "invalid-policy"
"""The id of what keeps a policy from being loaded. It cannot be silenced."""

_LONGEST: Final = 500
"""Characters of a message: a name may have thousands."""


class LintRule(Protocol):
    """A module of `intercept.lint.rules`."""

    @property
    def ID(self) -> str:  # noqa: N802
        """What suppression comments and reports call it."""

    @property
    def SEVERITY(self) -> Severity:  # noqa: N802
        """How bad its findings are."""

    @property
    def CONFIDENCE(self) -> Confidence:  # noqa: N802
        """How sure it is of them."""

    def check(self, subject: Subject, /) -> Iterator[Remark]:
        """What it has to say about a policy."""


def lint(
    path: str,
    data: bytes,
    tools: tuple[Tool, ...] | None = None,
    untested: Callable[[Source], tuple[RuleRef, ...]] = lambda _: (),
) -> list[Finding]:
    """Every finding about the policy file `path` whose content is `data`, in the order of the text.

    `tools` are those of the server that the policy is for, if they are known. `untested` plays the policy's tests and
    tells which rules none of them decides.
    """
    document = parse(data, path)
    if document.file is None:
        return list(map(invalid, document.problems))
    policy, wrong = compile_policy(document, os.path.realpath(path))
    if problems := (*document.problems, *wrong):
        return sorted(map(invalid, problems), key=_place)
    source = Source(document, document.file, policy)
    return _judge(subject_of(source, tools, untested(source)), data.decode())


def _judge(subject: Subject, text: str) -> list[Finding]:
    rules: Sequence[LintRule] = RULES if subject.tools is None else (*RULES, *DRIFT)
    found = {finding: None for rule in rules for finding in _findings(rule, subject)}
    comments = suppressions(text)
    findings = list(unsuppressed(found, comments))
    known = {rule.ID for rule in (*RULES, *DRIFT)}
    findings += complaints(subject.document.path, comments, known, {rule.ID for rule in rules})
    return sorted(findings, key=_place)


def _findings(rule: LintRule, subject: Subject) -> Iterator[Finding]:
    for remark in rule.check(subject):
        line, column = subject.document.position(remark.at, of_key=remark.of_key)
        path, message, advice = subject.document.path, _one_line(remark.message), _one_line(remark.help)
        yield Finding(rule.ID, rule.SEVERITY, rule.CONFIDENCE, path, line, column, message, advice)


def _one_line(text: str) -> str:
    # Names come from policies and servers: they must not write lines or escapes of their own, nor pages.
    plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:_LONGEST])
    return plain if len(text) <= _LONGEST else f"{plain[:-3]}..."


def invalid(problem: Problem) -> Finding:
    """The finding that a mistake of the loader is."""
    where = f"{problem.key_path}: " if problem.key_path else ""
    return Finding(
        INVALID,
        Severity.ERROR,
        Confidence.HIGH,
        problem.path,
        problem.line,
        problem.column,
        f"{where}{problem.message}",
        problem.help,
    )


@dataclass(frozen=True, slots=True)
class About:
    """What an id of a finding stands for."""

    what: str
    """One sentence."""
    why: str
    severity: Severity
    confidence: Confidence


def described() -> dict[str, About]:
    """Every id that a finding can have."""
    ids = {
        INVALID: About("The policy cannot be loaded.", "There is no partial load.", Severity.ERROR, Confidence.HIGH),
        UNUSED: About("A comment silences nothing.", "It hides the next finding.", Severity.WARNING, Confidence.HIGH),
        UNREASONED: About("A comment gives no reason.", "Nobody can judge it.", Severity.WARNING, Confidence.HIGH),
    }
    rules: Sequence[LintRule] = (*RULES, *DRIFT)
    for rule in rules:
        what, why = (_sentence(part) for part in (rule.__doc__ or "").split("\n\n")[:2])
        ids[rule.ID] = About(what, why, rule.SEVERITY, rule.CONFIDENCE)
    return ids


def _sentence(part: str) -> str:
    text = " ".join(part.partition(": ")[2].split())
    return f"{text[:1].upper()}{text[1:]}"


def _place(finding: Finding) -> tuple[int, int, str]:
    return finding.line, finding.column, finding.rule
