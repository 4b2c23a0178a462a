"""Lines that hold each other: each carries the SHA-256 of itself and that of the one before. Pure.

A line is JSON text whose last member is `hash`: the SHA-256 of the same text without that member. So anybody can check
one with a text editor and `sha256sum`, and none can be changed, left out, added or moved without its place showing.
Who may write the file can write all of it anew; only a hash that is kept elsewhere tells (DESIGN section 6).
"""

from __future__ import annotations

import json
from typing import Final, NamedTuple

from ..hashes import sha256, sha256_of
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


class Head:
    """How records begin that are alike so far, and the hash up to there: most of a record is not hashed anew."""

    __slots__ = ("_hash", "_text")

    def __init__(self, kind: str, members: str) -> None:
        """`members` is the text of those that come before what is different in each record."""
        self._text = f'{{"type":"{kind}",{members},"seq":'
        self._hash = sha256(self._text.encode("ascii"))

    def seal(self, seq: int, prev: str, members: str) -> tuple[bytes, str]:
        """The line, newline included, and the hash of a record; `members` is the text of its other members."""
        rest = f'{seq},"prev":"{prev}",{members}'
        hashed = self._hash.copy()
        hashed.update(f"{rest}}}".encode("ascii"))
        digest = hashed.hexdigest()
        return f'{self._text}{rest},"hash":"{digest}"}}\n'.encode("ascii"), digest


def unseal(line: bytes) -> Sealed | str:
    """What `line` (without its newline) says, or a clause that says what is wrong with it."""
    cut = len(line) - _TAIL
    if cut < 1 or line[cut : cut + len(_MARK)] != _MARK or line[-2:] != b'"}' or not _HEX.issuperset(line[-66:-2]):
        return "it is not a whole record"
    digest = line[-66:-2].decode("ascii")
    if sha256_of(line[:cut] + b"}") != digest:
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
    return sha256_of(line)
