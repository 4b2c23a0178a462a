"""Intercept 1.x `state`: what is read as a limit, and what is a mistake that shows the limit to write."""

from __future__ import annotations

from decimal import Decimal

import pytest

from intercept.errors import PolicyError
from intercept.policy import Window

from .policies import decide, policy_of

RULE = """
    tools:
      {entry}:
        rules:
          - conditions: [{{path: {path}, op: {op}, value: {value}}}]
            state: {{counter: n, window: hour{more}}}
      pay: {{}}
"""


def rule(path: str = "state.send.n", op: str = "lte", value: str = "5", entry: str = "send", more: str = "") -> str:
    return RULE.format(path=path, op=op, value=value, entry=entry, more=more)


@pytest.mark.parametrize(
    ("op", "value", "maximum"),
    [("lte", "5", 5), ("lte", "5.5", Decimal("5.5")), ("lt", "5", 4), ("lt", "5.5", 5), ("lt", "2.0", 1)],
)
def test_a_comparison_with_the_counter_is_its_maximum(op: str, value: str, maximum: Decimal | int) -> None:
    [charge] = decide(policy_of(rule(op=op, value=value)), "send").charges

    assert [charge.max, charge.cost, charge.window] == [maximum, 1, Window(3_600, "hour")]


@pytest.mark.parametrize(
    ("more", "cost"), [(", increment: 3", 3), (", increment: 0", 1), (", increment_from: args.amount", 4)]
)
def test_an_increment_is_a_cost_and_0_is_one_left_out(more: str, cost: int) -> None:
    [charge] = decide(policy_of(rule(more=more)), "send", amount=4).charges

    assert charge.cost == cost


def test_the_counter_of_the_star_is_global() -> None:
    policy = policy_of(rule(path="state._global.n", entry='"*"'))

    [charge] = decide(policy, "pay").charges

    assert charge.counter == "_global.n"


def test_a_limit_can_share_the_counter_by_its_full_name() -> None:
    policy = policy_of(rule() + "      other: {limits: [{counter: send.n, max: 9, window: 1h, scope: grant}]}\n")

    assert decide(policy, "send").charges[0].key == decide(policy, "other").charges[0].key


def test_other_conditions_of_the_rule_have_to_hold() -> None:
    policy = policy_of(
        """
        tools:
          send:
            rules:
              - conditions: [{path: args.a, op: eq, value: 1}, {path: state.send.n, op: lt, value: 5}]
                state: {counter: n, window: hour}
        """
    )

    assert [charge.max for charge in decide(policy, "send", a=1).charges] == [4]
    assert decide(policy, "send", a=2).effect == "deny"


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (rule(op="gt"), ["no condition limits", "`state` can only limit"]),
        (rule(path="state.other.n"), ["no condition limits", "`state` can only limit"]),
        (rule(path="state._global.n"), ["no condition limits", "`state` can only limit"]),
        (rule(path="state.send.other"), ["no condition limits", "`state` can only limit"]),
        (rule(path="args.n"), ["no condition limits"]),
        (rule(op="lt", value="1"), ["this refuses every call"]),
        (rule(value="0"), ["this refuses every call"]),
        ("tools: {a: {require: [{path: state.a.n, op: lt, value: 5}]}}", ["`state` can only limit"]),
        ("tools: {a: {action: deny, when: [{path: state.a.n, op: gt, value: 5}]}}", ["`state` can only limit"]),
        ("tools: {a: {require: [{any: [{path: state.a.n, op: lt, value: 5}]}]}}", ["`state` can only limit"]),
        (
            """
            tools:
              send:
                rules:
                  - conditions: [{path: state.send.n, op: lt, value: 5}, {path: state.send.n, op: lte, value: 9}]
                    state: {counter: n, window: hour}
            """,
            ["`state` can only limit"],
        ),
    ],
)
def test_any_other_use_is_a_mistake_that_shows_the_limit_to_write(text: str, messages: list[str]) -> None:
    with pytest.raises(PolicyError) as refused:
        policy_of(text)

    problems = refused.value.problems
    assert sorted(problem.message.startswith(tuple(messages)) for problem in problems) == [True] * len(messages)
    for problem in problems:
        assert "write `limits: [{counter: " in problem.help or "action: deny" in problem.help


def test_the_limit_to_write_has_what_the_author_wrote() -> None:
    with pytest.raises(PolicyError) as refused:
        policy_of(rule(op="gt", value="1000", more=", increment_from: args.amount"))

    helps = {problem.help for problem in refused.value.problems}
    assert "write `limits: [{counter: n, max: 1000, window: hour, cost: {from: args.amount}}]`" in helps
