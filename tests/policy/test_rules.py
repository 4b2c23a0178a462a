"""What one rule says: when it applies, what it refuses, and what it charges."""

from __future__ import annotations

import pytest

from intercept.policy import Circumstances, Effect
from intercept.policy.rules import MAX_CHARGES
from intercept.values import Json

from .policies import NOW, Clockwork, allows, decide, policy_of


def test_a_rule_applies_only_while_all_its_conditions_hold() -> None:
    policy = policy_of(
        """
        tools:
          send:
            when: [{path: args.a, op: eq, value: 1}, {path: args.b, op: eq, value: 1}]
            require: [{path: args.c, op: eq, value: 1}]
        """
    )

    assert not allows(policy, "send", a=1, b=1)
    assert allows(policy, "send", a=1, b=1, c=1)
    assert allows(policy, "send", a=1)
    assert allows(policy, "send", b=1)


def test_a_rule_applies_once_a_tool_was_answered() -> None:
    policy = policy_of("tools: {send: {action: deny, after: [read_mail, 'fetch_*']}}")

    for answered, allowed in ((set(), True), ({"other"}, True), ({"read_mail"}, False), ({"x", "fetch_url"}, False)):
        assert allows(policy, "send", Circumstances(NOW.now, answered=frozenset(answered))) is allowed
    assert not allows(policy, "send", Circumstances(NOW.now, answered=None))


UNJUDGEABLE: list[Json] = ["60000", True, [5], {"n": 5}]


@pytest.mark.parametrize("amount", UNJUDGEABLE)
@pytest.mark.parametrize(
    "rule",
    [
        "require: [{path: args.n, op: lt, value: 9}]",
        "action: deny, when: [{path: args.n, op: gt, value: 99}]",
        "when: [{path: args.n, op: gt, value: 9}]",
        "require: [{any: [{path: args.ok, op: eq, value: true}, {path: args.n, op: lt, value: 9}]}]",
        "require: [{not: {path: args.n, op: gt, value: 99}}]",
        "action: deny, when: [{all: [{path: args.ok, op: eq, value: false}, {path: args.n, op: gt, value: 9}]}]",
        "action: deny, when: [{path: args.ok, op: eq, value: false}, {path: args.n, op: gt, value: 9}]",
        "action: deny, when: [{path: args.n, op: gt, value: 9}, {path: args.ok, op: eq, value: false}]",
    ],
)
def test_a_value_of_a_type_that_cannot_be_judged_denies_whatever_the_rule_is(rule: str, amount: Json) -> None:
    denial = decide(policy_of(f"tools: {{send: {{{rule}}}}}"), "send", ok=True, n=amount)

    assert denial.effect is Effect.DENY
    assert denial.reason == "rule `send#1` cannot judge `args.n`: its value is of the wrong type or ambiguous."


def test_annotations_deny_until_they_were_seen() -> None:
    policy = policy_of(
        "tools: {send: {action: deny, when: [{path: tool.annotations.readOnlyHint, op: eq, value: false}]}}"
    )

    unseen = decide(policy, "send")
    assert unseen.effect is Effect.DENY
    assert unseen.reason == "rule `send#1` needs the definition of the tool; list the tools first."
    assert not allows(policy, "send", Circumstances(NOW.now, annotations={}))
    assert allows(policy, "send", Circumstances(NOW.now, annotations={"readOnlyHint": True}))


def test_arguments_have_to_satisfy_the_schema() -> None:
    policy = policy_of(
        """
        tools:
          send: {arguments: {required: [to], properties: {n: {maximum: 5}, to: {type: string}}}}
        """
    )

    assert allows(policy, "send", to="a", n=5)
    for arguments in ({}, {"to": "a", "n": 6}, {"to": 5}):
        assert decide(policy, "send", **arguments).reason == "rule `send#1` does not accept these arguments."


def test_whatever_goes_wrong_inside_a_rule_denies() -> None:
    policy = policy_of("tools: {send: {require: [{path: args.to, op: regex, value: a}]}, pay: {arguments: {}}}")

    # The pattern engine takes no lone surrogates. The wire refuses them too, but a rule must not count on it.
    assert decide(policy, "send", to="a\ud800").reason == "rule `send#1` could not be evaluated."


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "rule `cap` requires `args.n`."),
        ({"n": None}, "rule `cap` requires `args.n`."),
        ({"n": 9}, "rule `cap` does not accept this value of `args.n`."),
        ({"n": 1}, "rule `cap` requires `args.to[*]`."),
        ({"n": 1, "to": []}, "rule `cap` requires `args.to[*]`."),
        ({"n": 1, "to": ["a", "b"]}, "rule `cap` does not accept this value of `args.to[*]`."),
        ({"n": 1, "to": ["a"], "k": 1}, "rule `cap` does not accept these arguments."),
    ],
)
def test_a_refusal_names_the_rule_and_the_path_but_never_the_value(arguments: dict[str, Json], reason: str) -> None:
    policy = policy_of(
        """
        tools:
          send:
            name: cap
            require:
              - {path: args.n, op: lte, value: 5}
              - {path: "args.to[*]", op: eq, value: a}
              - {not: {path: args.k, op: exists, value: true}}
        """
    )

    assert decide(policy, "send", **arguments).reason == reason


