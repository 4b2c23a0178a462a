"""The policies that people already have decide as they are written, on both sides of each limit (POLICY, opening)."""

from __future__ import annotations

from textwrap import dedent

import pytest

from intercept.policy import Effect, Scope
from intercept.values import Json
from tests.harness import Conversation, denied
from tests.harness import call as called

from .policies import Clockwork, allows, decide, policy_of

FORM_A = """
    tools:
      fb_send_message:
        rules:
          - action: allow
            rate_limit:
              max: 30
              window: 60
"""
FORM_B = """
{"version": "1", "default": "deny",
 "tools": {"send_interactive_flow": {"limits": [
    {"counter": "send_interactive_flow_rate", "window": "minute", "max": 30, "scope": "grant"}]}}}
"""
FORM_C = """
    version: "1"
    hide: [delete_customer]
    tools:
      create_charge:
        rules:
          - name: max single charge
            conditions: [{path: args.amount, op: lte, value: 50000}]
            on_deny: Single charge cannot exceed $500.00
          - name: daily spend cap
            conditions: [{path: state.create_charge.daily_spend, op: lte, value: 1000000}]
            state: {counter: daily_spend, window: day, increment_from: args.amount}
      create_refund:
        rules: [{name: refund limit, rate_limit: 10/day}]
      create_payout:
        rules: [{action: require_approval, conditions: [{path: args.amount, op: gt, value: 50000}],
                 approval_timeout: 30m}]
      list_charges:
        rules: []
      "*":
        rules: [{rate_limit: 60/minute}]
"""
FORM_D = """
    version: "1"
    default: deny
    hide: [drop_table]
    all_tools: {limits: [{counter: all, window: minute, max: 60, scope: grant}]}
    tools:
      list_charges: {}                                    # listed: allowed
      refund: {deny_if: [{conditions: [{path: args.amount, op: gt, value: 50000}], on_deny: Refund too large.}]}
      transfer: {deny_if: [{conditions: [], on_deny: Requires a person.}]}     # no conditions: always
"""
FORM_E = """
    tools:
      send_button_list: {rate_limit: {max: 10, window: 60}}
      send_button_actions: {action: deny, reason: Buttons that place calls are off limits.}
"""


@pytest.mark.parametrize(("form", "tool"), [(FORM_A, "fb_send_message"), (FORM_B, "send_interactive_flow")])
def test_the_thirty_first_call_in_a_minute_waits_until_the_first_has_left_it(form: str, tool: str) -> None:
    talk = Clockwork(form)
    assert [talk.call(second, tool, to="+55") for second in range(30)] == [True] * 30

    assert talk.call(30, tool, to="+55") == 30.0
    assert talk.call(48, tool, to="+55") == 12.0
    assert talk.call(59.999, tool, to="+55") == pytest.approx(0.001)
    assert talk.call(60, tool, to="+55") is True
    assert talk.call(60, tool, to="+55") == 1.0
    assert talk.call(60, "another_tool") is False


def test_ten_calls_in_a_minute_and_a_tool_that_is_denied() -> None:
    talk = Clockwork(FORM_E)

    assert [talk.call(0, "send_button_list") for _ in range(10)] == [True] * 10
    assert talk.call(59, "send_button_list") == 1.0
    assert talk.call(60, "send_button_list") is True
    denial = decide(policy_of(FORM_E), "send_button_actions")
    assert denial.reason == "Buttons that place calls are off limits."
    assert [rule.name for rule in denial.rules] == ["send_button_actions#1"]


def test_a_condition_of_version_1_has_to_hold() -> None:
    policy = policy_of(FORM_C)

    assert allows(policy, "create_charge", amount=50_000)
    assert allows(policy, "create_charge", amount=49_999.99)
    refused: list[Json] = [50_001, 50_000.01, "50000", "60000", None, True, [50_000]]
    for amount in refused:
        denial = decide(policy, "create_charge", amount=amount)
        assert denial.reason == "Single charge cannot exceed $500.00"
        assert denial.rules[0].name == "max single charge"


def test_a_state_condition_of_version_1_is_a_limit() -> None:
    talk = Clockwork(FORM_C)
    for second in range(20):
        assert talk.call(second * 60, "create_charge", amount=50_000) is True

    assert talk.call(7_200, "create_charge", amount=1) == 86_400.0 - 7_200
    assert talk.call(86_399, "create_charge", amount=1) == 1.0
    assert talk.call(86_400, "create_charge", amount=50_000) is True
    assert talk.call(86_400, "create_charge", amount=1) == 60.0


