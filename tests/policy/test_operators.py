"""Each operator, with what it takes, what it does not, and what it cannot judge."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercept.policy.operators import OPERATORS, Operand, Verdict
from intercept.policy.schema import OPERANDS
from intercept.values import Json, MalformedError

SAMPLES: list[Json] = [True, False, 0, 1, -3, 0.5, 1e300, 2**80, "", "abc", "5", [], ["a", 1], {}, {"a": 1}]


def test_every_operator_of_the_schema_is_built() -> None:
    assert set(OPERATORS) == set(OPERANDS)


@pytest.mark.parametrize(
    ("op", "operand", "value", "verdict"),
    [
        # The same value, in type too.
        ("eq", "5", "5", True),
        ("eq", "5", 5, False),
        ("eq", 5, "5", False),
        ("eq", 5, 5.0, True),
        ("eq", 1, True, False),
        ("eq", True, 1, False),
        ("eq", True, True, True),
        ("eq", False, 0, False),
        ("eq", 0, "", False),
        ("eq", Decimal("0.3"), 0.3, True),
        ("eq", Decimal("0.3"), 0.1 + 0.2, False),
        ("eq", 2**64 + 1, 2**64, False),
        ("eq", 2**53 + 1, float(2**53), False),
        ("eq", "a", "A", False),
        ("eq", "é", "e\u0301", False),
        ("eq", ["a", 1], ["a", 1.0], True),
        ("eq", ["a"], "a", False),
        ("eq", {"a": 1, "b": 2}, {"b": 2.0, "a": 1}, True),
        ("eq", {"a": 1}, {"a": True}, False),
        ("eq", [], {}, False),
        ("neq", "a", "b", True),
        ("neq", "a", "a", False),
        ("neq", 1, "1", True),
        ("in", ["a", 5, True, [1]], "a", True),
        ("in", ["a", 5, True, [1]], 5.0, True),
        ("in", ["a", 5, True, [1]], True, True),
        ("in", ["a", 5, True, [1]], [1.0], True),
        ("in", ["a", 5, True, [1]], "5", False),
        ("in", ["a", 5, True, [1]], 1, False),
        ("in", ["true", "null"], True, False),
        ("in", [], "a", False),
        ("not_in", ["a"], "b", True),
        ("not_in", ["a"], "a", False),
        ("not_in", ["1"], 1, True),
        # Numbers, exactly.
        ("lt", 5, 4, True),
        ("lt", 5, 5, False),
        ("lte", 5, 5.0, True),
        ("gt", 5, 5.000000000000001, True),
        ("gte", 5, 4.999999999999999, False),
        ("lte", Decimal("0.3"), 0.3, True),
        ("lte", Decimal("0.3"), 0.30000000000000004, False),
        ("gt", 2**53, 2**53 + 1, True),
        ("lt", Decimal("1e300"), 1e300, False),
        ("lt", 10, -1e308, True),
        # Text.
        ("regex", "^a+$", "aaa", True),
        ("regex", "^a+$", "aaa\n", False),
        ("regex", "^a+$", "b\naaa", False),
        ("regex", "b", "abc", True),
        ("regex", r"^\d+$", "5", True),
        ("regex", r"^\d+$", "\N{ARABIC-INDIC DIGIT FIVE}", False),
        ("regex", "(?i)^drop$", "DROP", True),
        ("not_regex", "^a+$", "b", True),
        ("not_regex", "^a+$", "a", False),
        ("starts_with", "ab", "abc", True),
        ("starts_with", "ab", "AB", False),
        ("ends_with", "@example.com", "a@example.com", True),
        ("ends_with", "@example.com", "a@example.com.evil.example", False),
        ("glob", "a*c", "a\nc", True),
        ("glob", "a*c", "abcd", False),
        # Text or lists.
        ("contains", "b", "abc", True),
        ("contains", "B", "abc", False),
        ("contains", "b", ["a", "b"], True),
        ("contains", "b", ["ab"], False),
        ("contains", 1, [1.0], True),
        ("contains", 1, [True, "1"], False),
        ("contains", "b", [], False),
        ("contains", ["b"], [["b"]], True),
        ("not_contains", "b", "abc", False),
        ("not_contains", "b", ["a"], True),
        ("length_lte", 3, "abc", True),
        ("length_lte", 2, "abc", False),
        ("length_lte", 1, "\N{GRINNING FACE}", True),
        ("length_gte", 2, ["a", "b"], True),
        ("length_gte", 1, [], False),
        ("exists", True, False, True),
        ("exists", False, 0, False),
    ],
)
def test_an_operator_judges_a_value(op: str, operand: Operand, value: Json, verdict: bool) -> None:
    assert OPERATORS[op](operand)(value) is verdict


@pytest.mark.parametrize(
    ("op", "operand", "taken"),
    [
        *[(op, 5, (int, float)) for op in ("lt", "lte", "gt", "gte")],
        *[(op, "a", (str,)) for op in ("regex", "not_regex", "starts_with", "ends_with", "glob")],
        *[(op, "a", (str, list)) for op in ("contains", "not_contains")],
        *[(op, 5, (list,)) for op in ("contains", "not_contains")],
        *[(op, 3, (str, list)) for op in ("length_lte", "length_gte")],
        *[("host_in", "a.example", (str,)), ("path_within", "/srv", (str,)), ("cidr_in", "10.0.0.0/8", (str,))],
    ],
)
def test_a_value_of_another_type_cannot_be_judged(op: str, operand: Operand, taken: tuple[type, ...]) -> None:
    test = OPERATORS[op](operand)

    for value in SAMPLES:
        is_taken = isinstance(value, taken) and not isinstance(value, bool)
        # A text may still be ambiguous; what has the wrong type never has an answer.
        assert is_taken or test(value) is None


@pytest.mark.parametrize("op", ["eq", "neq", "in", "not_in", "exists"])
def test_comparing_for_equality_takes_every_type(op: str) -> None:
    test = OPERATORS[op](["abc"] if op.endswith("in") else True)

    assert all(test(value) is not None for value in SAMPLES)


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False), st.integers() | st.decimals(-1000, 1000))
def test_of_less_equal_and_greater_exactly_one_holds(value: Json, operand: int | Decimal) -> None:
    verdicts = [OPERATORS[op](operand)(value) for op in ("lt", "eq", "gt")]

    assert sorted(verdicts, key=str) == [False, False, True]
    assert OPERATORS["lte"](operand)(value) is (True in verdicts[:2])
    assert OPERATORS["gte"](operand)(value) is (True in verdicts[1:])


@given(st.sampled_from(SAMPLES), st.sampled_from(["eq", "in", "regex", "contains"]))
def test_a_negated_operator_is_the_opposite_and_unknown_where_the_other_is(value: Json, op: str) -> None:
    operand: Operand = ["abc", 1] if op == "in" else "abc"
    negated = {"eq": "neq", "in": "not_in", "regex": "not_regex", "contains": "not_contains"}[op]

    verdict: Verdict = OPERATORS[op](operand)(value)

    assert OPERATORS[negated](operand)(value) is (None if verdict is None else not verdict)


def test_a_pattern_takes_time_linear_in_the_text() -> None:
    # A backtracking engine needs 2**n steps for the first and n**3 for the second.
    assert OPERATORS["regex"]("^(a+)+$")("a" * 2_000_000 + "!") is False
    assert OPERATORS["regex"](r"^\s*(.*)\s*\w\s*$")(" " * 20_000 + "!") is False


@pytest.mark.parametrize(
    ("op", "operand"),
    [
        ("regex", "("),
        ("regex", "[a"),
        ("regex", "a{2"),
        ("regex", r"(a)\1"),
        ("regex", "(?=a)"),
        ("regex", "(?!a)"),
        ("regex", "(?<=a)"),
        ("regex", "(?>a)"),
        ("regex", "((a{1,100}){1,100}){1,100}"),
        ("not_regex", "(?<!a)b"),
        ("glob", "a**"),
        ("host_in", []),
        ("path_within", []),
        ("cidr_in", []),
    ],
)
def test_what_could_never_be_evaluated_is_a_mistake_at_load(op: str, operand: Operand) -> None:
    with pytest.raises(MalformedError):
        OPERATORS[op](operand)