# --- what is charged


@pytest.mark.parametrize("cost", [None, -1, -0.01, "5", True, [5], {"n": 5}])
def test_a_cost_that_is_no_amount_denies(cost: Json) -> None:
    policy = policy_of("tools: {pay: {limits: [{max: 9, window: 1m, cost: {from: args.n}}]}}")

    denial = decide(policy, "pay", n=cost)

    assert denial.effect is Effect.DENY
    assert denial.reason == "rule `pay#1` requires `args.n` to be a number that is not negative."
    assert denial.charges == ()


def test_a_cost_of_nothing_and_one_above_the_maximum_are_left_to_the_counter() -> None:
    talk = Clockwork("tools: {pay: {limits: [{max: 9, window: 1m, cost: {from: args.n}}]}}")

    assert talk.call(0, "pay", n=0) is True
    assert talk.call(0, "pay", n=9.01) is None
    assert talk.call(0, "pay", n=9) is True
    assert talk.call(0, "pay", n=5e-324) == 60.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        ({"a": 1, "b": [2]}, {"b": [2.0], "a": 1}),
        (["a", {"x": None}], ["a", {"x": None}]),
        ("x" * 1_000, "x" * 1_000),
    ],
)
def test_equal_values_have_one_count(one: Json, other: Json) -> None:
    talk = Clockwork("tools: {send: {limits: [{max: 1, window: 1m, per: args.to}]}}")

    assert talk.call(0, "send", to=one) is True
    assert talk.call(0, "send", to=other) == 60.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, "1"),
        (1, True),
        ("a", "A"),
        ("a", ["a"]),
        ([1, 2], [2, 1]),
        ({"a": 1}, {"a": 2}),
        ("x" * 1_000, "x" * 999 + "y"),
        ("é", "e\u0301"),
    ],
)
def test_different_values_have_counts_of_their_own(one: Json, other: Json) -> None:
    talk = Clockwork("tools: {send: {limits: [{max: 1, window: 1m, per: args.to}]}}")

    assert talk.call(0, "send", to=one) is True
    assert talk.call(0, "send", to=other) is True


def test_several_paths_make_one_value() -> None:
    talk = Clockwork("tools: {send: {limits: [{max: 1, window: 1m, per: [args.a, args.b]}]}}")

    assert talk.call(0, "send", a="x", b="y") is True
    assert talk.call(0, "send", a="y", b="x") is True
    assert talk.call(0, "send", a="x,y", b="") is True
    assert talk.call(0, "send", a="x", b="y") == 60.0


def test_each_element_is_charged_once_however_often_it_is_named() -> None:
    talk = Clockwork('tools: {send: {limits: [{max: 1, window: 1m, per: "args.to[*]"}]}}')

    assert talk.call(0, "send", to=["a", "b", "a", "a"]) is True
    assert talk.call(1, "send", to="a") == 59.0
    assert talk.call(1, "send", to=["c", "b"]) == 59.0
    assert talk.call(1, "send", to="c") is True


def test_the_whole_arguments_are_a_loop_breaker() -> None:
    talk = Clockwork("tools: {send: {limits: [{max: 1, window: 60, per: args}]}}")

    assert talk.call(0, "send", a=1, b=[2]) is True
    assert talk.call(0, "send", b=[2.0], a=1.0) == 60.0
    assert talk.call(0, "send", a=1) is True
    assert talk.call(0, "send") is True
    assert talk.call(0, "send") == 60.0


@pytest.mark.parametrize("arguments", [{}, {"to": None}, {"to": []}, {"to": ["a", None]}])
def test_what_is_counted_by_has_to_be_there(arguments: dict[str, Json]) -> None:
    policy = policy_of('tools: {send: {limits: [{max: 1, window: 1m, per: "args.to[*]"}]}}')

    denial = decide(policy, "send", **arguments)

    assert denial.effect is Effect.DENY
    assert denial.reason == "rule `send#1` requires `args.to[*]`."


def test_one_call_brings_a_bounded_number_of_values() -> None:
    policy = policy_of('tools: {send: {limits: [{max: 1, window: 1m, per: ["args.a[*]", "args.b[*]"]}]}}')
    many: list[Json] = list(range(MAX_CHARGES))

    assert len(decide(policy, "send", a=many, b="x").charges) == MAX_CHARGES
    assert decide(policy, "send", a=many, b=["x", "y"]).effect is Effect.DENY
    assert decide(policy, "send", a=[1] * 10_000_000, b="x").effect is Effect.DENY


def test_a_rule_that_does_not_apply_charges_nothing() -> None:
    policy = policy_of(
        "tools: {send: {when: [{path: args.a, op: eq, value: 1}], after: read, limits: [{max: 1, window: 1m}]}}"
    )
    read = Circumstances(0.0, answered=frozenset({"read"}))

    assert len(decide(policy, "send", read, a=1).charges) == 1
    assert decide(policy, "send", read, a=2).charges == ()
    assert decide(policy, "send", a=1).charges == ()