def test_the_counter_of_a_state_condition_belongs_to_its_tool_and_outlives_the_session() -> None:
    [charge, *_] = decide(policy_of(FORM_C), "create_charge", amount=7).charges

    assert charge.counter == "create_charge.daily_spend"
    assert charge.scope is Scope.GRANT
    assert charge.cost == 7


def test_ten_refunds_a_day() -> None:
    talk = Clockwork(FORM_C)
    assert [talk.call(second, "create_refund") for second in range(10)] == [True] * 10

    assert talk.call(100, "create_refund") == 86_300.0
    assert talk.call(86_400, "create_refund") is True


def test_a_payout_above_the_amount_needs_a_person() -> None:
    policy = policy_of(FORM_C)

    passing: list[Json] = [50_000, 49_999.99, 0, -1]
    assert all(allows(policy, "create_payout", amount=amount) for amount in passing)
    assert allows(policy, "create_payout")
    for amount in (50_000.01, 50_001, 1e300):
        held = decide(policy, "create_payout", amount=amount)
        assert held.effect is Effect.ASK
        assert held.reason == "rule `create_payout#1` requires a person's approval."
        assert [(rule.name, rule.effect) for rule in held.rules] == [("create_payout#1", Effect.ASK)]
        assert [charge.max for charge in held.charges] == [60]
    refused: list[Json] = ["50000", "60000", True, {"value": 1}]
    assert all(decide(policy, "create_payout", amount=amount).effect is Effect.DENY for amount in refused)


def test_a_payout_above_the_amount_counts_among_all_calls_only_once_a_person_agreed() -> None:
    talk = Conversation(dedent(FORM_C))
    for number in range(100):
        talk.client(called(number, "create_payout", amount=50_001))
    for number in range(100, 159):
        talk.client(called(number, "list_charges"))
    talk.client(called(159, "create_payout", amount=50_000))
    talk.client(called(160, "create_payout", amount=50_001))
    talk.client(called(161, "create_payout", amount=50_000))

    assert [message["id"] for message in talk.to_upstream] == [*range(100, 160)]
    assert [denied(answer)["decision"] for answer in talk.to_client] == ["ask"] * 100 + ["deny"] * 2
    assert [denied(answer)["rule"] for answer in talk.to_client[-2:]] == ["*#1", "*#1"]


def test_the_rules_of_the_star_count_all_tools_together() -> None:
    talk = Clockwork(FORM_C)
    for call in range(60):
        assert talk.call(0, "list_charges" if call % 2 else "create_charge", amount=1) is True

    assert talk.call(1, "list_charges") == 59.0
    assert talk.call(1, "create_refund") == 59.0
    assert talk.call(60, "list_charges") is True


def test_the_operator_of_form_c_reads_what_is_different_here() -> None:
    assert policy_of(FORM_C).notes == ("policy.yaml: no `default`, so what no entry lists is denied",)
    assert policy_of(FORM_C).needs_state


def test_what_is_hidden_or_not_listed_is_denied() -> None:
    policy = policy_of(FORM_C)

    assert not allows(policy, "delete_customer")
    assert not allows(policy, "some_other_tool")


def test_the_hosted_form_decides_as_it_is_written() -> None:
    policy = policy_of(FORM_D)

    assert allows(policy, "list_charges")
    assert allows(policy, "refund", amount=50_000)
    assert decide(policy, "refund", amount=50_000.01).reason == "Refund too large."
    assert not allows(policy, "refund", amount="60000")
    assert allows(policy, "refund")
    assert decide(policy, "transfer").reason == "Requires a person."
    assert not allows(policy, "drop_table")
    assert not allows(policy, "list_charges2")


def test_the_hosted_form_counts_all_tools_together() -> None:
    talk = Clockwork(FORM_D)
    for call in range(60):
        assert talk.call(0, "list_charges" if call % 2 else "refund", amount=1) is True

    assert talk.call(59, "refund", amount=1) == 1.0
    assert talk.call(59, "refund", amount=50_001) is False
    assert talk.call(60, "refund", amount=1) is True
