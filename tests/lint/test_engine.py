"""Findings have their place, their order and their rule; good policies have none."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from intercept.lint import engine
from intercept.lint.finding import Confidence, Finding, Severity
from intercept.lint.rules import DRIFT, RULES
from intercept.lint.tools import Tool
from intercept.policy.schema import OPERANDS

from .samples import lint, uncovered

ROOT = Path(__file__).resolve().parents[2]
GOOD = sorted([*(ROOT / "policies").glob("*.yaml"), *(ROOT / "examples").rglob("policy*.yaml")])


@pytest.mark.parametrize("path", GOOD, ids=lambda path: str(path.relative_to(ROOT)))
def test_lint_is_quiet_on_what_we_ship(path: Path) -> None:
    findings = engine.lint(str(path), path.read_bytes(), None, uncovered)

    assert [finding for finding in findings if finding.fails] == []


def test_what_we_ship_is_there() -> None:
    assert len(GOOD) >= 6


def test_a_finding_says_which_rule_how_bad_how_sure_and_exactly_where() -> None:
    policy = """\
default: deny
tools:
  read_file:
    require:
      - path: args.path
        op:   starts_with
        value: /srv/data
    rate_limit: 100/day
"""

    assert [finding for finding in lint(policy) if finding.fails] == [
        Finding(
            "path-as-text",
            Severity.WARNING,
            Confidence.HIGH,
            "policy.yaml",
            6,
            15,
            "`/srv/data/../../../etc/passwd` passes",
            "compare the folder: `op: path_within`",
        ),
        Finding(
            "session-window",
            Severity.WARNING,
            Confidence.HIGH,
            "policy.yaml",
            8,
            17,
            "a new session starts this `day` anew",
            "add `scope: grant`, or limit by the hour",
        ),
    ]


def test_a_place_in_json_is_found_too() -> None:
    policy = '{\n  "default": "deny",\n  "tools": {\n    "send_text": {}\n  }\n}\n'

    (finding,) = [finding for finding in lint(policy) if finding.fails]

    assert (finding.rule, finding.line, finding.column) == ("unlimited-message", 4, 5)


def test_a_policy_that_does_not_load_has_all_its_mistakes_and_nothing_else() -> None:
    policy = """\
default: allow
tools:
  send_text: {rate_limt: 30/minute}
  refund:
    require: [{path: args.amount, op: regex, value: "("}]
"""

    findings = lint(policy)

    assert [(each.rule, each.severity, each.line, each.column) for each in findings] == [
        ("invalid-policy", Severity.ERROR, 3, 15),
        ("invalid-policy", Severity.ERROR, 5, 53),
    ]
    assert findings[0].message == "tools.send_text.rate_limt: unknown key `rate_limt`"
    assert findings[0].help == "did you mean `rate_limit`?"


@pytest.mark.parametrize("text", ["", "\x00", "[]", "- a\n- b\n", "default: {", "\xff", "tools: 1\n", "a: &a [*a]\n"])
def test_what_is_no_policy_at_all_is_a_finding(text: str) -> None:
    findings = engine.lint("policy.yaml", text.encode("latin-1"))

    assert findings
    assert {finding.rule for finding in findings} == {"invalid-policy"}


def test_findings_come_in_the_order_of_the_text_and_none_comes_twice() -> None:
    policy = "tools:\n" + "".join(f"  send_{n}: {{rate_limit: 9/day}}\n  delete_{n}: {{}}\n" for n in range(9))

    findings = lint(policy)

    assert findings == sorted(set(findings), key=lambda each: (each.line, each.column, each.rule))
    assert len(findings) == 2 + 9 + 9


def test_every_id_is_described_in_a_sentence() -> None:
    described = engine.described()

    assert {rule.ID for rule in (*RULES, *DRIFT)} < set(described)
    assert len(described) == len(RULES) + len(DRIFT) + 3
    assert all(re.fullmatch(r"[A-Z0-9`].*\.", text) for about in described.values() for text in (about.what, about.why))


def test_rules_for_resources_and_prompts_are_looked_at_as_well() -> None:
    policy = """\
default: deny
tools:
  list_orders: {}
resources:
  "file:///srv/*":
    when: [{path: now.hour, op: gt, value: 23}]
prompts:
  summarize:
    require: [{path: args.lang, op: regex, value: "en|de"}]
"""

    assert [(each.rule, each.line) for each in lint(policy) if each.fails] == [
        ("no-effect", 6),
        ("never-applies", 6),
        ("unanchored-regex", 9),
    ]


TEXTS = ["a", "", "[", "^(a|b)$", "https://a.example", "/srv", "*", "10.0.0.0/8", "5"]
VALUES = [*TEXTS, 5, 0, -1, 0.5, True, [], ["a", 1], [[]], {}]
PATHS = ["args", "args[0]", "args.a", "args.to[*].b", 'args["x y"]', "args.url", "args.sql", "now.hour", "tool.name"]
TOOL = Tool("git", {"properties": {"a": {"type": "array"}, "url": {"enum": [1]}, "sql": {"type": "integer"}}})


@pytest.mark.parametrize("op", OPERANDS)
@pytest.mark.parametrize(("role", "action"), [("require", "allow"), ("when", "deny")])
def test_no_condition_upsets_a_rule_whatever_it_compares(op: str, role: str, action: str) -> None:
    loaded = 0
    for path in PATHS:
        for value in VALUES:
            condition = {"path": path, "op": op, "value": value}
            rule = {"action": action, role: [condition, {"not": {"any": [condition, condition]}}]}
            policy = json.dumps({"default": "deny", "tools": {"git": rule}})
            loaded += all(finding.rule != "invalid-policy" for finding in lint(policy, (TOOL,)))

    assert loaded


def test_names_from_a_policy_or_a_server_cannot_write_lines_or_escapes_into_a_message() -> None:
    policy = 'default: allow\ntools:\n  "send\\n::error::\\e[31m": {}\n  get: {}\n'
    tool = Tool("geT\x1b[2J\n" + "x" * 9000, {})

    findings = lint(policy, (tool,))

    assert {"unknown-tool", "unmentioned-tool", "unlimited-message"} <= {finding.rule for finding in findings}
    assert all(finding.message.isprintable() and finding.help.isprintable() for finding in findings)
    assert max(len(finding.message) for finding in findings) == 500
