from __future__ import annotations

import json
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from intercept.audit.chain import GENESIS, Head, Sealed, is_torn, unseal

LINE, DIGEST = Head("outcome", '"outcome":"ok"').seal(3, GENESIS, '"call":7')


def test_a_line_says_what_was_put_into_it() -> None:
    assert json.loads(LINE) == {
        "type": "outcome",
        "seq": 3,
        "prev": "0" * 64,
        "call": 7,
        "outcome": "ok",
        "hash": DIGEST,
    }
    assert unseal(LINE[:-1]) == Sealed(json.loads(LINE), DIGEST)


def test_the_hash_can_be_checked_with_a_text_editor() -> None:
    text = LINE.decode().strip().replace(f',"hash":"{DIGEST}"', "")

    assert sha256(text.encode()).hexdigest() == DIGEST


@given(st.integers(0, 8 * (len(LINE) - 1) - 1))
def test_no_bit_of_a_line_can_be_changed(bit: int) -> None:
    changed = bytearray(LINE[:-1])
    changed[bit // 8] ^= 1 << bit % 8

    assert isinstance(unseal(bytes(changed)), str)


@given(st.integers(0, len(LINE) - 1))
def test_what_was_written_of_a_line_is_torn_and_no_record(size: int) -> None:
    assert is_torn(LINE[:size])
    assert isinstance(unseal(LINE[:size]), str) or size == len(LINE) - 1


@given(st.binary(min_size=1, max_size=4))
def test_a_whole_line_with_more_behind_it_was_not_torn(more: bytes) -> None:
    assert not is_torn(LINE[:-1] + more)


@given(st.binary(max_size=300))
def test_other_bytes_are_no_record(data: bytes) -> None:
    assert isinstance(unseal(data), str)
