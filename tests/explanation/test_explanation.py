from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intercept.errors import PolicyError
from intercept.explanation import Situation, explain
from intercept.explanation.report import as_json, lines
from intercept.policy import Circumstances, Effect, Kind, ToolCall
from intercept.policy.loading import load_with_sources
from intercept.rehearsal import request_for

from ..policy.documents import documents, entries
from .conftest import NOON, Explain

ROOT = Path(__file__).resolve().parent.parent.parent


def test_limits_show_what_was_used_before_the_call(explained: Explain) -> None:
    policy = """
tools:
  pay:
    limits:
      - {counter: spend, max: 100.5, window: day, cost: {from: args.amount}}
      - {max: 5, window: 1m}
"""

    before, after = (explained(policy, "pay", '{"amount": 30.1}', after=n) for n in (0, 2))

    assert [f"{limit.used} {limit.left}" for limit in before.limits] == ["0 100.5", "0 5"]
    assert [f"{limit.used} {limit.left}" for limit in after.limits] == ["60.2 40.3", "2 3"]
    assert not any(limit.refuses for limit in after.limits)


def test_a_limit_that_is_used_up_refuses_and_says_when_it_is_free(explained: Explain) -> None:
    policy = "tools: {pay: {limits: [{max: 5, window: 1m}, {counter: c, max: 3, window: 1h}]}}"

    explanation = explained(policy, "pay", after=10)

    assert [(str(limit.used), limit.refuses, limit.retry_after) for limit in explanation.limits] == [
        ("3", False, None),
        ("3", True, 3600),
    ]
    assert [(account.rule.effect, account.refused) for account in explanation.rules] == [(Effect.DENY, True)]
    assert explanation.told.endswith("Retry in 3600 seconds.")


def test_a_cost_that_can_never_fit_has_no_time_to_wait(explained: Explain) -> None:
    explanation = explained("tools: {pay: {limits: [{max: 5, window: 1m, cost: {from: args.n}}]}}", "pay", '{"n": 6}')

    assert [(limit.refuses, limit.retry_after, str(limit.left)) for limit in explanation.limits] == [(True, None, "5")]


def test_limits_that_share_a_counter_are_charged_once_with_the_higher_cost(explained: Explain) -> None:
    policy = """
tools:
  pay:
    limits: [{counter: c, max: 10, window: 1m, cost: 2}, {counter: c, max: 8, window: 1m}]
"""

    explanation = explained(policy, "pay", after=2)

    assert [limit.used for limit in explanation.limits] == [4, 4]


def test_a_shadow_limit_counts_only_while_it_would_let_pass(explained: Explain) -> None:
    policy = "tools: {pay: {rules: [{mode: shadow, rate_limit: 2/minute}, {rate_limit: 9/minute}]}}"

    explanation = explained(policy, "pay", after=5)

    assert explanation.decision.effect is Effect.ALLOW
    assert [limit.used for limit in explanation.limits] == [2, 5]
    assert [account.rule.name for account in explanation.shadow] == ["pay#1"]


def test_limits_of_the_calendar_and_of_calls_at_a_time_are_told_in_words_and_for_programs(explained: Explain) -> None:
    limits = "[{max: 3, window: month, align: calendar, timezone: Asia/Kolkata}, {max_concurrent: 2, scope: global}]"

    explanation = explained(f"tools: {{pay: {{limits: {limits}}}}}", "pay", after=2)
    refused = explained(f"tools: {{pay: {{limits: {limits}}}}}", "pay", after=3)

    told = [line.partition(": limit ")[2] for line in lines(explanation, Kind.TOOL) if ": limit " in line]
    assert told == [
        "`pay#1`: 2 of 3 calls per calendar month (Asia/Kolkata) used, 1 left; the call takes 1",
        "`pay#1`: 0 of 2 calls at a time used, 2 left; the call takes 1",
    ]
    told_programs: Any = as_json(explanation, Kind.TOOL)["limits"]
    month, slots = told_programs
    assert (month["window_s"], month["period"], month["timezone"]) == (None, "month", "Asia/Kolkata")
    assert (slots["window_s"], slots["scope"], slots["used"], "period" in slots) == (None, "global", 0, False)
    # From noon UTC on January 15 to the first of February there, which begins at 18:30 UTC.
    assert [limit.retry_after for limit in refused.limits] == [16 * 86_400 + 6 * 3_600 + 1_800, None]


def test_limits_are_not_looked_at_when_a_rule_denies(explained: Explain) -> None:
    policy = "tools: {pay: {rules: [{rate_limit: 2/minute}, {action: deny, after: x}]}}"

    assert explained(policy, "pay", answered={"x"}).limits == ()


def test_earlier_equal_calls_are_answered_and_so_count_for_after(explained: Explain) -> None:
    policy = "tools: {pay: {rules: [{name: once, action: deny, after: pay}]}}"

    assert explained(policy, "pay").decision.effect is Effect.ALLOW
    assert [account.rule.name for account in explained(policy, "pay", after=1).rules] == ["once"]


