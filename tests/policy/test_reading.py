"""What paths stand for: arguments, the tool and its hints, the grant, the time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from intercept.policy.model import Circumstances, Kind, ToolCall
from intercept.policy.reading import check_operand, reading
from intercept.values import MISSING, UNCLEAR, Found, Json, MalformedError, parse_path

CALL = ToolCall("send", {"to": ["a", "b"], "amount": 5, "deep": {"er": [1]}})
SATURDAY = datetime(2026, 11, 21, 23, 45, tzinfo=UTC).timestamp()


def read(text: str, circumstances: Circumstances | None = None, offset: int = 0) -> Found:
    found = reading(parse_path(text), Kind.TOOL, timezone(timedelta(hours=offset)))
    return found.one(CALL, circumstances or Circumstances(SATURDAY))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("args", CALL.arguments),
        ("args.amount", 5),
        ("args.deep.er[0]", 1),
        ("args.other", MISSING),
        ("tool.name", "send"),
        ("now.hour", 23),
        ("now.minute", 45),
        ("now.weekday", "saturday"),
        ("grant", MISSING),
    ],
)
def test_a_path_reads_what_it_names(text: str, found: Found) -> None:
    assert read(text) == found


def test_the_time_is_that_of_the_zone() -> None:
    assert read("now.hour", offset=2) == 1
    assert read("now.weekday", offset=2) == "sunday"


def test_the_grant_is_a_text() -> None:
    assert read("grant", Circumstances(0.0, "ops")) == "ops"


@pytest.mark.parametrize(
    ("annotations", "hint", "found"),
    [
        (None, "readOnlyHint", UNCLEAR),
        ({}, "readOnlyHint", False),
        ({}, "destructiveHint", True),
        ({}, "idempotentHint", False),
        ({}, "openWorldHint", True),
        ({}, "title", MISSING),
        ({"readOnlyHint": True}, "readOnlyHint", True),
        ({"destructiveHint": False}, "destructiveHint", False),
        ({"destructiveHint": "false"}, "destructiveHint", True),
        ({"readOnlyHint": 1}, "readOnlyHint", False),
        ({"readOnlyHint": None}, "readOnlyHint", False),
        ({"title": "Send"}, "title", "Send"),
    ],
)
def test_a_hint_that_is_not_given_means_what_the_protocol_says(
    annotations: dict[str, Json] | None, hint: str, found: Found
) -> None:
    assert read(f"tool.annotations.{hint}", Circumstances(0.0, annotations=annotations)) == found


def test_each_value_of_a_path_with_a_star_is_read() -> None:
    found = reading(parse_path("args.to[*]"), Kind.TOOL, UTC)

    assert found.each(CALL, Circumstances(0.0)) == ["a", "b"]
    assert found.one(CALL, Circumstances(0.0)) is UNCLEAR


def test_only_the_name_of_the_tool_is_known_before_a_call() -> None:
    fixed = [text for text in ("args.a", "tool.name", "grant", "now.hour", "tool.annotations.title")
             if reading(parse_path(text), Kind.TOOL, UTC).is_fixed]  # fmt: skip

    assert fixed == ["tool.name"]


@pytest.mark.parametrize(
    "text",
    [
        "arg.amount",
        "arguments.amount",
        "state.a.b",
        "tool",
        "tool.description",
        "tool.name.length",
        "tool.annotations",
        "tool.annotations[*]",
        "tool.annotations.a[*]",
        "grant.name",
        "grant[*]",
        "now",
        "now.day",
        "now.hour.minute",
        "now[0]",
    ],
)
def test_a_path_to_nothing_is_a_mistake(text: str) -> None:
    with pytest.raises(MalformedError) as refused:
        reading(parse_path(text), Kind.TOOL, UTC)

    assert refused.value.advice


@pytest.mark.parametrize("kind", [Kind.RESOURCE, Kind.PROMPT])
def test_only_tools_have_annotations(kind: Kind) -> None:
    with pytest.raises(MalformedError, match="is for tools"):
        reading(parse_path("tool.annotations.readOnlyHint"), kind, UTC)


@pytest.mark.parametrize(
    ("text", "operand"),
    [
        ("now.weekday", "Saturday"),
        ("now.weekday", "sat"),
        ("now.weekday", 6),
        ("now.weekday", ["saturday", "sundy"]),
        ("now.hour", 24),
        ("now.hour", -1),
        ("now.hour", "9"),
        ("now.hour", True),
        ("now.minute", 60),
        ("now.hour", Decimal("9.5")),
    ],
)
def test_a_time_that_never_is_is_a_mistake(text: str, operand: object) -> None:
    with pytest.raises(MalformedError):
        check_operand(parse_path(text), "in" if isinstance(operand, list) else "neq", operand)


def test_times_that_can_be_are_compared() -> None:
    check_operand(parse_path("now.weekday"), "in", ["saturday", "sunday"])
    check_operand(parse_path("now.hour"), "eq", 23)
    check_operand(parse_path("now.hour"), "lt", 24)
    check_operand(parse_path("args.day"), "eq", "sat")
