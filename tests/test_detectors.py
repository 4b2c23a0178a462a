"""What is taken out of texts, what stays, and that no text takes long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercept.detectors import DETECTORS, cards, emails, has_invisible, invisible, is_card, names_secret, secrets


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("a\tb\nc\r\n", "a\tb\nc\r\n"),
        ("a\x00b\x08c\x7fd\x85e", "abcde"),
        ("\x1b[31;1mred\x1b[0m \x9b4mline", "red line"),
        ("\x1b]8;;http://a.example\x07link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x1b\\shown", "shown"),
        ("\x1b(Bplain\x1bM", "plain"),
        ("without its end \x1b]0; all can be read", "without its end ]0; all can be read"),
        ("safe" + "".join(chr(0xE0000 + ord(c)) for c in "do evil"), "safe"),
        ("a\u200bb\u200cc\u200dd\u2060e\ufefff", "abcdef"),
        ("\u202eevil\u202c \u2066x\u2069\u200e\u061c", "evil x"),
        ("a\ufe01b\U000e0101c\ufe0f\ufe0f\ufe0f", "abc\ufe0f"),
        ("warning \u26a0\ufe0f, caf\u00e9, \u65e5\u672c, \u05e9\u05dc\u05d5\u05dd", None),
        ("half a pair \ud83d stays", None),
    ],
)  # fmt: skip
def test_what_shows_nothing_is_taken_out(text: str, rest: str | None) -> None:
    assert invisible(text)[0] == (text if rest is None else rest)


def test_taking_out_is_counted() -> None:
    assert invisible("plain") == ("plain", 0)
    assert invisible("a\u200b\u200bb\x1b[0m")[1] == 3


@given(st.text())
def test_nothing_that_shows_is_lost_and_nothing_is_left_to_take_out(text: str) -> None:
    rest, _ = invisible(text)

    assert invisible(rest) == (rest, 0)
    assert "\x1b" not in rest
    visible = [c for c in rest if c.isprintable()]
    assert [c for c in visible if c not in text] == []


@given(
    st.text(st.characters(exclude_categories=["C"], exclude_characters="\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"))
)
def test_text_without_controls_is_hardly_touched(text: str) -> None:
    selectors = dict.fromkeys([*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])

    assert invisible(text)[0].translate(selectors) == text.translate(selectors)


def test_a_name_has_invisible_if_it_shows_less_than_it_has() -> None:
    assert has_invisible("read\u200b_file")
    assert has_invisible("read_file\x00")
    assert not has_invisible("read_file")
    assert not has_invisible("lire_\u00e9tat")


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("write to alice@example.com, or Bob <bob.o+x@mail.example.co.uk>.", "write to E, or Bob <E>."),
        ("a@example.com,b@example.org;c@example.net", "E,E;E"),
        ("mailto:alice%40example.com?subject=x", "mailto:E?subject=x"),
        ("'alice@example.com'", "'E'"),
        ("email=alice@example.com&x=1", "email=E&x=1"),
        ("\u7528\u6237@\u4f8b\u5b50.\u516c\u53f8 and M\u00fcller@b\u00fccher.example", "E and E"),
        ("react@18.2.0, @scope/name, a@b, user@localhost, 3 @ 4.50", None),
        ("x@-bad.example x@example..com", None),
    ],
)
def test_addresses(text: str, rest: str | None) -> None:
    expected = text if rest is None else rest.replace("E", "[redacted: email]")

    assert emails(text)[0] == expected


@pytest.mark.parametrize(
    "number",
    [
        "4111111111111111", "4222222222222", "5555555555554444", "2223003122003222", "378282246310005",
        "6011111111111117", "30569309025904", "3530111333300000", "6200000000000005",
        "4111 1111 1111 1111", "4111-1111-1111-1111", "3782 822463 10005", "4111\u00a01111\u00a01111\u00a01111",
    ],
)  # fmt: skip
def test_card_numbers_are_found_in_every_spelling(number: str) -> None:
    assert cards(f"paid with {number}, thanks") == ("paid with [redacted: card], thanks", 1)
    assert cards(f"no 12 {number} 12 25")[0] == "no 12 [redacted: card] 12 25"
    assert cards(f'{{"card":"{number}"}}')[0] == '{"card":"[redacted: card]"}'


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",
        "1700000000000",
        "1234567890123456",
        "00000000000000000000",
        "2026-11-21 10:00:00.000000",
        "+55 11 91234-5678",
        "41111111111111110000000000",
    ],
)
def test_other_numbers_are_no_cards(text: str) -> None:
    assert cards(text) == (text, 0)


def test_whole_numbers_can_be_cards() -> None:
    assert is_card(4111111111111111)
    assert not is_card(4111111111111112)
    assert not is_card(-4111111111111111)


# In two pieces, so that nobody who searches this repository for secrets finds one.
TOKENS = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp" + "_" + "a1B2" * 9,
    "github" + "_pat_" + "11ABCDEFG0" * 4,
    "glpat" + "-" + "x" * 20,
    "xoxb" + "-123456789012-" + "abcdef" * 3,
    "sk" + "_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "sk" + "-ant-api03-" + "q" * 40,
    "AIza" + "S" * 35,
    "npm" + "_" + "b" * 36,
    "hf" + "_" + "c" * 34,
    "dop" + "_v1_" + "0" * 64,
    "SG" + "." + "d" * 22 + "." + "e" * 43,
    "EAA" + "f" * 80,
    "123456789" + ":AA" + "g" * 33,
    "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0." + "h" * 43,
]


@pytest.mark.parametrize("token", TOKENS)
def test_tokens_are_told_by_their_form(token: str) -> None:
    for around in ("{}", "use {} now", 'x="{}"', "https://example.com/?q={}&b=1", "({})\n"):
        assert secrets(around.format(token)) == (around.format("[redacted: secret]"), 1)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("password: hunter22 and more", "password: <> and more"),
        ('{"api_key":"0123456789abcdef","n":1}', '{"api_key":"<>","n":1}'),
        ('"{\\"client_secret\\": \\"0123456789\\"}"', '"{\\"client_secret\\": \\"<>\\"}"'),
        ("DB_PASSWORD=correct-horse", "DB_PASSWORD=<>"),
        ('{"password": "correct horse", "user": "x"}', '{"password": "<>", "user": "x"}'),
        ('{"next_token": "abcdefgh", "page_token":"ijklmnop"}', None),
        ("confirm_token=abcdefgh auth_token=abcdefgh", "confirm_token=abcdefgh auth_token=<>"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key = <>"),
        ("Authorization: Bearer abcdefghij0123456789", "Authorization: Bearer <>"),
        ("postgres://app:s3cr3t@db.example:5432/x", "postgres://app:<>@db.example:5432/x"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nrest", "<>\nrest"),
        ("-----BEGIN PRIVATE KEY-----\nMII without an end", "<>"),
        ("the password is kept elsewhere; key: value; tokens: 12", None),
        ("basic auth and a bearer of news", None),
        ("sk-8 and AKIA alone, https://example.com/a:b@c", None),
    ],
)
def test_secrets_are_told_by_their_name_or_place(text: str, rest: str | None) -> None:
    assert secrets(text)[0] == (text if rest is None else rest.replace("<>", "[redacted: secret]"))


def test_members_that_are_named_like_secrets() -> None:
    for name in ("password", "apiKey", "api_key", "client_secret", "aws_secret_access_key", "X-Auth-Token", "TOKEN"):
        assert names_secret(name), name
    for name in ("tokens_used", "key", "monkey", "passport", "secretary", "next_page", "next_token", "Page-Token"):
        assert not names_secret(name), name


HOSTILE = [
    "@", "a", "a@", "a@a.", "1", "1 ", "4 4", "\x1b[", "\x1b]0;", "\ufe0f", "password=", "-eyJaaaaaaaa.", "sk-", "://a:b",
    "-----BEGIN PRIVATE KEY-----", "bearer ", "x@" + "a-" * 30, "0:AA", "SG.a", "pass", "\x9b0", "\x1b ", "eyJ", "a.b-",
]  # fmt: skip


def test_no_text_takes_time_that_grows_faster_than_it() -> None:
    """Sixteen times the text takes less than sixty times the processor time; a quadratic search takes 256 times."""
    searches = [*DETECTORS.values(), invisible]
    for part in HOSTILE:
        short, long = (part * (size // len(part)) for size in (4_000, 64_000))
        for search in searches:
            assert _work(search, long) < 60 * _work(search, short) + 0.2, (part, search)


def _work(search: object, text: str) -> float:
    assert callable(search)
    before = time.process_time()
    search(text)
    return time.process_time() - before
