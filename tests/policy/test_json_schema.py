from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings

from intercept.policy import document
from intercept.policy.json_schema import DIALECT, json_schema
from intercept.policy.schema import PolicyFile

from .documents import documents, mutants

SCHEMA = json_schema()
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)


def mistakes(policy: Any) -> list[str]:
    """What the loader has to say about the shape of `policy`."""
    return [str(problem) for problem in document.parse(json.dumps(policy).encode(), "policy.json").problems]


def test_it_is_a_schema_of_the_dialect_that_it_names() -> None:
    jsonschema_rs.meta.validate(SCHEMA)
    assert SCHEMA["$schema"] == DIALECT


@settings(max_examples=80, deadline=None)
@given(documents())
def test_what_an_author_can_write_is_accepted_by_the_loader_and_by_the_schema(policy: Any) -> None:
    assert mistakes(policy) == []
    assert [error.message for error in VALIDATOR.iter_errors(policy)] == []


@settings(max_examples=400, deadline=None)
@given(mutants())
def test_a_document_with_a_mistake_is_refused_by_both_or_by_neither(policy: Any) -> None:
    assert VALIDATOR.is_valid(policy) is (not mistakes(policy)), mistakes(policy)


@pytest.mark.parametrize(
    ("rule", "is_fine"),
    [
        ({"rate_limit": "10/minute"}, True),
        ({"rate_limit": "10/0.5h"}, True),
        ({"rate_limit": "0/minute"}, False),
        ({"rate_limit": "10/0s"}, False),
        ({"rate_limit": "10/month"}, False),
        ({"rate_limit": {"max": 1, "window": "0.0m"}}, False),
        ({"rate_limit": {"max": 1, "window": 400_000_000}}, False),
        ({"rate_limit": None}, False),
        ({"on_deny": "a", "reason": "a"}, False),
        ({"action": "deny", "when": []}, True),
        ({"action": "deny", "require": []}, False),
        ({"action": "require_approval"}, True),
        ({"action": "require_approval", "approval": {"timeout": "5m", "remember": 0}}, True),
        ({"action": "require_approval", "approval": {"timeout": 0}}, False),
        ({"action": "require_approval", "approval": {"timeout": "0.0m"}}, False),
        ({"action": "require_approval", "approval": {"timeout": 400_000_000}}, False),
        ({"action": "require_approval", "approval": {"timeout": "minute"}}, False),
        ({"action": "require_approval", "approval": {"via": ["operator"]}}, False),
        ({"action": "require_approval", "approval": None}, False),
        ({"action": "require_approval", "approval": {"timeout": 5}, "approval_timeout": 5}, False),
        ({"action": "require_approval", "approval": {"remember": 5}, "approval_timeout": 5}, True),
        ({"action": "require_approval", "require": [], "limits": [], "arguments": {}}, True),
        ({"action": "require_approval", "state": {"counter": "c", "window": "day"}}, False),
        ({"action": "deny", "approval": {}}, False),
        ({"approval_timeout": "5m"}, False),
        ({"approval": {}}, False),
        ({"rules": [{"action": "require_approval"}], "approval": {}}, False),
        ({"rules": [], "mode": "shadow"}, True),
        ({"rules": [{}], "mode": "shadow"}, False),
        ({"rules": [{}], "mode": "shadow", "limits": []}, True),
        ({"deny_if": [{"on_deny": "a", "reason": "a"}]}, False),
        ({"limits": [{"max": 1, "window": 1, "cost": 1, "increment": 1}]}, False),
        ({"limits": [{"max": 1, "window": 1, "increment": 1, "increment_from": "args.a"}]}, False),
        ({"limits": [{"max": 0, "window": 1}]}, False),
        ({"limits": [{"window": 1}]}, False),
        ({"limits": [{"max": 1, "window": "month", "align": "calendar"}]}, True),
        ({"limits": [{"max": 1, "window": "month", "align": "calendar", "timezone": "UTC"}]}, True),
        ({"limits": [{"max": 1, "window": "month"}]}, False),
        ({"limits": [{"max": 1, "window": "day", "timezone": "UTC"}]}, False),
        ({"limits": [{"max": 1, "window": "1d", "align": "calendar"}]}, False),
        ({"limits": [{"max": 1, "window": 86400, "align": "calendar"}]}, False),
        ({"limits": [{"max_concurrent": 1, "counter": "c", "scope": "global", "per": "tool"}]}, True),
        ({"limits": [{"max_concurrent": 0}]}, False),
        ({"limits": [{"max_concurrent": 1, "window": 1}]}, False),
        ({"limits": [{"max_concurrent": 1, "cost": 1}]}, False),
        ({"limits": ["10/minute"]}, False),
        ({"action": "deny", "after": "a", "after_scope": "grant"}, True),
        ({"action": "deny", "after_scope": "grant"}, False),
        ({"state": {"counter": "c", "window": "day", "increment": 1, "increment_from": "args.a"}}, False),
        ({"when": [{}]}, False),
        ({"when": [{"path": "args.a", "op": "eq"}]}, False),
        ({"when": [{"path": "args.a", "op": "eq", "value": None}]}, False),
        ({"when": [{"path": "args.a", "op": "eq", "value": [None]}]}, True),
        ({"when": [{"path": "args.a", "op": "lt", "value": "5"}]}, False),
        ({"when": [{"path": "args.a", "op": "lt", "value": True}]}, False),
        ({"when": [{"path": "args.a", "op": "in", "value": "a"}]}, False),
        ({"when": [{"path": "args.a", "op": "length_lte", "value": -1}]}, False),
        ({"when": [{"path": "args.a", "op": "host_in", "value": ["a", 1]}]}, False),
        ({"when": [{"path": "args.a", "op": "equals", "value": 1}]}, False),
        ({"when": [{"path": "args.a", "op": "eq", "value": 1, "optional": True}]}, False),
        ({"require": [{"path": "args.a", "op": "eq", "value": 1, "optional": True, "on_deny": "a"}]}, True),
        ({"require": [{"all": [{"path": "args.a", "op": "eq", "value": 1}], "optional": True}]}, False),
        ({"require": [{"all": [{"path": "args.a", "op": "eq", "value": 1, "optional": True}]}]}, True),
        ({"require": [{"not": {"path": "args.a", "op": "eq", "value": 1, "optional": True}}]}, False),
        ({"require": [{"any": [], "all": []}]}, False),
        ({"require": [{"any": [], "path": "args.a"}]}, False),
        ({"acton": "deny"}, False),
        (None, True),
        ([], False),
        ("deny", False),
    ],
)
def test_loader_and_schema_agree_on_an_entry(rule: Any, is_fine: bool) -> None:
    policy = {"tools": {"send": rule}}

    assert (not mistakes(policy)) is is_fine
    assert VALIDATOR.is_valid(policy) is is_fine


