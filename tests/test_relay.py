"""The relay's parts on real pipes. Whole sessions with real processes are in `tests/e2e`."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from intercept.allocation import WIDE
from intercept.enforcement import Enforcer
from intercept.limits.memory import MemoryStore
from intercept.outlet import MAX_POSTED, Outlet
from intercept.policy import load
from intercept.relay import Relay
from intercept.session import Session

WAIT = 10.0


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for fd in (reader, writer):
        try:
            os.close(fd)
        except OSError:
            continue


def fill(fd: int) -> int:
    """Fill a pipe to the brim; return how many bytes it took."""
    os.set_blocking(fd, False)
    size = 0
    try:
        while True:
            size += os.write(fd, b"." * 4096)
    except BlockingIOError:
        os.set_blocking(fd, True)
        return size


def end(outlet: Outlet, reader: int) -> None:
    """Let the outlet's thread see that nobody reads, before its descriptor is another pipe's."""
    os.close(reader)
    outlet.flush(WAIT)
    assert outlet.broken


def read_exactly(fd: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += os.read(fd, size - len(data))
    return data


def test_a_post_to_a_ready_reader_is_written_at_once(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    before = threading.active_count()
    Outlet(writer).post(b"denied\n")

    assert os.read(reader, 100) == b"denied\n"
    assert threading.active_count() == before


def test_a_post_to_a_full_pipe_does_not_wait_and_arrives_in_order(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    outlet = Outlet(writer)
    size = fill(writer)
    posts = [b"%d\n" % number for number in range(2000)]
    for post in posts:
        outlet.post(post)

    assert read_exactly(reader, size) == b"." * size
    assert read_exactly(reader, sum(map(len, posts))) == b"".join(posts)


def test_frames_of_several_writers_never_interleave(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    outlet = Outlet(writer)
    frames = [bytes([65 + number]) * 50_000 + b"\n" for number in range(8)]
    threads = [
        threading.Thread(target=outlet.write if number % 2 else outlet.post, args=(frame,))
        for number, frame in enumerate(frames)
    ]
    for thread in threads:
        thread.start()
    received = read_exactly(reader, sum(map(len, frames)))
    for thread in threads:
        thread.join(WAIT)

    assert sorted(received.splitlines(keepends=True)) == frames


def test_what_is_posted_is_bounded_and_flows_on_once_the_reader_reads(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    outlet = Outlet(writer)
    fill_size = fill(writer)
    block = b"x" * (1024 * 1024 - 1) + b"\n"
    count = 2 * MAX_POSTED // len(block)
    posted: list[int] = []

    def flood() -> None:
        for number in range(count):
            outlet.post(block)
            posted.append(number)

    thread = threading.Thread(target=flood)
    thread.start()
    while len(posted) < MAX_POSTED // len(block):
        thread.join(0.01)
    assert thread.is_alive()
    assert len(posted) == MAX_POSTED // len(block)

    assert len(read_exactly(reader, fill_size + count * len(block))) == fill_size + count * len(block)
    thread.join(WAIT)
    assert not thread.is_alive()


def test_unbounded_posts_never_wait(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    outlet = Outlet(writer)
    fill(writer)
    outlet.post(b"x" * (MAX_POSTED + 1), bounded=False)
    outlet.post(b"last words\n", bounded=False)
    end(outlet, reader)


def test_a_reader_that_is_gone_breaks_the_outlet_and_stops_nobody(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    outlet = Outlet(writer)
    os.close(reader)
    outlet.write(b"x" * 1_000_000)
    outlet.post(b"y")
    outlet.flush(WAIT)

    assert outlet.broken


def test_a_write_waits_for_the_reader_of_a_non_blocking_pipe(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.set_blocking(writer, False)
    data = os.urandom(1_000_000)
    thread = threading.Thread(target=Outlet(writer, watched=os.dup(reader)).write, args=(data,))
    thread.start()

    assert read_exactly(reader, len(data)) == data
    thread.join(WAIT)
    assert not thread.is_alive()


def test_a_write_that_stalls_after_the_client_hung_up_is_reported(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    client_in, client = os.pipe()
    stalled = threading.Event()
    os.set_blocking(writer, False)
    outlet = Outlet(writer, watched=client_in, on_stall=stalled.set)
    thread = threading.Thread(target=outlet.write, args=(b"x" * (WIDE + 1),))
    thread.start()
    os.close(client)

    assert stalled.wait(WAIT)
    os.close(reader)  # the upstream is ended, and the write with it
    thread.join(WAIT)
    assert not thread.is_alive()
    os.close(client_in)


def test_closing_gives_up_on_a_writer_that_waits_for_ever(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    outlet = Outlet(writer)
    size = WIDE
    thread = threading.Thread(target=outlet.write, args=(b"x" * (size + 1),))
    thread.start()
    read_exactly(reader, 0)
    while not outlet._writing.locked():
        thread.join(0.001)
    outlet.close(timeout=0.05)

    assert not outlet.broken
    read_exactly(reader, size + 1)
    thread.join(WAIT)
    outlet.close()
    assert os.read(reader, 1) == b""


def test_closing_in_a_hurry_waits_for_nothing_that_was_posted(pipe: tuple[int, int]) -> None:
    _, writer = pipe
    outlet = Outlet(writer)
    fill(writer)
    outlet._posted.append(b"x")  # as when the writing thread has not begun yet
    outlet.close(timeout=0.05)

    assert outlet.broken


def test_what_is_offered_beyond_the_bound_is_dropped_and_said_to_be(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    outlet = Outlet(writer)
    fill(writer)

    assert outlet.offer(b"x" * MAX_POSTED)
    assert not outlet.offer(b"x")
    end(outlet, reader)


def test_a_mistake_of_ours_ends_the_session_instead_of_half_of_it(tmp_path: Path) -> None:
    """And is reported without the message of the exception, which may hold what a peer sent."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("default: deny\n")
    client_in, client = os.pipe()
    upstream_out, upstream = os.pipe()
    woken = threading.Event()

    def failing(line: str) -> None:
        raise RuntimeError(line)

    relay = Relay(
        Session(load([str(policy)]), reloads=False, clock=lambda: 0.0, random=os.urandom),
        Enforcer(MemoryStore(), grant="", clock=lambda: 0.0),
        client_in=client_in,
        client_out=os.open(os.devnull, os.O_WRONLY),
        upstream_in=os.open(os.devnull, os.O_WRONLY),
        upstream_out=upstream_out,
        note=failing,
        wake=woken.set,
    )
    relay.start()
    os.write(client, b"a secret that is no message\n")

    assert woken.wait(WAIT)
    assert relay.ends.beyond_waiting
    assert relay.ends.failed.startswith("RuntimeError in ")
    assert "secret" not in relay.ends.failed
    os.close(client)
    os.close(upstream)
