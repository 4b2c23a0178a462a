"""Hashes of what is mostly short: records of the audit log, the arguments of a call, a policy file. Pure.

What `hashlib` has is that of OpenSSL. It is no faster for a few hundred bytes, takes twice as long where the caches are
cold, as they are in a proxy, because it touches so much memory, and takes 5 ms to import. It is for long texts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Final, Protocol

_LONG: Final = 64 * 1024
"""Bytes from which on that of OpenSSL is imported: it takes half as long, and that is 150 µs then."""


class Hash(Protocol):
    """Of what it was given so far."""

    def copy(self) -> Hash:
        """Another one, to go on from here."""
        ...

    def update(self, data: bytes, /) -> None:
        """Give it `data` too."""
        ...

    def digest(self) -> bytes:
        """What it is."""
        ...

    def hexdigest(self) -> str:
        """What it is in hexadecimal."""
        ...


def _built_in(module: str) -> ModuleType:
    try:
        return __import__(module)
    except ImportError:  # an interpreter may do without
        return __import__("hashlib")


sha256: Final[Callable[[bytes], Hash]] = _built_in("_sha2" if sys.version_info >= (3, 12) else "_sha256").sha256
_blake2b: Final[Callable[..., Hash]] = _built_in("_blake2").blake2b


def sha256_of(data: bytes) -> str:
    """The SHA-256 of `data`, in hexadecimal."""
    if len(data) < _LONG:
        return sha256(data).hexdigest()
    import hashlib

    return hashlib.sha256(data).hexdigest()


def blake2_of(data: bytes, size: int) -> bytes:
    """The BLAKE2b hash of `data`, `size` bytes of it."""
    return _blake2b(data, digest_size=size).digest()