@pytest.mark.parametrize(
    ("approvals", "is_fine"),
    [
        ({}, True),
        ({"timeout": "5m", "remember": "15m", "via": ["operator", "elicitation"]}, True),
        ({"remember": 0}, True),
        ({"via": ["operator"]}, True),
        ({"via": []}, False),
        ({"via": ["operator", "operator"]}, False),
        ({"via": ["slack"]}, False),
        ({"via": "operator"}, False),
        ({"timeout": "0s"}, False),
        ({"timeout": None}, False),
        (None, False),
        ([], False),
    ],
)
def test_loader_and_schema_agree_on_approvals(approvals: Any, is_fine: bool) -> None:
    policy = {"approvals": approvals}

    assert (not mistakes(policy)) is is_fine
    assert VALIDATOR.is_valid(policy) is is_fine


def test_what_stands_for_every_tool_is_not_left_empty() -> None:
    assert not VALIDATOR.is_valid({"all_tools": None})
    assert mistakes({"all_tools": None})


@pytest.mark.parametrize(
    "policy",
    [
        {"version": 1.0},
        {"tests": [{"calls": [{"tool": "a", "expect": "allow", "repeat": 1.0}]}]},
        {"tools": {"a": {"when": [{"path": "args.a", "op": "length_lte", "value": 1.0}]}}},
        {"tools": {"a": {"rate_limit": {"max": 1, "window": "9999d"}}}},
        {"tools": {"a": {"rate_limit": {"max": 1, "window": "0.0001s"}}}},
    ],
)
def test_what_a_schema_cannot_say_is_left_to_the_loader(policy: Any) -> None:
    assert VALIDATOR.is_valid(policy)
    assert mistakes(policy)


def test_every_key_is_offered_and_none_is_described_by_what_its_readers_do_not_have() -> None:
    text = json.dumps(SCHEMA)

    assert set(SCHEMA["properties"]) == set(PolicyFile.fields)
    assert "POLICY" not in text
    assert SCHEMA["additionalProperties"] is False
    assert all(model["additionalProperties"] is False for model in SCHEMA["$defs"].values())
