"""What of a call's arguments is written down, and what is not: secrets by well-known shapes. Pure.

A shape is a pattern of one kind of secret, recognised wherever it stands in a text. Patterns have fixed beginnings and
bounded repetitions, so that no text makes them slow. What has no shape is not found: the mode `keys`, which writes no
value at all, is the default for a reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import cache, lru_cache
from itertools import pairwise
from typing import Final

from ..values import Json


class Arguments(StrEnum):
    """How much of the arguments a decision record has (`--audit-arguments`)."""

    NONE = "none"
    """Nothing."""
    KEYS = "keys"
    """The names of the arguments and the SHA-256 of all of them."""
    REDACTED = "redacted"
    """These and the values, without what looks like a secret and without what is long."""
    FULL = "full"
    """These and all values as they are."""


MAX_KEYS: Final = 64
MAX_KEY: Final = 64
"""Arguments that are named, and the characters of a name; real tools have up to 40 of up to 35."""
MAX_TEXT: Final = 1_000
"""Characters of a text in the mode `redacted`."""
_WINDOW: Final = MAX_TEXT + 8_192
"""Characters that are looked at, so that a secret which begins before the cut is seen whole."""
MAX_LIST: Final = 100
"""Elements of a list, and members of an object, in the mode `redacted`."""
_SHORTEST: Final = 16
"""Characters of the shortest secret that has a shape of its own."""

_SHAPES: Final = {
    "private-key": r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]{0,8192}?(?:-----END [A-Z ]{0,40}-----|\Z)",
    "jwt": r"\beyJ[\w-]{8,4096}\.[\w-]{8,4096}(?:\.[\w-]{0,4096})?",
    "aws": r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
    "github": r"\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255})",
    "gitlab": r"\bgl(?:pat|ptt|rt|dt|cbt)-[\w-]{16,255}",
    "slack": r"\bxox[a-z]-[\w-]{10,255}|\bxapp-[\w-]{10,255}|hooks\.slack\.com/services/[\w/]{10,255}",
    "stripe": r"\b(?:[srp]k_(?:live|test)|whsec)_\w{10,255}",
    "ai": r"\bsk-[\w-]{16,255}|\bhf_[A-Za-z0-9]{20,255}|\bgsk_[A-Za-z0-9]{20,255}|\bxai-[\w-]{20,255}",
    "google": r"\bAIza[\w-]{35}|\bya29\.[\w-]{16,2048}|\bGOCSPX-[\w-]{16,255}",
    "meta": r"\bEAA[A-Za-z0-9]{20,512}",
    "registry": r"\bnpm_[A-Za-z0-9]{20,255}|\bpypi-[\w-]{20,512}|\bdckr_pat_[\w-]{16,255}",
    "mail": r"\bSG\.[\w-]{10,255}\.[\w-]{10,255}|\bkey-[0-9a-f]{32}\b|\bxkeysib-[\w-]{20,255}",
    "twilio": r"\b(?:SK|AC)[0-9a-f]{32}\b",
    "telegram": r"\b[0-9]{8,10}:[\w-]{35}\b",
    "cloud": r"\bdo[opr]_v1_[a-f0-9]{32,255}|AccountKey=[A-Za-z0-9+/=]{20,255}|\bshp(?:at|ca|pa|ss)_[a-f0-9]{32}",
    "password": r"(?<=://)[^\s/@:]{0,255}:[^\s/@]{1,255}(?=@)",
    "authorization": r"(?i:\b(?:bearer|basic)\s{1,8}[\w.~+/=-]{8,4096})",
    "assignment": r"(?i:(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key)[\"']?\s{0,8}[=:]\s{0,8}"
    r"[\"']?[^\s\"'&,;]{6,4096})",
}
_HINTS: Final = (
    *(
        "PRIVATE KEY",
        "eyJ",
        "AKIA",
        "ASIA",
        "ABIA",
        "ACCA",
        "gh",
        "gl",
        "xox",
        "xapp-",
        "hooks.slack",
        "k_live",
        "k_test",
    ),
    *(
        "whsec",
        "sk-",
        "hf_",
        "gsk_",
        "xai-",
        "AIza",
        "ya29.",
        "GOCSPX",
        "EAA",
        "npm_",
        "pypi-",
        "dckr_pat_",
        "SG.",
        "key-",
    ),
    *("xkeysib-", "SK", "AC", ":", "_v1_", "AccountKey", "shp"),
)
"""What a text with one of the shapes must have somewhere. Most texts have none, and looking for these takes a
hundredth of the time; the patterns are not even compiled before one has."""
_HINTS_IN_ANY_CASE: Final = ("bearer", "basic", "passw", "passphrase", "secret", "token", "key")

_WORD: Final = r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+"
_SECRET_WORDS: Final = frozenset({
    *("password", "passwd", "passphrase", "pwd", "secret", "token", "apikey", "authorization", "auth", "credential"),
    *("credentials", "cookie", "pin", "cvv", "cvc", "otp", "bearer", "jwt", "signature"),
})  # fmt: skip
_SECRET_PAIRS: Final = frozenset(
    {("api", "key"), ("private", "key"), ("access", "key"), ("secret", "key"), ("key", "id")}
)


@cache
def _secrets() -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{name.replace('-', '_')}>{shape})" for name, shape in _SHAPES.items()))


def without_secrets(text: str) -> str:
    """`text` with each secret of a known shape replaced by the name of the shape."""
    if len(text) < _SHORTEST:
        return text
    if not any(hint in text for hint in _HINTS):
        folded = text.casefold()
        if not any(hint in folded for hint in _HINTS_IN_ANY_CASE):
            return text
    return _secrets().sub(lambda match: f"[redacted:{(match.lastgroup or '').replace('_', '-')}]", text)


def clean(text: str, longest: int = MAX_KEY) -> str:
    """A name or short text of a peer as it may be written down: without secrets, cut to `longest` characters."""
    return _kept_clean(text, longest) if len(text) <= 256 else _clean(text, longest)


def _clean(text: str, longest: int) -> str:
    cleaned = without_secrets(text[:_WINDOW])
    if len(cleaned) <= longest and len(text) <= _WINDOW:
        return cleaned
    return f"{cleaned[:longest]}… ({len(text)} characters)"


_kept_clean = lru_cache(maxsize=4096)(_clean)


@lru_cache(maxsize=4096)
def names_secret(key: str) -> bool:
    """Whether the value of an argument that is called `key` is to be taken for a secret."""
    words = [word.lower() for word in re.findall(_WORD, key[:256])]
    return not _SECRET_WORDS.isdisjoint(words) or not _SECRET_PAIRS.isdisjoint(pairwise(words))


def redacted(value: Json) -> Json:
    """`value` without secrets, and without what is long."""
    match value:
        case str():
            return _clean(value, MAX_TEXT)
        case list():
            kept: list[Json] = [redacted(part) for part in value[:MAX_LIST]]
            return kept if len(value) <= MAX_LIST else [*kept, f"… ({len(value)} elements)"]
        case dict():
            members: dict[str, Json] = {}
            for key in list(value)[:MAX_LIST]:
                part = value[key]
                hides = part is not None and names_secret(key)
                members[clean(key)] = "[redacted:named-so]" if hides else redacted(part)
            if len(value) > MAX_LIST:
                members["…"] = f"({len(value)} members)"
            return members
        case _:
            return value


def key_names(arguments: dict[str, Json]) -> list[str]:
    """The names of the arguments, as they may be written down."""
    names = [key if len(key) < _SHORTEST else clean(key) for key in sorted(arguments)[:MAX_KEYS]]
    if len(arguments) > MAX_KEYS:
        names.append(f"… ({len(arguments)} arguments)")
    return names


def command_line(command: Sequence[str]) -> list[str]:
    """The command of a server without the secrets that people put there: `--token X`, `KEY=value`."""
    shown: list[str] = []
    follows = False
    for index, part in enumerate(command):
        name, equals, value = part.partition("=")
        if follows and not part.startswith("-"):
            shown.append("[redacted:named-so]")
        elif index and equals and value and names_secret(name):
            shown.append(f"{clean(name, MAX_TEXT)}=[redacted:named-so]")
        else:
            shown.append(clean(part, MAX_TEXT))
        follows = index > 0 and part.startswith("-") and not equals and names_secret(part)
    return shown
