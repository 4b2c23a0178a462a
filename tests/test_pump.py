"""Two threads that take turns, on real pipes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from intercept.pump import BATCH, Intake, Pump

WAIT = 10.0


class Stream:
    """A pipe whose lines are kept as they come; some of them make whoever deals with them wait."""

    def __init__(self, log: list[bytes], *, gate: bytes = b"") -> None:
        self.reader, self.writer = os.pipe()
        self.log = log
        self.batches: list[int] = []
        self.arrived = threading.Condition()
        self.gate = gate
        self.waiting = threading.Event()
        self.opened = threading.Event()
        self.over = threading.Event()
        self.last: list[bytes | None] = []
        self.pump: Pump | None = None
        self.stop = b""
        self.intake = Intake(self.reader, 1000, self.deal, self.end)

    def deal(self, frames: list[bytes | None]) -> bool:
        self.batches.append(len(frames))
        for frame in frames:
            if frame and frame == self.gate:
                assert self.pump is not None
                self.pump.give_way()
                self.pump.give_way()
                self.waiting.set()
                assert self.opened.wait(WAIT)
            with self.arrived:
                self.log.append(b"?" if frame is None else frame)
                self.arrived.notify_all()
        return self.stop not in frames if self.stop else True

    def end(self, last: list[bytes | None]) -> None:
        self.last = last
        self.over.set()

    def send(self, data: bytes) -> None:
        os.write(self.writer, data)

    def wait_for(self, frame: bytes) -> None:
        with self.arrived:
            assert self.arrived.wait_for(lambda: frame in self.log, WAIT)


@pytest.fixture
def streams() -> Iterator[list[Stream]]:
    made: list[Stream] = []
    yield made
    for stream in made:
        stream.opened.set()
        with suppress(OSError):
            os.close(stream.writer)
        # Before its descriptor is another pipe's.
        assert stream.over.wait(WAIT)
        os.close(stream.reader)


def start(*streams: Stream, idle: Callable[[], None] | None = None) -> Pump:
    pump = Pump(*(stream.intake for stream in streams), idle=idle)
    for stream in streams:
        stream.pump = pump
    for _ in range(2):
        threading.Thread(target=pump.run, daemon=True).start()
    return pump


def test_both_streams_are_served_in_order(streams: list[Stream]) -> None:
    one, two = Stream([]), Stream([])
    streams += [one, two]
    start(one, two)
    for number in range(200):
        one.send(b"%d\n" % number)
        two.send(b"%d\n%d" % (number, number))
        two.send(b"\n")
    one.wait_for(b"199")
    two.wait_for(b"199")

    assert one.log == [b"%d" % number for number in range(200)]
    assert two.log[-2:] in ([b"198", b"199"], [b"199", b"199"])


@pytest.mark.parametrize("brisk", [False, True])
@pytest.mark.parametrize("is_worked_on", [False, True])
def test_what_nobody_waits_for_is_done_once_there_is_nothing_to_read(
    brisk: bool, is_worked_on: bool, streams: list[Stream]
) -> None:
    stream = Stream([])
    streams.append(stream)
    stream.intake.is_worked_on = is_worked_on
    done: list[int] = []
    caught_up = threading.Condition()

    def idle() -> None:
        with caught_up:
            done.append(len(stream.log))
            caught_up.notify_all()

    start(stream, idle=idle)
    for number in range(1, 20):
        stream.intake.brisk = brisk
        stream.send(b"%d\n" % number)
        with caught_up:
            assert caught_up.wait_for(lambda: number in done, WAIT)  # noqa: B023 - called at once


def test_a_stream_whose_reader_is_waited_for_stops_no_other(streams: list[Stream]) -> None:
    one, two = Stream([], gate=b"wait"), Stream([])
    streams += [one, two]
    start(one, two)
    one.send(b"wait\nlater\n")
    assert one.waiting.wait(WAIT)
    two.send(b"meanwhile\n")
    two.wait_for(b"meanwhile")
    assert one.log == []

    one.opened.set()
    one.wait_for(b"later")
    one.send(b"again\n")  # served by whoever has the turn now
    two.send(b"too\n")
    one.wait_for(b"again")
    two.wait_for(b"too")
    assert one.log == [b"wait", b"later", b"again"]


def test_both_streams_may_be_waited_for_and_go_on_in_any_order(streams: list[Stream]) -> None:
    one, two = Stream([], gate=b"wait"), Stream([], gate=b"wait")
    streams += [one, two]
    start(one, two)
    for first, second in ((one, two), (two, one)):
        first.send(b"wait\n")
        assert first.waiting.wait(WAIT)
        second.send(b"wait\n")
        assert second.waiting.wait(WAIT)
        second.opened.set()
        second.send(b"second\n")
        second.wait_for(b"second")
        first.opened.set()
        first.send(b"first\n")
        first.wait_for(b"first")
        for stream in (one, two):
            stream.log.clear()
            stream.waiting.clear()
            stream.opened.clear()


def test_many_frames_of_one_stream_leave_the_other_its_turn(streams: list[Stream]) -> None:
    """What was read in one go is dealt with in batches, and what came meanwhile is not left until its end."""
    log: list[bytes] = []
    many, few = Stream(log), Stream(log)
    streams += [many, few]
    many.send(b"-\n" * (3 * BATCH) + b"last\n")
    few.send(b"+\n")
    start(many, few)
    many.wait_for(b"last")

    assert many.batches == [BATCH, BATCH, BATCH, 1]
    assert log.index(b"+") <= BATCH


def test_a_stream_ends_once_with_what_is_left_of_its_last_line(streams: list[Stream]) -> None:
    one, two = Stream([]), Stream([])
    streams += [one, two]
    start(one, two)
    one.send(b"whole\nhalf")
    os.close(one.writer)
    assert one.over.wait(WAIT)
    assert (one.log, one.last) == ([b"whole"], [b"half"])

    two.send(b"still served\n")
    two.wait_for(b"still served")


def test_nothing_more_is_dealt_with_after_a_stream_was_given_up(streams: list[Stream]) -> None:
    one, two = Stream([]), Stream([])
    one.stop = b"stop"
    streams += [one, two]
    start(one, two)
    one.send(b"-\n" * (BATCH - 1) + b"stop\n" + b"never\n" * BATCH)
    assert one.over.wait(WAIT)
    one.send(b"never\n")
    two.send(b"still served\n")
    two.wait_for(b"still served")

    assert b"never" not in one.log


def test_a_frame_over_the_limit_is_told_of_and_the_next_one_read(streams: list[Stream]) -> None:
    one = Stream([])
    streams.append(one)
    start(one)
    one.send(b"x" * 1001 + b"\nnext\n")
    one.wait_for(b"next")

    assert one.log == [b"?", b"next"]


def test_a_thread_that_serves_nothing_gives_nothing_away(streams: list[Stream]) -> None:
    one, two = Stream([], gate=b"wait"), Stream([])
    streams += [one, two]
    pump = start(one, two)
    pump.give_way()
    one.send(b"wait\n")
    assert one.waiting.wait(WAIT)
    pump.give_way()  # the other thread keeps the turn
    two.send(b"meanwhile\n")
    two.wait_for(b"meanwhile")
    one.opened.set()
    one.wait_for(b"wait")


def test_who_is_quick_may_be_waited_for_awake_and_who_is_slow_costs_nothing(streams: list[Stream]) -> None:
    one, two = Stream([]), Stream([])
    streams += [one, two]
    start(one, two)
    for number in range(100):
        one.send(b"%d\n" % number)
        two.send(b"%d\n" % number)
    one.wait_for(b"99")
    two.wait_for(b"99")
    silence = threading.Event()
    while one.intake.brisk or two.intake.brisk:
        for stream in (one, two):
            stream.send(b"-\n")
            silence.wait(0.01)
    before = time.process_time()
    silence.wait(0.2)

    assert time.process_time() - before < 0.1
