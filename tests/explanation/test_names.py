from __future__ import annotations

import pytest

from intercept.policy import Kind

from .conftest import Explain

POLICY = """
default: deny
hide: [drop_table, "purge_*"]
tools:
  "*": {rate_limit: 1/second}
  send_message: {}
  refund: {}
  "get_*": {}
  "Read-*": {}
prompts:
  greet: {}
"""


@pytest.mark.parametrize(
    ("name", "line", "why"),
    [
        ("Send_Message", 6, "`send_message` differs only in upper and lower case"),
        (" send_message", 6, "`send_message` differs only in spaces"),
        ("SEND_MESSAGE ", 6, "`send_message` differs only in upper and lower case and in spaces"),
        ("send_message\u200b", 6, "`send_message` looks the same, and has not U+200B at character 13"),
        ("\uff52efund", 7, "`refund` looks the same, and has not U+FF52 at character 1"),
        ("DROP_TABLE", 3, "`drop_table` differs only in upper and lower case"),
        ("send_mesage", 6, "`send_message` is a name much like it"),
        ("send-message", 6, "`send_message` is a name much like it"),
        ("refunds", 7, "`refund` is a name much like it"),
        (
            "get_a b",
            8,
            "`get_*` does not list it: `*` stands for visible ASCII characters only, and the name has U+0020 at",
        ),
        ("get_\u00e9", 8, "and the name has U+00E9 at character 5"),
        ("Get_users", 8, "`get_*` would match but for case, spaces or `-` and `_`"),
        ("read_file", 9, "`Read-*` would match but for case, spaces or `-` and `_`"),
        ("gets_users", 8, "`get_*` begins much like it"),
        ("greet", 11, "`greet` is an entry for a prompt, not for a tool"),
    ],
)
def test_a_name_that_just_misses_an_entry_is_told_why(explained: Explain, name: str, line: int, why: str) -> None:
    (near,) = explained(POLICY, name).near

    assert near.line == line
    assert why in f"`{near.text}` {near.why}"


@pytest.mark.parametrize("name", ["send_message", "get_users", "drop_table", "purge_all", "transfer", "x", ""])
def test_a_name_that_is_there_or_like_nothing_misses_nothing(explained: Explain, name: str) -> None:
    assert explained(POLICY, name).near == ()


def test_a_name_that_a_glob_lists_may_still_miss_the_entry_that_was_meant(explained: Explain) -> None:
    policy = "tools: {get_invoice: {rate_limit: 1/hour}, 'get_*': {}}"

    explanation = explained(policy, "get_invoise")

    assert [place.text for place in explanation.listed] == ["get_*"]
    assert [(place.text, place.why) for place in explanation.near] == [("get_invoice", "is a name much like it")]


def test_every_entry_that_lists_the_name_is_told(explained: Explain) -> None:
    policy = """
tools:
  "*": {}
  send_mail: {}
  "send_*": {}
  "*_mail": {}
  "get_*": {}
"""

    assert [(place.text, place.line) for place in explained(policy, "send_mail").listed] == [
        ("send_mail", 4),
        ("send_*", 5),
        ("*_mail", 6),
    ]


def test_what_refuses_without_a_rule_is_named_with_its_line(explained: Explain) -> None:
    def rules(name: str, policy: str = POLICY) -> list[tuple[str, int]]:
        return [(account.rule.name, account.rule.line) for account in explained(policy, name).rules]

    assert rules("drop_table") == [("hide", 3)]
    assert rules("purge_all") == [("hide", 3)]
    assert rules("unknown") == [("default", 2)]
    assert rules("unknown", "tools: {}") == [("default", 0)]
    assert rules("Refund") == [("name", 7)]
    assert rules("x" * 10_000) == [("name", 0)]


def test_a_uri_in_disguise_is_refused_for_its_spelling(explained: Explain) -> None:
    explanation = explained("resources: {'file:*': {}}", "file:///a/../b", kind=Kind.RESOURCE)

    assert [(account.rule.name, account.is_no_rule) for account in explanation.rules] == [("name", True)]
