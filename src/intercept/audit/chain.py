"""Lines that hold each other: each carries the SHA-256 of itself and that of the one before. Pure.

A line is JSON text whose last member is `hash`: the SHA-256 of the same text without that member. So anybody can check
one with a text editor and `sha256sum`, and none can be changed, left out, added or moved without its place showing.
Who may write the file can write all of it anew; only a hash that is kept elsewhere tells (DESIGN section 6).
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Final, NamedTuple

from ..values import Json

GENESIS: Final = "0" * 64
"""What the first record of a session has for the hash of the one before."""
_MARK: Final = b',"hash":"'
_TAIL: Final = len(_MARK) + 64 + 2
_HEX: Final = frozenset(b"0123456789abcdef")


class Sealed(NamedTuple):
    """A line that fits its own hash."""

    body: dict[str, Json]
    hash: str


def seal(kind: str, seq: int, prev: str, members: str) -> tuple[bytes, str]:
    """The line, newline included, and the hash of a record; `members` is the text of its other members."""
    text = f'{{"type":"{kind}","seq":{seq},"prev":"{prev}",{members}}}'.encode("ascii")
    digest = sha256(text).hexdigest()
    return b'%b,"hash":"%b"}\n' % (text[:-1], digest.encode("ascii")), digest


def unseal(line: bytes) -> Sealed | str:
    """What `line` (without its newline) says, or a clause that says what is wrong with it."""
    cut = len(line) - _TAIL
    if cut < 1 or line[cut : cut + len(_MARK)] != _MARK or line[-2:] != b'"}' or not _HEX.issuperset(line[-66:-2]):
        return "it is not a whole record"
    digest = line[-66:-2].decode("ascii")
    if sha256(line[:cut] + b"}").hexdigest() != digest:
        return "it was changed: its text does not fit its hash"
    try:
        body = json.loads(line)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return "it is not a record"
    return Sealed(body, digest)


def is_torn(line: bytes) -> bool:
    """Whether `line`, which has no newline, may be what was written of a record before its process ended."""
    at = line.rfind(_MARK)
    whole = at + _TAIL
    return at < 0 or len(line) <= whole or isinstance(unseal(line[:whole]), str)


def fingerprint(line: bytes) -> str:
    """How a later record names a line that was torn."""
    return sha256(line).hexdigest()
