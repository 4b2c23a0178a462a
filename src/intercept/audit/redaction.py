"""What of a call's arguments is written down, and what is not: secrets that can be told by their form or name. Pure.

What cannot be told is not found: the mode `keys`, which writes no value at all, is the default for a reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Final

from ..detectors import SECRET, secrets
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
_SHORTEST: Final = 12
"""Characters of the shortest text that has a secret in it which can be told."""

_WORD: Final = r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+"
_SECRET_WORDS: Final = frozenset({
    *("password", "passwd", "passphrase", "pwd", "secret", "token", "apikey", "authorization", "auth", "credential"),
    *("credentials", "cookie", "pin", "cvv", "cvc", "otp", "bearer", "jwt", "signature"),
})  # fmt: skip
_SECRET_PAIRS: Final = frozenset(
    {("api", "key"), ("private", "key"), ("access", "key"), ("secret", "key"), ("key", "id")}
)


def clean(text: str, longest: int = MAX_KEY) -> str:
    """A name or short text of a peer as it may be written down: without secrets, cut to `longest` characters."""
    return _kept_clean(text, longest) if len(text) <= 256 else _clean(text, longest)


def _clean(text: str, longest: int) -> str:
    cleaned = text if len(text) < _SHORTEST else secrets(text[:_WINDOW])[0]
    if len(cleaned) <= longest and len(text) <= _WINDOW:
        return cleaned
    return f"{cleaned[:longest]}… ({len(text)} characters)"


_kept_clean = lru_cache(maxsize=4096)(_clean)


def names_secret(key: str) -> bool:
    """Whether the value of an argument that is called `key` is to be taken for a secret; in doubt it is."""
    return _kept_names_secret(key[:256])


@lru_cache(maxsize=4096)
def _kept_names_secret(key: str) -> bool:
    words = [word.lower() for word in re.findall(_WORD, key)]
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
                members[clean(key)] = SECRET if hides else redacted(part)
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
            shown.append(SECRET)
        elif index and equals and value and names_secret(name):
            shown.append(f"{clean(name, MAX_TEXT)}={SECRET}")
        else:
            shown.append(clean(part, MAX_TEXT))
        follows = index > 0 and part.startswith("-") and not equals and names_secret(part)
    return shown
