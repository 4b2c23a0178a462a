from __future__ import annotations

import pytest

from intercept.audit.redaction import MAX_TEXT, clean, command_line, key_names, names_secret, redacted
from intercept.detectors import SECRET

SECRETS = {
    "aws": "AKIA" + "Z7Q2" * 4,
    "github": "ghp_" + "a1B2" * 9,
    "github, fine-grained": "github_pat_" + "11AB_" * 8,
    "gitlab": "glpat-" + "x_Y-" * 5,
    "slack": "xoxb-" + "12345-abcde",
    "stripe": "sk_live_" + "4eC39Hq" * 3,
    "openai": "sk-proj-" + "Ab3_" * 12,
    "anthropic": "sk-ant-api03-" + "Qw-9" * 10,
    "google": "AIza" + "SyA-1_9" * 5,
    "meta": "EAA" + "Bwz9Q" * 12,
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "telegram": "123456789:" + "AAF-x_9" * 5,
    "sendgrid": "SG." + "ab12" * 5 + "." + "cd_34" * 8,
    "npm": "npm_" + "aB3d" * 9,
    "private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\nq2b=\n-----END RSA PRIVATE KEY-----",
    "password in an address": "hunter2-in-url",
}


def in_context(kind: str, secret: str) -> str:
    return f"see postgres://admin:{secret}@db/x" if "address" in kind else f"use this: {secret}, thanks"


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_of_a_known_shape_is_found_in_the_middle_of_a_text(kind: str) -> None:
    secret = SECRETS[kind]
    cleaned = redacted(in_context(kind, secret))

    assert isinstance(cleaned, str)
    assert secret not in cleaned
    assert SECRET in cleaned
    assert cleaned.startswith(in_context(kind, "")[:4]), "the rest of the text stays"


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_that_begins_before_a_long_text_is_cut_does_not_stay_in_part(kind: str) -> None:
    secret = SECRETS[kind]
    text = "x " * (MAX_TEXT // 2 - 8) + in_context(kind, secret) + " y" * 20_000
    cleaned = redacted(text)

    assert isinstance(cleaned, str)
    assert len(cleaned) < MAX_TEXT + 40
    assert not any(secret[at : at + 12] in cleaned for at in range(len(secret) - 12))
    assert f"({len(text)} characters)" in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "Refunds over 50.00 are made by a person. Ask the user.",
        "+55 11 91234-5678",
        "https://example.com/orders/1002?page=2",
        "the token of my appreciation",
        "2026-03-01T22:30:00Z",
        "7f9c2ba4-e88f-4a2b-9c11-0242ac120002",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize("key", ["password", "apiKey", "api_key", "X-Api-Key", "accessToken", "client_secret", "PIN"])
def test_values_under_a_telling_name_are_left_out_whatever_they_are(key: str) -> None:
    assert names_secret(key)
    assert redacted({"to": [{key: "hunter2"}], "n": 5}) == {"to": [{key: SECRET}], "n": 5}
    assert redacted({key: None}) == {key: None}


@pytest.mark.parametrize("key", ["amount", "max_tokens", "keyword", "to", "spinner", "description", "monkey"])
def test_other_names_tell_nothing(key: str) -> None:
    assert not names_secret(key)


def test_names_of_arguments_are_sorted_bounded_and_without_secrets() -> None:
    assert key_names({"b": 1, "a": 2}) == ["a", "b"]
    assert SECRETS["github"] not in "".join(key_names({SECRETS["github"]: 1}))
    assert len(key_names(dict.fromkeys(map(str, range(1_000))))) == 65
    assert max(map(len, key_names({"k" * 1_000: 1}))) < 100


def test_a_command_is_shown_without_the_secrets_in_it() -> None:
    command = ["npx", "-y", "server", "--token", "abc", "--port", "80", "API_KEY=xyz", f"--url=x://u:{'p' * 9}@h"]

    assert command_line(command) == [
        *("npx", "-y", "server", "--token", SECRET, "--port", "80", "API_KEY=" + SECRET),
        f"--url=x://u:{SECRET}@h",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "eyJ" * 5_000,
        "-----BEGIN " * 2_000,
        "sk-" * 8_000,
        "token=" * 4_000,
        "://" + "a" * 20_000,
        "1234567890:" * 2_000,
    ],
)
def test_no_text_makes_the_patterns_go_back_and_forth(text: str) -> None:
    """Each takes some milliseconds; one that went back and forth would not end within anybody's patience."""
    assert f"({len(text)} characters)" in clean(text, 1_000)
