"""What messages show of a policy file, and what they guess."""

from __future__ import annotations

from decimal import Decimal

import pytest

from intercept.policy.wording import clipped, did_you_mean, listed, nearest, one_line, rewritten, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "`true`"),
        (False, "`false`"),
        (5, "the number `5`"),
        (Decimal("0.10"), "the number `0.10`"),
        ("no", "the string `no`"),
        ("", "an empty string"),
        ([], "a list"),
        ({}, "a mapping"),
    ],
)
def test_a_value_is_shown_in_the_words_of_its_author(value: object, text: str) -> None:
    assert shown(value) == text


def test_text_is_shown_on_one_line_without_what_a_terminal_would_act_on() -> None:
    assert (
        clipped("a\nb\x1b[31m\N{RIGHT-TO-LEFT OVERRIDE}c")
        == "a b\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}c"
    )
    assert clipped("x" * 60) == "x" * 60
    assert clipped("x" * 61) == "x" * 57 + "..."


def test_a_very_long_line_keeps_its_beginning_and_end() -> None:
    line = one_line("expected " + "x" * 1_000 + ", found nothing")

    assert len(line) < 400
    assert line.startswith("expected ")
    assert line.endswith(", found nothing")


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("defalt", ["default", "description"], "default"),
        ("Rate-Limit", ["rate_limit", "limits"], "rate_limit"),
        ("block", ["allow", "deny"], "deny"),
        ("==", ["eq", "neq"], "eq"),
        ("block", ["sampling"], ""),
        ("colour", ["tools", "rules"], ""),
    ],
)
def test_the_nearest_word_is_one_that_was_mistyped_or_means_the_same(word: str, known: list[str], meant: str) -> None:
    assert nearest(word, known) == meant


def test_alternatives_are_listed_in_order() -> None:
    assert listed(["allow", "ask", "deny"]) == "`allow`, `ask` or `deny`"
    assert listed(["sliding"]) == "`sliding`"


@pytest.mark.parametrize(
    ("expected", "found", "advice"),
    [
        ("true or false", "No", "write `false`"),
        ("true or false", "perhaps", ""),
        ("a number", "1.50", "leave out the quotes"),
        ("a number", "ten", ""),
        ("a list", "a", "write `[a]`"),
        ("a list", None, "leave the key out, or write `[]`"),
        ("text", 5, "put it into quotes"),
    ],
)
def test_a_value_is_rewritten_as_what_was_expected_if_that_is_clear(expected: str, found: object, advice: str) -> None:
    assert rewritten(expected, found) == advice


def test_no_guess_is_no_question() -> None:
    assert did_you_mean("deny") == "did you mean `deny`?"
    assert did_you_mean("") == ""
