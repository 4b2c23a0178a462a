from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from math import inf

import pytest

from intercept.wakeup import ENDING, Wakeup


@pytest.fixture
def wakeup() -> Iterator[Wakeup]:
    before = {number: signal.getsignal(number) for number in (*ENDING, signal.SIGCHLD)}
    yield Wakeup()
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_call_wakes_who_waits(wakeup: Wakeup) -> None:
    thread = threading.Thread(target=wakeup)
    thread.start()

    wakeup.wait(inf)

    thread.join()
    assert wakeup.signal is None


def test_calls_before_the_wait_are_not_lost_and_count_once(wakeup: Wakeup) -> None:
    for _ in range(100_000):  # more than a pipe holds
        wakeup()

    wakeup.wait(inf)
    called = threading.Event()

    def call() -> None:
        called.set()
        wakeup()

    threading.Timer(0.01, call).start()
    wakeup.wait(inf)

    assert called.is_set()


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_wakes_and_is_remembered(wakeup: Wakeup, number: int) -> None:
    threading.Timer(0.01, os.kill, (os.getpid(), number)).start()

    while wakeup.signal is None:
        wakeup.wait(inf)

    assert wakeup.signal == number


@pytest.mark.parametrize("timeout", [-1.0, 0.0, 0.001])
def test_a_wait_ends_by_itself(wakeup: Wakeup, timeout: float) -> None:
    wakeup.wait(timeout)

    assert wakeup.signal is None
