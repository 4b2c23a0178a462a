from __future__ import annotations

import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercept.frames import Frames


@given(
    lines=st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b""))),
    cuts=st.lists(st.integers(min_value=0, max_value=400)),
)
def test_framing_does_not_depend_on_how_the_stream_is_cut(lines: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(line + b"\n" for line in lines)
    frames = Frames(limit=1000)
    found: list[bytes | None] = []
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    for start, end in pairwise(edges):
        found += frames.feed(stream[start:end])

    assert found == lines
    assert frames.end() == []


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_a_frame_over_the_limit_is_reported_once_and_skipped(size: int) -> None:
    stream = b"ok\n" + b"x" * 50 + b"\nnext\n"
    frames = Frames(limit=10)
    found = [frame for at in range(0, len(stream), size) for frame in frames.feed(stream[at : at + size])]

    assert found == [b"ok", None, b"next"]


def test_a_frame_that_is_too_long_is_reported_before_it_ends() -> None:
    frames = Frames(limit=10)

    assert frames.feed(b"x" * 11) == [None]
    assert frames.feed(b"x" * 1000) == []
    assert frames.end() == []


def test_a_last_line_without_newline_is_held_until_the_stream_ends() -> None:
    frames = Frames(limit=10)

    assert frames.feed(b"one\ntw") == [b"one"]
    assert frames.end() == [b"tw"]
    assert frames.end() == []


def test_a_frame_that_comes_in_small_pieces_costs_its_size() -> None:
    frames = Frames(limit=1_000_000)
    before = sys.getsizeof(frames._open)
    for _ in range(100_000):
        frames.feed(b"xy")

    assert sys.getsizeof(frames._open) - before < 300_000
