"""Laws of the language, on random policies and calls (POLICY section 3)."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from intercept.policy import Circumstances, Decision, Effect, Kind, ToolCall
from intercept.policy.evaluate import Policy

from .policies import policy_of, set_of

Mapping: TypeAlias = dict[str, Any]

NAMES = [*["send", "send_mail"] * 5, "get_user", "other", "Send", "send\u200b", "send mail", ""]
KEYS = ["send", "send_mail", "get_user", "*", "send*", "*_mail", "*e*"]
"""What hypothesis likes comes first and often, so that most calls meet a rule."""

SCALARS = st.sampled_from([None, True, False, 0, 1, 1.0, 5, 5.5, "", "a", "b", "5", "ab"])
VALUES = SCALARS | st.lists(SCALARS | st.lists(SCALARS, max_size=2), max_size=3) | st.just({"a": 1})
ARGUMENTS = st.dictionaries(st.sampled_from(["x", "y"]), VALUES, max_size=2)
PATHS = st.sampled_from(["args.x", "args.y", "args.x[*]", "args.x[*].a", "args.x[0]", "tool.name", "grant", "now.hour"])
OPERANDS: Mapping = {
    **dict.fromkeys(["eq", "neq", "contains", "not_contains"], st.sampled_from(["a", 1, 5.5, True, ["a"]])),
    **dict.fromkeys(["in", "not_in"], st.sampled_from([["a", "b"], [1, 5], ["send", True]])),
    **dict.fromkeys(["lt", "lte", "gt", "gte"], st.sampled_from([0, 1, 5, 5.5])),
    **dict.fromkeys(["regex", "not_regex", "starts_with", "ends_with"], st.sampled_from(["a", "b", "s"])),
    **dict.fromkeys(["length_lte", "length_gte"], st.sampled_from([0, 1, 2])),
    "glob": st.sampled_from(["a*", "*b", "send*"]),
    "exists": st.booleans(),
}


@st.composite
def leaves(draw: st.DrawFn) -> Mapping:
    op = draw(st.sampled_from(sorted(OPERANDS)))
    path = draw(PATHS)
    if path == "now.hour" and op in {"eq", "neq", "in", "not_in"}:
        path = "args.x"
    return {"path": path, "op": op, "value": draw(OPERANDS[op])}


CONDITIONS = st.recursive(
    leaves(),
    lambda inner: (
        st.fixed_dictionaries({"not": inner})
        | st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)})
        | st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)})
    ),
    max_leaves=4,
)
LIMITS = st.fixed_dictionaries(
    {"max": st.sampled_from([1, 5, 2.5]), "window": st.sampled_from(["minute", 60, "2h"])},
    optional={
        "counter": st.just("c"),
        "per": st.sampled_from(["args.x", "args.x[*]", "tool", "args", ["args.x", "args.y"]]),
        "cost": st.sampled_from([1, 0, {"from": "args.x"}]),
    },
)
GATES = {"when": st.lists(CONDITIONS, max_size=2), "after": st.sampled_from(["get_user", ["send*", "x"]])}
ALLOWING = st.fixed_dictionaries(
    {},
    optional=GATES
    | {
        "require": st.lists(CONDITIONS | leaves().map(lambda leaf: leaf | {"optional": True}), max_size=2),
        "arguments": st.sampled_from([{"required": ["x"]}, {"properties": {"x": {"type": ["integer", "array"]}}}]),
        "limits": st.lists(LIMITS, max_size=2),
    },
)
DENYING = st.fixed_dictionaries({"action": st.just("deny")}, optional=GATES)
ASKING = ALLOWING.map(lambda rule: rule | {"action": "require_approval"})
LIMITING = st.lists(LIMITS, min_size=1, max_size=2).map(lambda limits: {"limits": limits})
RULES = LIMITING | ALLOWING | DENYING | ASKING
ENTRIES = st.lists(RULES, min_size=1, max_size=3).map(lambda rules: {"rules": rules})
POLICIES = st.fixed_dictionaries(
    {
        "default": st.sampled_from(["allow", "deny"]),
        "tools": st.dictionaries(st.sampled_from(KEYS), ENTRIES, min_size=1, max_size=3),
    },
    optional={"hide": st.sampled_from([["get_user"], ["*r"], []]), "hide_denied": st.booleans()},
)
CALLS = st.builds(ToolCall, st.sampled_from(NAMES), ARGUMENTS, st.just(Kind.TOOL))
MOMENTS = st.builds(
    Circumstances,
    st.sampled_from([0.0, 1_800_000_000.0]),
    st.sampled_from(["", "a"]),
    st.none(),
    st.sampled_from([frozenset(), frozenset({"get_user"}), None]),
)

STRENGTH = [Effect.ALLOW, Effect.ASK, Effect.DENY]

law = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def made(policy: Mapping) -> Policy:
    return policy_of(json.dumps(policy))


def enforced(decision: Decision) -> tuple[Effect, frozenset[object]]:
    """What happens because of a decision: whether the call passes, and what it is charged for real."""
    charges = frozenset((charge.key[2:], charge.cost, charge.max) for charge in decision.charges if not charge.shadow)
    return decision.effect, charges


def is_allowed(policy: Policy, call: ToolCall, moment: Circumstances) -> bool:
    return policy.evaluate(call, moment).effect is Effect.ALLOW


@law
@given(POLICIES, st.data(), CALLS, MOMENTS)
def test_a_rule_added_to_an_entry_that_is_there_never_allows_more(
    policy: Mapping, data: st.DataObject, call: ToolCall, moment: Circumstances
) -> None:
    key = data.draw(st.sampled_from(sorted(policy["tools"])))
    more = json.loads(json.dumps(policy))
    rules = more["tools"][key]["rules"]
    rules.insert(data.draw(st.integers(0, len(rules))), data.draw(RULES))

    before, after = made(policy).evaluate(call, moment), made(more).evaluate(call, moment)

    assert STRENGTH.index(before.effect) <= STRENGTH.index(after.effect)
    if after.effect is not Effect.DENY:
        assert len(before.charges) <= len(after.charges)


@law
@given(POLICIES, CALLS, MOMENTS)
def test_rules_that_ask_hold_what_they_would_otherwise_let_through_and_nothing_else(
    policy: Mapping, call: ToolCall, moment: Circumstances
) -> None:
    def rule_that_allows(rule: Mapping) -> Mapping:
        return rule | {"action": "allow"} if rule.get("action") == "require_approval" else rule

    tools = {
        key: {"rules": [rule_that_allows(rule) for rule in entry["rules"]]} for key, entry in policy["tools"].items()
    }
    asking, allowing = made(policy).evaluate(call, moment), made(policy | {"tools": tools}).evaluate(call, moment)

    assert (asking.effect is Effect.DENY) is (allowing.effect is Effect.DENY)
    assert {charge.key[2:] for charge in asking.charges} == {charge.key[2:] for charge in allowing.charges}
    assert allowing.effect is not Effect.ASK
    if asking.effect is Effect.ASK:
        assert {rule.name for rule in asking.rules} <= {rule.name for rule in allowing.rules}


@law
@given(POLICIES, st.randoms(use_true_random=False), CALLS, MOMENTS)
def test_the_order_of_rules_and_entries_never_changes_the_effect(
    policy: Mapping, random: Any, call: ToolCall, moment: Circumstances
) -> None:
    entries = list(policy["tools"].items())
    random.shuffle(entries)
    shuffled = policy | {"tools": {key: {"rules": random.sample(e["rules"], len(e["rules"]))} for key, e in entries}}

    one, other = made(policy).evaluate(call, moment), made(shuffled).evaluate(call, moment)

    assert one.effect is other.effect
    assert len(one.rules) == len(other.rules)
    assert sorted((c.max, c.cost) for c in one.charges) == sorted((c.max, c.cost) for c in other.charges)


@law
@given(POLICIES, CALLS, MOMENTS)
def test_a_broad_deny_is_excepted_by_nothing(policy: Mapping, call: ToolCall, moment: Circumstances) -> None:
    rules = policy["tools"].get("*", {"rules": []})["rules"]
    denying = made(policy | {"tools": policy["tools"] | {"*": {"rules": [*rules, {"action": "deny"}]}}})

    assert not is_allowed(denying, call, moment)


@law
@given(POLICIES, st.data(), CALLS, MOMENTS)
def test_a_rule_in_shadow_mode_changes_nothing_that_happens(
    policy: Mapping, data: st.DataObject, call: ToolCall, moment: Circumstances
) -> None:
    key = data.draw(st.sampled_from(sorted(policy["tools"])))
    rule = data.draw(RULES)
    rules = policy["tools"][key]["rules"]
    # At the end and with a name, so that the numbers of the others stay.
    shadow = policy["tools"] | {key: {"rules": [*rules, rule | {"mode": "shadow"}]}}
    with_shadow, without = made(policy | {"tools": shadow}), made(policy)

    assert enforced(with_shadow.evaluate(call, moment)) == enforced(without.evaluate(call, moment))
    assert with_shadow.shows(Kind.TOOL, call.name) is without.shows(Kind.TOOL, call.name)


@law
@given(POLICIES, CALLS, MOMENTS)
def test_a_policy_in_shadow_mode_refuses_nothing_and_tells_what_it_would_refuse(
    policy: Mapping, call: ToolCall, moment: Circumstances
) -> None:
    real = made(policy).evaluate(call, moment)
    told = made(policy | {"mode": "shadow"}).evaluate(call, moment)

    assert told.effect is Effect.ALLOW
    assert bool(told.shadow) is (real.effect is not Effect.ALLOW)
    assert len(told.charges) == len(real.charges)
    assert all(charge.shadow for charge in told.charges)


@law
@given(st.lists(POLICIES, min_size=2, max_size=3), CALLS, MOMENTS)
def test_policies_together_allow_what_each_allows_in_any_order(
    policies: list[Mapping], call: ToolCall, moment: Circumstances
) -> None:
    alone = [made(policy).evaluate(call, moment) for policy in policies]
    strongest = max((decision.effect for decision in alone), key=STRENGTH.index)
    texts = [json.dumps(policy) for policy in policies]

    for together in (set_of(*texts), set_of(*reversed(texts))):
        decision = together.evaluate(call, moment)
        assert decision.effect is strongest
        if strongest is not Effect.DENY:
            assert len(decision.charges) == sum(len(each.charges) for each in alone)


@law
@given(POLICIES, CALLS, MOMENTS)
def test_what_a_client_does_not_see_it_cannot_use(policy: Mapping, call: ToolCall, moment: Circumstances) -> None:
    compiled = made(policy)
    assume(not compiled.shows(Kind.TOOL, call.name))

    assert compiled.evaluate(call, moment).effect is Effect.DENY


@law
@given(POLICIES, CALLS, MOMENTS)
def test_a_decision_says_why(policy: Mapping, call: ToolCall, moment: Circumstances) -> None:
    decision = made(policy).evaluate(call, moment)

    assert (decision.reason == "") is (decision.effect is Effect.ALLOW)
    assert decision.reason.endswith(".") or not decision.reason
    assert "\n" not in decision.reason
    assert all(rule.effect is decision.effect for rule in decision.rules)
    assert not decision.charges or decision.effect is not Effect.DENY
    assert all(charge.cost >= 0 for charge in decision.charges)


@law
@given(POLICIES, CALLS, MOMENTS)
def test_equal_arguments_are_decided_and_charged_alike(policy: Mapping, call: ToolCall, moment: Circumstances) -> None:
    def respelled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: respelled(value[key]) for key in reversed(value)}
        if isinstance(value, list):
            return [respelled(item) for item in value]
        return float(value) if type(value) is int else int(value) if value == 1.0 and type(value) is float else value

    compiled = made(policy)
    other = ToolCall(call.name, respelled(call.arguments))

    assert enforced(compiled.evaluate(call, moment)) == enforced(compiled.evaluate(other, moment))


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@law
@given(
    POLICIES, st.text(max_size=20), st.dictionaries(st.sampled_from(["x", "y"]) | st.text(), JSON, max_size=3), MOMENTS
)
def test_whatever_is_called_there_is_a_decision(
    policy: Mapping, name: str, arguments: Mapping, moment: Circumstances
) -> None:
    decision = made(policy).evaluate(ToolCall(name, arguments), moment)

    assert decision.effect in set(Effect)
