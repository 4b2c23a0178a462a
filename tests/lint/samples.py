"""Examples of what lint rules find: those in the docstrings of the rules, and more in `tests/lint/cases`.

A file in `cases` has the name of a rule. Its samples are separated by lines `--- bad`, `--- good` or `--- tools`; what
stands under `tools` is the list of tool definitions that the samples below it are linted with. `# <--` marks the lines
on which the rule is to find something.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from types import ModuleType

from intercept.lint import engine
from intercept.lint.finding import Finding
from intercept.lint.rules import DRIFT, RULES
from intercept.lint.tools import Tool, parse_tools
from intercept.policy.loading import Source
from intercept.policy.model import RuleRef
from intercept.trial import play

CASES = Path(__file__).parent / "cases"
MODULES: dict[str, ModuleType] = {module.ID: module for module in (*RULES, *DRIFT)}
MARK = "# <--"


@dataclass(frozen=True)
class Sample:
    rule: str
    name: str
    policy: str
    tools: tuple[Tool, ...] | None
    is_good: bool

    @property
    def marked(self) -> list[int]:
        return [number for number, line in enumerate(self.policy.splitlines(), 1) if line.endswith(MARK)]


def uncovered(source: Source) -> tuple[RuleRef, ...]:
    return play(source).uncovered


def lint(policy: str, tools: tuple[Tool, ...] | None = None) -> list[Finding]:
    return engine.lint("policy.yaml", policy.encode(), tools, uncovered)


def documented(rule: str) -> list[Sample]:
    parts = re.split(r"^(Tools|Bad|Good):\n", MODULES[rule].__doc__ or "", flags=re.MULTILINE)
    return list(
        _samples(
            rule,
            "docstring",
            [(word.lower(), dedent(text)) for word, text in zip(parts[1::2], parts[2::2], strict=True)],
        )
    )


def further(rule: str) -> list[Sample]:
    parts = re.split(
        r"^--- (bad|good|tools)\n", (CASES / f"{rule}.txt").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    return list(_samples(rule, "case", list(zip(parts[1::2], parts[2::2], strict=True))))


def _samples(rule: str, origin: str, parts: list[tuple[str, str]]) -> Iterator[Sample]:
    tools: tuple[Tool, ...] | None = None
    for number, (word, text) in enumerate(parts, 1):
        if word == "tools":
            tools = parse_tools(json.loads(text))
        else:
            yield Sample(rule, f"{rule}-{origin}-{number}-{word}", text.strip("\n") + "\n", tools, word == "good")


def samples() -> list[Sample]:
    return [sample for rule in MODULES for sample in (*documented(rule), *further(rule))]
