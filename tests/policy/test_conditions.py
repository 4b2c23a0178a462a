"""How conditions combine: absence, what cannot be judged, `[*]`, `all`, `any`, `not`."""

from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercept.policy.conditions import Condition, Group, Negation, all_hold, leaf
from intercept.policy.model import Circumstances, Kind, ToolCall
from intercept.policy.operators import OPERATORS, Operand, Verdict
from intercept.policy.reading import reading
from intercept.policy.schema import OPERANDS
from intercept.values import Json, parse_path

NOW = Circumstances(0.0)


def condition(path: str, op: str, operand: Operand, *, every: bool = True, optional: bool = False) -> Condition:
    return leaf(reading(parse_path(path), Kind.TOOL, UTC), op, operand, every=every, optional=optional)


def holds(made: Condition, **arguments: Json) -> Verdict:
    return made.holds(ToolCall("send", arguments), NOW)


OPERAND: dict[str, Operand] = {
    "any": "a", "list": ["a"], "number": 1, "length": 1, "text": "a", "texts": "/a", "boolean": True
}  # fmt: skip


@pytest.mark.parametrize("op", sorted(set(OPERATORS) - {"exists"}))
@pytest.mark.parametrize("value", [None, "absent"])
def test_where_there_is_no_value_no_operator_but_exists_holds(op: str, value: Json) -> None:
    operand = {"cidr_in": "10.0.0.0/8", "host_in": "a.example"}.get(op, OPERAND[OPERANDS[op]])
    arguments: dict[str, Json] = {} if value == "absent" else {"x": value}

    assert condition("args.x", op, operand).holds(ToolCall("send", arguments), NOW) is False
    assert condition("args.x", op, operand, optional=True).holds(ToolCall("send", arguments), NOW) is True


@pytest.mark.parametrize("value", [0, False, "", [], {}])
def test_empty_values_exist(value: Json) -> None:
    assert holds(condition("args.x", "exists", operand=True), x=value) is True
    assert holds(condition("args.x", "exists", operand=False), x=value) is False


@pytest.mark.parametrize("arguments", [{}, {"x": None}])
def test_null_and_nothing_do_not_exist(arguments: dict[str, Json]) -> None:
    assert holds(condition("args.x", "exists", operand=True), **arguments) is False
    assert holds(condition("args.x", "exists", operand=False), **arguments) is True


@pytest.mark.parametrize("value", [[], None, [None]])
def test_an_empty_list_has_no_elements_to_exist(value: Json) -> None:
    assert holds(condition("args.x[*]", "exists", operand=True), x=value) is False
    assert holds(condition("args.x[*]", "exists", operand=False), x=value) is True


@pytest.mark.parametrize(
    ("value", "every", "one"),
    [
        (["a@x.example", "b@x.example"], True, True),
        (["a@x.example", "b@evil.example"], False, True),
        (["b@evil.example"], False, False),
        ("a@x.example", True, True),
        ("b@evil.example", False, False),
        ([], False, False),
        (None, False, False),
        (["a@x.example", None], False, True),
        (["a@x.example", "a@x.example"], True, True),
        (["a@x.example", 5], None, None),
        ([["a@x.example"]], None, None),
        (["a@x.example", ["b@evil.example"]], None, None),
        ({"email": "a@x.example"}, None, None),
    ],
)
def test_a_star_means_every_element_in_what_must_hold_and_one_in_what_makes_a_rule_apply(
    value: Json, every: Verdict, one: Verdict
) -> None:
    assert holds(condition("args.to[*]", "ends_with", "@x.example", every=True), to=value) is every
    assert holds(condition("args.to[*]", "ends_with", "@x.example", every=False), to=value) is one


@pytest.mark.parametrize(("op", "operand"), [("eq", "evil"), ("neq", "evil"), ("in", ["evil"]), ("not_in", ["evil"])])
@pytest.mark.parametrize("value", [[["evil"]], ["good", ["evil"]], [[]], [[["evil"]]]])
def test_a_list_inside_the_list_hides_nothing_from_a_comparison(op: str, operand: Operand, value: Json) -> None:
    for every in (True, False):
        assert holds(condition("args.to[*]", op, operand, every=every), to=value) is None


def test_lists_inside_the_list_are_compared_with_lists() -> None:
    assert holds(condition("args.to[*]", "eq", ["a"]), to=[["a"], ["a"]]) is True
    assert holds(condition("args.to[*]", "in", ["b", ["a"]]), to=[["a"], "b"]) is True
    assert holds(condition("args.to[*]", "length_lte", 1), to=[["a"], "b"]) is True
    assert holds(condition("args.to[*][*]", "eq", "a"), to=[["a", "a"], "a"]) is True


def test_a_list_inside_the_list_hides_nothing_from_a_path_that_goes_on() -> None:
    made = condition("args.to[*].email", "eq", "evil@x.example", every=False)

    assert holds(made, to=[[{"email": "evil@x.example"}]]) is None
    assert holds(made, to=[{"email": "evil@x.example"}]) is True


def test_an_absent_element_passes_where_it_is_optional() -> None:
    made = condition("args.items[*].price", "lte", 10, optional=True)

    assert holds(made, items=[{"price": 5}, {}]) is True
    assert holds(made, items=[{"price": 50}, {}]) is False
    assert holds(made) is True


def constant(verdict: Verdict) -> Condition:
    """A condition that holds, does not hold, or cannot be evaluated."""
    path, operand = {True: ("args.five", 5), False: ("args.five", 6), None: ("args.text", 5)}[verdict]
    return condition(path, "lte" if verdict is None else "eq", operand)


CALL = ToolCall("send", {"five": 5, "text": "5"})
VERDICTS = st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=4)


@given(VERDICTS)
def test_what_cannot_be_evaluated_is_never_covered_up_by_what_stands_around_it(verdicts: list[Verdict]) -> None:
    parts = tuple(map(constant, verdicts))
    unknown = None in verdicts

    everything = Group(parts, every=True, is_fixed=False).holds(CALL, NOW)
    anything = Group(parts, every=False, is_fixed=False).holds(CALL, NOW)

    assert everything is (None if unknown else all(verdicts))
    assert anything is (None if unknown else any(verdicts))
    assert all_hold(parts, CALL, NOW) is everything
    assert Negation(parts[0], is_fixed=False).holds(CALL, NOW) is (None if verdicts[0] is None else not verdicts[0])


def test_no_conditions_hold() -> None:
    assert all_hold((), CALL, NOW) is True
