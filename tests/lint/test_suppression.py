"""Comments that silence findings, and findings about such comments."""

from __future__ import annotations

import pytest

from .samples import lint

SENDING = """\
default: deny
tools:
  send_message: {}
"""


def found(policy: str) -> list[tuple[str, int]]:
    return [(finding.rule, finding.line) for finding in lint(policy) if finding.fails]


def test_a_comment_on_the_line_of_a_finding_silences_it() -> None:
    policy = SENDING.replace("{}", "{}  # intercept: ignore[unlimited-message] the server limits it")

    assert found(SENDING) == [("unlimited-message", 3)]
    assert found(policy) == []


@pytest.mark.parametrize(
    "between", ["", "  # more about this tool\n", "\n", "# intercept: ignore[no-tests] elsewhere\n"]
)
def test_a_comment_on_its_own_line_silences_what_comes_next(between: str) -> None:
    comment = f"  # intercept: ignore[unlimited-message] the server limits it\n{between}"

    assert ("unlimited-message", 3) not in found(SENDING.replace("  send", f"{comment}  send"))
    assert not [rule for rule, _ in found(SENDING.replace("  send", f"{comment}  send")) if rule == "unlimited-message"]


def test_a_comment_beside_something_else_does_not_reach_the_next_line() -> None:
    policy = SENDING.replace("tools:", "tools:  # intercept: ignore[unlimited-message] the server limits it")

    assert found(policy) == [("unused-suppression", 2), ("unlimited-message", 3)]


def test_one_comment_can_name_several_rules_and_reports_those_that_find_nothing() -> None:
    policy = SENDING.replace("{}", "{}  # intercept: ignore[unlimited-message, unchecked-sql] the server limits it")

    findings = [finding for finding in lint(policy) if finding.fails]

    assert [(each.rule, each.message) for each in findings] == [
        ("unused-suppression", "`unchecked-sql` finds nothing here")
    ]


def test_a_comment_without_a_reason_silences_nothing_and_is_reported() -> None:
    policy = SENDING.replace("{}", "{}  # intercept: ignore[unlimited-message]")

    assert found(policy) == [("unlimited-message", 3), ("suppression-without-reason", 3)]


@pytest.mark.parametrize("comment", ["ignore", "ignore all of it", "ignore[]", "ignore[ , ] because"])
def test_a_comment_that_names_no_rule_silences_nothing_and_is_reported(comment: str) -> None:
    policy = SENDING.replace("{}", f"{{}}  # intercept: {comment}")

    assert found(policy) == [("unlimited-message", 3), ("unused-suppression", 3)]


def test_a_misspelt_rule_is_reported_with_the_nearest_one() -> None:
    policy = SENDING.replace("{}", "{rate_limit: 5/hour}  # intercept: ignore[unlimited-mesage] the server limits it")

    (finding,) = [finding for finding in lint(policy) if finding.fails]

    assert finding.message == "no rule is called `unlimited-mesage`"
    assert finding.help == "did you mean `unlimited-message`?"
    assert (finding.line, finding.column) == (3, 39)


def test_a_comment_about_the_servers_tools_is_left_alone_where_they_are_not_known() -> None:
    policy = SENDING.replace("{}", "{rate_limit: 5/hour}  # intercept: ignore[unknown-tool] comes in version 2")

    assert found(policy) == []


def test_text_that_looks_like_a_comment_silences_nothing_and_is_not_reported() -> None:
    policy = """\
default: deny
description: "of # intercept: ignore[default-allow] x"
tools:
  send_message:
    reason: |
      # intercept: ignore[unlimited-message] only text
    action: allow
"""

    assert found(policy) == [("unlimited-message", 4), ("reason-without-denial", 5)]


def test_what_keeps_a_policy_from_loading_cannot_be_silenced() -> None:
    policy = "default: maybe  # intercept: ignore[invalid-policy] it will be fine\n"

    assert found(policy) == [("invalid-policy", 1)]


def test_a_json_policy_has_no_comments() -> None:
    policy = '{\n\t"default": "allow", "description": "# intercept: ignore[default-allow] x"\n}\n'

    assert found(policy) == [("default-allow", 2)]


def test_lines_are_counted_as_the_policy_counts_them() -> None:
    policy = SENDING.replace("{}", "{}  # intercept: ignore[unlimited-message] the server limits it")

    assert found(policy.replace("\n", "\r\n")) == []
