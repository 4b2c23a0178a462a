"""Patterns of a policy's author, put to work on texts of somebody else."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercept.policy.substitution import MAX_MATCHES, substitution
from intercept.values import MalformedError


def test_every_match_is_replaced_and_counted() -> None:
    replace = substitution(r"CUST-\d+|\bSSN \d{3}-\d{2}\b", "[x]")

    assert replace("CUST-1, CUST-22 and SSN 123-45.") == ("[x], [x] and [x].", 3)
    assert replace("ACUST-, nothing here") == ("ACUST-, nothing here", 0)


def test_the_mark_is_plain_text() -> None:
    assert substitution("(a)", r"\g<0>")("a") == (r"\g<0>", 1)


@given(
    st.text("ab\u00e9\u20ac\U0001f600\n", max_size=30),
    st.sampled_from(["a", "b+", "[^a]", "\u00e9|\u20ac", "a.b", "(?:ab)+"]),
)
def test_it_finds_what_the_standard_library_finds(text: str, pattern: str) -> None:
    assert substitution(pattern, "-")(text) == re.subn(pattern, "-", text)


def test_half_a_pair_of_surrogates_is_no_way_around() -> None:
    assert substitution("secret", "[x]")("\ud83d secret") == ("\ufffd [x]", 1)
    assert substitution("secret", "[x]")("\ud83d public") == ("\ud83d public", 0)


@pytest.mark.parametrize("pattern", [r"(\w+\s?)+@", r"(a|aa)+$", r"\S+@", "(x+x+)+y"])
def test_patterns_that_never_end_elsewhere_end_here(pattern: str) -> None:
    text = "a" * 200_000 + "x" * 50

    assert substitution(pattern, "-")(text)[0] in {text, "-" + "x" * 50}


def test_a_text_with_too_many_matches_is_replaced_as_a_whole() -> None:
    replace = substitution("a", "[x]")

    assert replace("a" * MAX_MATCHES) == ("[x]" * MAX_MATCHES, MAX_MATCHES)
    assert replace("a" * (MAX_MATCHES + 1))[0] == "[x]"


@pytest.mark.parametrize("pattern", ["(?=a)", "(?<!a)b", r"(a)\1", "(a", "a**", "", "x*", "a|", r"\b", "^", "\ud83d"])
def test_other_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(MalformedError):
        substitution(pattern, "-")


def test_without_the_library_the_author_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)

    with pytest.raises(MalformedError) as refused:
        substitution("a", "-")

    assert "[redact]" in refused.value.advice
