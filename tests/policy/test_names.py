"""Globs, sets of names, and URIs in disguise."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercept.policy.names import Glob, Names, is_disguised
from intercept.values import MalformedError


@pytest.mark.parametrize(
    ("glob", "name", "matches"),
    [
        ("get_*", "get_user", True),
        ("get_*", "get_", True),
        ("get_*", "get", False),
        ("get_*", "forget_user", False),
        ("*_get", "user_get", True),
        ("*_get", "user_get2", False),
        ("a*b*c", "abc", True),
        ("a*b*c", "aXbYc", True),
        ("a*b*c", "acb", False),
        ("ab*ba", "aba", False),
        ("*a*a*", "a", False),
        ("*a*a*", "aa", True),
        ("get_?", "get_x", False),
        ("get_[ab]", "get_a", False),
        ("get_*", "Get_user", False),
        ("get_*", "get_user\nmore", True),
        ("send", "send", True),
        ("send", "send ", False),
    ],
)
def test_a_star_stands_for_any_characters_and_nothing_else_is_special(glob: str, name: str, matches: bool) -> None:
    assert Glob.parse(glob).matches(name) is matches


@given(
    st.text("ab*", max_size=8).filter(lambda text: "**" not in text),
    st.text("ab\n", max_size=10),
)
def test_a_glob_matches_what_the_same_regular_expression_matches(glob: str, name: str) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, glob.split("*"))), name, re.DOTALL)

    assert Glob.parse(glob).matches(name) is (expected is not None)


def test_a_glob_takes_time_linear_in_the_name() -> None:
    glob = Glob.parse("*" + "a*" * 40 + "b")

    # Backtracking over this would not end in the life of the universe.
    assert not glob.matches("a" * 1_000_000)


@pytest.mark.parametrize(
    ("glob", "name", "lists"),
    [
        ("get_*", "get_user", True),
        ("get_*", "get_user ", False),
        ("get_*", "get_us er", False),
        ("get_*", "get_user\n", False),
        ("get_*", "get_us\u200ber", False),
        ("get_*", "get_usér", False),
        ("get_*", "get_user\u202e", False),
        ("get_*", "get_\x7f", False),
        ("é_*", "é_user", True),
        ("é_*", "é_usér", False),
        ("a b*", "a bc", True),
        ("a b*", "a b c", False),
    ],
)
def test_what_a_star_lists_is_visible_ascii(glob: str, name: str, lists: bool) -> None:
    assert Glob.parse(glob).matches(name)
    assert Glob.parse(glob).lists(name) is lists


@pytest.mark.parametrize("text", ["**", "a**", "a/**/b"])
def test_two_stars_are_more_than_a_glob_has(text: str) -> None:
    with pytest.raises(MalformedError, match=r"`\*\*`"):
        Glob.parse(text)


def test_a_set_of_names_holds_exact_names_and_what_its_globs_match() -> None:
    names = Names.parse(["drop_table", "delete_*"])

    assert "drop_table" in names
    assert "delete_user" in names
    assert "drop_tables" not in names
    assert names.meet({"read", "delete_user"})
    assert names.meet({"drop_table"})
    assert not names.meet({"read"})
    assert not names.meet(set())


@pytest.mark.parametrize(
    "uri",
    [
        "file:///srv/../etc/passwd",
        "file:///srv/./x",
        "file:///srv/..",
        "file:///srv/%2e%2e/etc/passwd",
        "file:///srv/%2E./x",
        "file:///srv%2fx",
        "file:///srv%5cx",
        "file:///srv/%252e",
        "file:///%70asswd",
        "file:///srv/%",
        "file:///srv/%g0",
        "file:///srv/a%00b",
        "FILE:///srv/x",
        "File:///srv/x",
        "file:///srv\\x",
        "file:///srv/a b",
        "file:///srv/a\tb",
        "http://a/..?x",
        "http://a/.#x",
    ],
)
def test_a_uri_that_a_server_may_read_as_another_is_in_disguise(uri: str) -> None:
    assert is_disguised(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "file:///srv/x",
        "file:///srv/.hidden",
        "file:///srv/a..b",
        "file:///srv/...",
        "file:///srv/a%20b",
        "file:///srv/%C3%A9",
        "test://static/resource/1",
        "test://A/B",
        "memo://insights",
        "ui://widget/{name}",
        "http://h/?q=a/b&c=%26",
    ],
)
def test_plain_uris_are_not(uri: str) -> None:
    assert not is_disguised(uri)
