from __future__ import annotations

import os

from intercept.notices import BURST, Notices


def lines(reader: int) -> list[str]:
    os.set_blocking(reader, False)
    try:
        return os.read(reader, 1_000_000).decode(errors="replace").splitlines()
    except BlockingIOError:
        return []


def test_lines_are_prefixed() -> None:
    reader, writer = os.pipe()
    Notices(writer, lambda: 0.0).say("started")

    assert lines(reader) == ["intercept: started"]


def test_a_flood_is_cut_and_what_was_left_out_is_counted() -> None:
    reader, writer = os.pipe()
    now = [0.0]
    notices = Notices(writer, lambda: now[0])
    for number in range(BURST + 30):
        notices.note(f"note {number}")
    assert len(lines(reader)) == BURST

    now[0] = 1.0
    notices.note("again")
    assert lines(reader) == ["intercept: (30 lines left out) again"]


def test_a_reader_that_does_not_read_is_not_waited_for() -> None:
    reader, writer = os.pipe()
    notices = Notices(writer, lambda: 0.0)
    for number in range(10_000):
        notices.say(f"line {number}")
    held = lines(reader)
    notices.say("last")

    assert held[0] == "intercept: line 0"
    assert lines(reader) == [f"intercept: ({10_000 - len(held)} lines left out) last"]


def test_a_reader_that_is_gone_is_not_an_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    Notices(writer, lambda: 0.0).say("nobody hears this")


def test_a_line_is_cut_to_what_can_be_written_at_once() -> None:
    reader, writer = os.pipe()
    notices = Notices(writer, lambda: 0.0)
    notices.say("é\ud800" * 10_000)
    notices.say("next")
    first, second = lines(reader)

    assert first.startswith("intercept: é\\ud800é")
    assert second == "intercept: next"