def test_other_rules_that_would_deny_are_told_apart_from_those_that_decided(explained: Explain) -> None:
    policy = """
tools:
  pay:
    rules:
      - {name: always, action: deny}
      - {name: small, require: [{path: args.n, op: lt, value: 5}]}
"""

    explanation = explained(policy, "pay", '{"n": 9}')

    assert [account.rule.name for account in explanation.rules] == ["always"]
    assert [account.rule.name for account in explanation.also] == ["small"]


def test_every_policy_has_a_say(explained: Explain) -> None:
    policies = ["tools: {pay: {}}", "default: allow\nhide: [pay]", "tools: {pay: {name: no, action: deny}}"]

    explanation = explained(policies, "pay")

    assert [(account.rule.path, account.rule.name) for account in explanation.rules] == [
        ("policy2.yaml", "no"),
        ("policy1.yaml", "hide"),
    ]
    assert (explanation.in_list, explanation.list_reason) == (False, "it is hidden")


def test_in_shadow_mode_nothing_refuses_and_everything_that_would_is_told(explained: Explain) -> None:
    policy = "mode: shadow\nhide: [drop]\ntools: {pay: {name: no, action: deny, reason: Never.}}"

    denied, hidden, unlisted = (explained(policy, name) for name in ("pay", "drop", "other"))

    assert {each.decision.effect for each in (denied, hidden, unlisted)} == {Effect.ALLOW}
    assert [(a.rule.name, a.rule.reason, a.is_no_rule) for a in denied.shadow] == [("no", "Never.", False)]
    assert [(a.rule.name, a.rule.line, a.is_no_rule) for a in hidden.shadow] == [("hide", 2, True)]
    assert [(a.rule.name, a.is_no_rule) for a in unlisted.shadow] == [("default", True)]
    assert denied.rules == hidden.rules == unlisted.rules == ()


def test_whether_a_name_stays_in_the_list(explained: Explain) -> None:
    policy = "hide: [drop]\ntools: {pay: {action: deny}, send: {require: [{path: args.n, op: eq, value: 1}]}}"

    shown = {name: explained(policy, name) for name in ("drop", "pay", "send", "other")}

    assert {name: (each.in_list, each.list_reason) for name, each in shown.items()} == {
        "drop": (False, "it is hidden"),
        "pay": (False, "no call of it could ever be allowed"),
        "send": (True, ""),
        "other": (False, "no call of it could ever be allowed"),
    }


def test_what_no_policy_speaks_of_is_not_judged(explained: Explain) -> None:
    explanation = explained("tools: {x: {}}", "x", kind=Kind.PROMPT)

    assert (explanation.decision.effect, explanation.is_judged) == (Effect.ALLOW, False)
    assert [*lines(explanation, Kind.PROMPT)] == ["allow `x`", "no policy speaks of prompts: all of them pass"]


def test_text_of_an_author_stays_on_one_line_and_whole(explained: Explain) -> None:
    policy = f'tools: {{pay: {{action: deny, reason: "a\\nb\\e[31m{"c" * 300}"}}}}'

    told = [*lines(explained(policy, "pay"), Kind.TOOL)]

    assert told[0] == f"deny `pay`: a b [31m{'c' * 300}"
    assert all(line.isprintable() for line in told)


@pytest.mark.parametrize("path", sorted((ROOT / "policies").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_tool_of_a_shipped_policy_can_be_explained(path: Path) -> None:
    loaded = load_with_sources([str(path)])

    for tool in loaded.sources[0].file.tools:
        explanation = explain(loaded, request_for(Kind.TOOL, tool, "{}"), Kind.TOOL, Situation(NOON))
        assert explanation.rules or explanation.decision.effect is Effect.ALLOW


CALLS = st.sampled_from(
    ["{}", '{"to": ["a", "x.com"], "amount": 2}', '{"to": "a", "amount": "2", "n": -1}', '{"a b": [7]}']
)


DOCUMENTS = st.builds(
    lambda document, entry: document | {"tools": {"read": entry} | document.get("tools", {})}, documents(), entries()
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=DOCUMENTS, name=st.sampled_from(["read", "read", "Read", "send_text", "get_x", "drop"]), call=CALLS)
def test_whatever_the_policy_the_decision_is_explained_and_is_that_of_the_policy(
    tmp_path: Path, document: Any, name: str, call: str
) -> None:
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(document))
    try:
        loaded = load_with_sources([str(path)])
    except PolicyError:
        return
    for kind in Kind:
        request = request_for(kind, name, call)
        explanation = explain(loaded, request, kind, Situation(NOON, answered=frozenset({"read"})))
        arguments = {} if kind is Kind.RESOURCE else json.loads(call)
        circumstances = Circumstances(NOON, answered=frozenset({"read"}), grant_answered=frozenset())
        decision = loaded.policy.evaluate(ToolCall(name, arguments, kind), circumstances)
        if explanation.decision.exhausted is None:
            assert explanation.decision.effect is decision.effect
            assert {account.key for account in explanation.rules if not account.is_no_rule} == {
                (rule.path, rule.line, rule.name) for rule in decision.rules
            }
        if explanation.decision.effect is Effect.DENY:
            assert explanation.rules
        assert all(account.parts for account in explanation.skipped)
        assert json.loads(json.dumps(as_json(explanation, kind)))["decision"] == explanation.decision.effect
        assert all(line.isprintable() for line in lines(explanation, kind))
