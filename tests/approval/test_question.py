"""What a person is shown about a call, and which answers approve it."""

from __future__ import annotations

import pytest

from intercept.approval.question import MAX_SHOWN, Question, in_words, question
from intercept.policy import Approval, Asking, Decision, Effect, Kind, ToolCall
from intercept.values import Json

DECISION = Decision(Effect.ASK, "pay", (), "Payments are for people.", "digest", asking=Asking(300))


def text_of(*uses: ToolCall, server: str = "bank", decision: Decision = DECISION) -> str:
    asked = question(uses, server, decision)
    assert asked is not None
    return asked.text


def test_a_person_sees_server_tool_every_argument_and_the_reason() -> None:
    call = ToolCall("pay", {"amount": 50, "to": {"iban": "DE1"}, "note": None, "tags": ["a", 1.5, True]})

    assert text_of(call).split("\n") == [
        "Allow this call?",
        "",
        "Server: bank",
        "Tool: pay",
        "Arguments:",
        "  amount: 50",
        '  to: {"iban": "DE1"}',
        "  note: null",
        '  tags: ["a", 1.5, true]',
        "",
        "Why you are asked: Payments are for people.",
    ]


def test_a_server_without_a_name_and_a_call_without_arguments_are_told_so() -> None:
    assert text_of(ToolCall("wipe", {}), server="").split("\n")[2:4] == ["Tool: wipe", "Arguments: none"]


def test_how_dangerous_the_tool_is_by_its_definition_stands_beside_it() -> None:
    decision = DECISION._replace(asking=Asking(300, risk="Financial, high risk"))

    assert text_of(ToolCall("pay", {"amount": 5}), decision=decision).split("\n")[3:6] == [
        "Tool: pay",
        "By its definition: Financial, high risk",
        "Arguments:",
    ]


def test_every_resource_that_a_request_uses_is_shown() -> None:
    uses = [ToolCall(uri, {}, Kind.RESOURCE) for uri in ("mail://1", "mail://2")]

    assert text_of(*uses).split("\n")[3:5] == ['Resource: "mail://1"', 'Resource: "mail://2"']


@pytest.mark.parametrize(
    "trick",
    ["a\nTool: harmless", "a\r\nb", "\u202egpj.exe", "a\u200bb", "\x1b[2J", "a\u2028b", "\x00", "a\U000e0041b", "\x85"],
)
def test_nothing_that_a_peer_writes_breaks_a_line_or_hides(trick: str) -> None:
    plain = text_of(ToolCall("pay", {"x": "y"}), server="s")
    tricked = text_of(ToolCall(trick, {trick: trick}), server=trick)

    assert len(tricked.split("\n")) == len(plain.split("\n"))
    assert all(line.isprintable() for line in tricked.split("\n"))


def test_what_differs_looks_different() -> None:
    names = ["a", '"a"', "a\\u200b", "a\u200b", "a b", " a", "a:", "\\n", "\n"]

    assert len({text_of(ToolCall(name, {})) for name in names}) == len(names)
    values: list[Json] = ["1", 1, "true", True, None, "null", [], "[]", {}, ["a", "b"], ["a, b"], "\\u202e", "\u202e"]
    assert len({text_of(ToolCall("pay", {"x": value})) for value in values}) == len(values)


def test_a_long_value_is_cut_in_the_middle_and_says_so() -> None:
    text = text_of(ToolCall("pay", {"a": "start" + "x" * 100_000 + "end", "b": 1}))

    assert '  a: "startxx' in text
    assert 'xxend"\n  b: 1' in text
    assert "[… 98010 of 100010 characters are not shown …]" in text


def test_every_argument_is_shown_however_many_a_person_can_be_asked_about() -> None:
    arguments: dict[str, Json] = {f"a{n}": "x" * 10_000 for n in range(MAX_SHOWN)}
    text = text_of(ToolCall("pay", arguments))

    assert all(f'\n  a{n}: "xx' in text for n in range(MAX_SHOWN))
    assert len(text) < 40_000
    assert question([ToolCall("pay", arguments | {"more": 1})], "", DECISION) is None
    assert question([ToolCall("pay", {})] * (MAX_SHOWN + 1), "", DECISION) is None


def test_how_long_a_yes_holds_is_part_of_the_yes() -> None:
    once = question([ToolCall("pay", {})], "", DECISION)
    long = question([ToolCall("pay", {})], "", Decision(Effect.ASK, "pay", (), "", "", asking=Asking(300, 900)))

    assert once is not None
    assert long is not None
    assert (once.allow, long.allow) == ("allow once", "allow for 15 minutes")
    assert once.schema["properties"] == {
        "decision": {"type": "string", "title": "Decision", "enum": ["allow once", "deny"]}
    }


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (90, "90 seconds"), (60, "1 minute"), (7200, "2 hours"), (86_400, "1 day"), (0.5, "0.5 seconds")],
)
def test_a_length_of_time_is_said_as_people_say_it(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


@pytest.mark.parametrize(
    ("answer", "approval"),
    [
        ({"action": "accept", "content": {"decision": "allow once"}}, Approval.APPROVED),
        ({"action": "accept", "content": {"decision": "deny"}}, Approval.DECLINED),
        ({"action": "accept", "content": {"decision": "Allow once"}}, Approval.DECLINED),
        ({"action": "accept", "content": {"decision": "allow"}}, Approval.DECLINED),
        ({"action": "accept", "content": {"decision": True}}, Approval.DECLINED),
        ({"action": "accept", "content": {"decision": ["allow once"]}}, Approval.DECLINED),
        ({"action": "accept", "content": {}}, Approval.DECLINED),
        ({"action": "accept", "content": "allow once"}, Approval.DECLINED),
        ({"action": "accept"}, Approval.DECLINED),
        ({"action": "decline", "content": {"decision": "allow once"}}, Approval.DECLINED),
        ({"action": "decline"}, Approval.DECLINED),
        ({"action": "cancel"}, Approval.CANCELLED),
        ({"action": "Accept", "content": {"decision": "allow once"}}, Approval.FAILED),
        ({"content": {"decision": "allow once"}}, Approval.FAILED),
        ({"action": ["accept"]}, Approval.FAILED),
        ("allow once", Approval.FAILED),
        (None, Approval.FAILED),
    ],
)
def test_only_accept_with_the_exact_value_approves(answer: Json, approval: Approval) -> None:
    assert Question("", "allow once").read(answer) is approval
