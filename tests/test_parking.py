from __future__ import annotations

import threading
from collections.abc import Callable

from intercept.parking import MAX_PARKED, MAX_PARKED_SIZE, Parking

WAIT = 10.0


def waiting_for(gate: threading.Event) -> Callable[[], None]:
    def work() -> None:
        gate.wait(WAIT)

    return work


def test_what_is_parked_waits_beside_whoever_parked_it() -> None:
    parking, gate, done = Parking(), threading.Event(), threading.Event()

    def work() -> None:
        assert gate.wait(WAIT)
        done.set()

    assert parking.park(1, work)
    assert not done.is_set()
    gate.set()
    parking.wait_until_empty()
    assert done.is_set()


def test_calls_are_refused_once_so_many_wait_and_taken_again_when_one_is_finished() -> None:
    parking, gate = Parking(), threading.Event()
    for _ in range(MAX_PARKED):
        assert parking.park(1, waiting_for(gate))
    assert not parking.park(1, lambda: None)
    gate.set()
    parking.wait_until_empty()
    assert parking.park(1, lambda: None)
    parking.wait_until_empty()


def test_calls_are_refused_once_so_many_bytes_wait_but_a_single_one_of_any_size_is_taken() -> None:
    parking, gate = Parking(), threading.Event()
    assert parking.park(2 * MAX_PARKED_SIZE, waiting_for(gate))
    assert not parking.park(1, lambda: None)
    gate.set()
    parking.wait_until_empty()
    assert parking.park(1, lambda: None)
    parking.wait_until_empty()


def test_work_that_fails_makes_room_again() -> None:
    parking = Parking()

    def fail() -> None:
        raise RuntimeError

    parking.park(1, fail)
    parking.wait_until_empty()
