from __future__ import annotations

import hashlib

import pytest

from intercept.hashes import blake2_of, sha256, sha256_of


@pytest.mark.parametrize("size", [0, 1, 63, 64, 64 * 1024 - 1, 64 * 1024, 100_000])
def test_whatever_computes_them_hashes_are_the_same(size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]

    assert sha256_of(data) == sha256(data).hexdigest() == hashlib.sha256(data).hexdigest()
    assert blake2_of(data, 16) == hashlib.blake2b(data, digest_size=16).digest()


def test_a_hash_goes_on_from_a_copy() -> None:
    begun = sha256(b"one ")
    for rest in (b"two", b"three"):
        hashed = begun.copy()
        hashed.update(rest)
        assert hashed.hexdigest() == hashlib.sha256(b"one " + rest).hexdigest()
