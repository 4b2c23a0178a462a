"""The store in memory: beside a model that keeps everything, and within its bounds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intercept.limits import Granted, Refused
from intercept.limits.memory import MemoryStore
from intercept.limits.windows import MAX_ENTRIES

from .charges import START, charge, passes, used_up


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@settings(deadline=None, max_examples=5)
@given(st.lists(st.tuples(st.sampled_from([0, 0.125, 1]), st.integers(1, 3)), min_size=1, max_size=60), st.data())
def test_merging_never_lets_more_in(calls: list[tuple[float, int]], data: st.DataObject) -> None:
    """With a counter so full that it merges, an interval still never holds more than the maximum."""
    store = MemoryStore()
    limit = MAX_ENTRIES + 200
    now = START
    times: list[tuple[float, int]] = []
    for _ in range(limit):
        now += 0.001
        passes(store, [charge(limit, 60)], now)
        times.append((now, 1))

    for later, cost in calls:
        now += later * data.draw(st.sampled_from([1, 20]))
        if isinstance(store.reserve([charge(limit, 60, cost=cost)], now), Granted):
            times.append((now, cost))

    for start, _ in times[-100:]:
        assert sum(cost for at, cost in times if start - 60 < at <= start) <= limit


# --- bounds


def test_a_counter_keeps_a_bounded_number_of_entries_and_is_exact_up_to_there(store: MemoryStore) -> None:
    for call in range(MAX_ENTRIES):
        passes(store, [charge(MAX_ENTRIES, 6_000)], START + call)

    assert used_up(store, [charge(MAX_ENTRIES, 6_000)], START + MAX_ENTRIES) == ("calls", 6_000.0 - MAX_ENTRIES)

    for call in range(3 * MAX_ENTRIES):
        passes(store, [charge(10**6, 10**6, counter="b")], START + MAX_ENTRIES + call)
    [tally] = store._groups[charge(10**6, 10**6, counter="b").key[:-1]].values()
    assert len(tally) <= MAX_ENTRIES
    assert tally.used == 3 * MAX_ENTRIES


def test_what_was_merged_can_be_given_back(store: MemoryStore) -> None:
    limit = 2 * MAX_ENTRIES
    made = [passes(store, [charge(limit, 10**6)], START + call) for call in range(limit)]
    used_up(store, [charge(limit, 10**6)], START + limit)

    for granted in made[::2]:
        store.release(granted)

    for _ in range(limit // 2):
        passes(store, [charge(limit, 10**6)], START + limit)
    used_up(store, [charge(limit, 10**6)], START + limit)


@pytest.fixture
def most(monkeypatch: pytest.MonkeyPatch) -> int:
    """Fewer live values than there may be, which would take a while."""
    monkeypatch.setattr("intercept.limits.memory.MAX_LIVE", 2_000)
    return 2_000


def test_more_live_values_than_a_counter_may_have_are_refused_until_one_is_free(store: MemoryStore, most: int) -> None:
    for value in range(most):
        passes(store, [charge(5, 60, per=f"={value}")], START + value / most)

    assert used_up(store, [charge(5, 60, per="=new")], START + 30) == ("calls", 30.0)
    passes(store, [charge(5, 60, per="=0")], START + 30)
    passes(store, [charge(5, 60, counter="other", per="=new")], START + 30)
    passes(store, [charge(5, 60, per="=new")], START + 60.5)


def test_a_call_with_more_values_than_a_counter_may_have_can_never_pass(store: MemoryStore, most: int) -> None:
    calls = [charge(5, 60, per=f"={value}") for value in range(most + 1)]

    answer = store.reserve(calls, START)

    assert isinstance(answer, Refused)
    assert answer.retry_after is None
    passes(store, calls[1:], START)


def test_values_that_no_longer_count_are_forgotten(store: MemoryStore) -> None:
    for value in range(5_000):
        passes(store, [charge(1, 60, per=f"={value}"), charge(1, 60, counter="gone", per=f"={value}")], START + value)

    assert sum(map(len, store._groups.values())) < 400
    for moment in range(400):
        passes(store, [charge(10**6, 1, counter="other")], START + 10_000 + moment)
    assert sum(map(len, store._groups.values())) <= 2
