"""Counters of the session and of the grant in one call."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from intercept.errors import StoreBusy, StoreUnavailable
from intercept.limits import Granted, Refused
from intercept.limits.scoped import ScopedStore
from intercept.limits.sqlite import SQLiteStore
from intercept.limits.state import StateStore
from intercept.policy import Charge, InFlight, Scope, Window

from .charges import START, charge, passes, used_up


def of(scope: Scope, max_: int = 1, window: float | InFlight = 60, *, counter: str = "") -> Charge:
    one = charge(max_, window, counter=counter or scope.value)
    return one._replace(scope=scope, key=("policy.yaml", scope.value, *one.key[2:]))


SESSION, GRANT, GLOBAL = (of(scope) for scope in Scope)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.sqlite"


@pytest.fixture
def store(file: Path) -> Iterator[ScopedStore]:
    made = ScopedStore(lambda: SQLiteStore(str(file), grant="ours"))
    yield made
    made.close()


def another(file: Path, grant: str) -> ScopedStore:
    return ScopedStore(lambda: SQLiteStore(str(file), grant=grant))


def test_the_state_store_is_opened_when_a_charge_needs_it(file: Path) -> None:
    opened: list[str] = []

    def state() -> StateStore:
        opened.append("once")
        return SQLiteStore(str(file), grant="ours")

    store = ScopedStore(state)
    passes(store, [SESSION], START)
    store.release(passes(store, [of(Scope.SESSION, counter="b")], START))
    store.renew(START)
    assert (opened, file.exists()) == ([], False)

    passes(store, [GRANT], START)
    passes(store, [GLOBAL], START)
    assert (opened, file.exists()) == (["once"], True)
    store.close()


def test_the_state_store_is_not_opened_by_who_cannot_wait(store: ScopedStore, file: Path) -> None:
    with pytest.raises(StoreBusy):
        store.reserve([GRANT], START, patience=0.005)
    assert not file.exists()

    passes(store, [GRANT], START)
    assert isinstance(store.reserve([GRANT], START, patience=0.005), Refused)


def test_a_call_that_either_store_refuses_charges_neither(store: ScopedStore) -> None:
    passes(store, [SESSION], START)
    used_up(store, [GRANT, SESSION], START)
    passes(store, [GRANT], START)

    other = of(Scope.SESSION, counter="other")
    used_up(store, [other, GRANT], START)
    passes(store, [other], START)


def test_the_time_to_wait_is_the_longest_of_both_stores(store: ScopedStore) -> None:
    hour = of(Scope.GRANT, 1, 3_600)
    passes(store, [SESSION, hour], START)

    assert used_up(store, [SESSION, hour], START + 1) == ("grant", 3_599.0)
    assert used_up(store, [hour, SESSION], START + 1) == ("grant", 3_599.0)
    dear = hour._replace(cost=hour.max * 2)
    assert used_up(store, [SESSION, dear], START + 1) == ("grant", None)


def test_what_is_given_back_goes_where_it_came_from(store: ScopedStore) -> None:
    for _ in range(3):
        store.release(passes(store, [SESSION, GRANT, GLOBAL], START))
    passes(store, [SESSION, GRANT, GLOBAL], START)

    for one in (SESSION, GRANT, GLOBAL):
        used_up(store, [one], START)


def test_places_in_flight_are_freed_where_they_are_held(store: ScopedStore) -> None:
    call = [of(scope, 1, InFlight()) for scope in Scope]
    for _ in range(3):
        granted = passes(store, call, START)
        for one in call:
            used_up(store, [one], START)
        store.finish(granted)


def test_shadow_limits_of_both_stores_are_told(store: ScopedStore) -> None:
    call = [one._replace(shadow=True) for one in (GRANT, SESSION)]
    passes(store, call, START)

    assert [unmet.charge for unmet in passes(store, call, START).shadow] == call


def test_a_grant_has_its_own_counters_and_shares_the_global_ones(store: ScopedStore, file: Path) -> None:
    passes(store, [GRANT], START)
    other = another(file, "theirs")
    passes(other, [GRANT], START)
    passes(other, [GLOBAL], START)

    used_up(store, [GLOBAL], START)
    again = another(file, "ours")
    used_up(again, [GRANT], START)
    passes(again, [SESSION], START)
    for one in (other, again):
        one.close()


def test_a_state_store_that_cannot_be_used_refuses_only_what_needs_it(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a directory should be")
    store = another(tmp_path / "state" / "state.sqlite", "ours")

    with pytest.raises(StoreUnavailable):
        store.reserve([SESSION, GRANT], START, patience=5)
    passes(store, [SESSION], START)

    (tmp_path / "state").unlink()
    passes(store, [GRANT], START)
    assert isinstance(store.reserve([GRANT], START, patience=5), Refused)
    store.close()


def test_windows_of_other_lengths_are_other_counters(store: ScopedStore) -> None:
    passes(store, [GRANT], START)

    passes(store, [of(Scope.GRANT, 1, 61)], START)
    assert GRANT.window == Window(60.0, "window")


def test_calls_that_need_the_state_store_at_once_open_it_once(file: Path) -> None:
    opened: list[SQLiteStore] = []
    begun: list[None] = []

    def state() -> StateStore:
        while len(begun) < 8:  # the others ask for it meanwhile
            os.sched_yield()
        for _ in range(1000):
            os.sched_yield()
        opened.append(SQLiteStore(str(file), grant="ours"))
        return opened[-1]

    store = ScopedStore(state)

    def call() -> object:
        begun.append(None)
        return store.reserve([GRANT], START, patience=5)

    with ThreadPoolExecutor(8) as pool:
        answers = [answer.result() for answer in [pool.submit(call) for _ in range(8)]]

    assert (len(opened), [type(answer) for answer in answers].count(Granted)) == (1, 1)
    store.close()
